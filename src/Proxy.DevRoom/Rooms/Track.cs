using System;
using System.Collections.Generic;
using Proxy.DevRoom.Forwarding;
using Proxy.LiveKit.Protocol;
using Proxy.Rtp.Rtcp;

namespace Proxy.DevRoom.Rooms;

/// <summary>Room loop. An audio track that a participant announced; it is published once a section of an answer carries it.</summary>
internal sealed class Track
{
    private readonly long _createdUnixMicros;

    public Track(Participant publisher, string sid, AddTrackRequest request, long unixMicros)
    {
        Publisher = publisher;
        Cid = request.Cid;
        WantsDtx = !request.DisableDtx && !request.AudioFeatures.Contains(AudioTrackFeature.TfNoDtx);
        IsStereo = request.Stereo || request.AudioFeatures.Contains(AudioTrackFeature.TfStereo);
        if (request.SimulcastCodecs.Count > 0 && TrackCodecs.TryParse(request.SimulcastCodecs[0].Codec, out TrackCodec preferred))
        {
            PreferredCodec = preferred;
        }
        Info = MakeInfo(sid, request);
        _createdUnixMicros = unixMicros;
    }

    public Participant Publisher { get; }

    /// <summary>As clients see it; changed in place, sent as part of the participant.</summary>
    public TrackInfo Info { get; }

    public string Sid => Info.Sid;

    /// <summary>The client's own name of the track; its SDP names the same in <c>a=msid</c>.</summary>
    public string Cid { get; }

    public bool WantsDtx { get; }

    public bool IsStereo { get; }

    /// <summary>The codec asked for by <c>simulcast_codecs[0]</c>, moved to the front of the answer.</summary>
    public TrackCodec? PreferredCodec { get; }

    /// <summary>The section that carries it; null before its first answer and after its last.</summary>
    public string? Mid { get; set; }

    public uint Ssrc { get; set; }

    public TrackCodec Codec { get; set; }

    /// <summary>The only payload type that is forwarded: the first one of the answered section.</summary>
    public byte PayloadType { get; set; }

    /// <summary>Header extension id of the audio level, 0 where not negotiated.</summary>
    public byte AudioLevelId { get; set; }

    /// <summary>Whether others can see and hear it: answered, and its publisher is active.</summary>
    public bool IsPublished { get; set; }

    /// <summary>Whether a section carried it once; an announced track that never had one keeps waiting.</summary>
    public bool WasNegotiated { get; set; }

    /// <summary>Whether the publisher was told that somebody listens.</summary>
    public bool WasHeard { get; set; }

    public bool IsMuted => Info.Muted;

    /// <summary>Who hears it.</summary>
    public List<Subscription> Subscriptions { get; } = [];

    public ReceiveStatistics? Received { get; set; }

    public SpeechMeter Speech { get; } = new();

    /// <summary>The demo agent's track that gets this one's packets back.</summary>
    public Track? Echo { get; set; }

    /// <summary>Whether the last frame that was echoed held sound.</summary>
    public bool IsLoud { get; set; }

    /// <summary>Writes what the answer decided into the info that clients see.</summary>
    public void FillNegotiated()
    {
        WasNegotiated = true;
        Received ??= new ReceiveStatistics(TrackCodecs.ClockHz(Codec));
        Info.MimeType = TrackCodecs.MimeType(Codec);
        Info.Mid = Mid ?? "";
        Info.Version ??= new TimedVersion { UnixMicro = _createdUnixMicros };
        foreach (SimulcastCodecInfo codec in Info.Codecs)
        {
            codec.MimeType = Info.MimeType;
            codec.Mid = Info.Mid;
        }
    }

    private static TrackInfo MakeInfo(string sid, AddTrackRequest request)
    {
        TrackInfo info = new()
        {
            Sid = sid,
            Type = request.Type,
            Name = request.Name,
            Muted = request.Muted,
            DisableDtx = request.DisableDtx,
            Source = request.Source,
            Stereo = request.Stereo,
            DisableRed = request.DisableRed,
            Encryption = request.Encryption,
            Stream = request.Stream.Length == 0 ? "camera" : request.Stream,
            BackupCodecPolicy = BackupCodecPolicy.Simulcast,
        };
        info.AudioFeatures.Add(request.AudioFeatures);
        if (request.SimulcastCodecs.Count == 0)
        {
            info.Codecs.Add(new SimulcastCodecInfo { Cid = request.Cid, VideoLayerMode = VideoLayer.Types.Mode.OneSpatialLayerPerStream });
        }
        foreach (SimulcastCodec codec in request.SimulcastCodecs)
        {
            string name = codec.Codec.StartsWith("audio/", StringComparison.OrdinalIgnoreCase) ? codec.Codec[6..] : codec.Codec;
            info.Codecs.Add(new SimulcastCodecInfo { Cid = codec.Cid, MimeType = "audio/" + name.ToLowerInvariant() });
        }
        return info;
    }
}
