using System;
using System.IO;
using System.IO.Compression;
using System.Text;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. The address that is dialled: our first message rides in it.</summary>
internal static class JoinUrl
{
    /// <summary>Client protocol that we speak: no capability beyond it is claimed.</summary>
    public const int ClientProtocol = 16;

    /// <summary>The first join: track and offer are in it, so publishing begins with the upgrade.</summary>
    public static JoinRequest FirstJoin(RoomJoin join, SessionDescription offer)
    {
        JoinRequest request = Empty(join);
        request.AddTrackRequests.Add(AddTrack(join));
        request.PublisherOffer = offer;
        foreach ((string key, string value) in join.Attributes)
        {
            request.ParticipantAttributes[key] = value;
        }
        return request;
    }

    /// <summary>A dial that takes up a running session again.</summary>
    public static JoinRequest Resume(RoomJoin join, string participantSid)
    {
        JoinRequest request = Empty(join);
        request.Reconnect = true;
        request.ReconnectReason = ReconnectReason.RrSignalDisconnected;
        request.ParticipantSid = participantSid;
        return request;
    }

    /// <summary><c>{ws}/rtc/v1?join_request=</c> base64url, padded (the server refuses it unpadded), of the gzipped request.</summary>
    public static string Write(string wsUrl, JoinRequest request)
    {
        var wrapped = new WrappedJoinRequest
        {
            Compression = WrappedJoinRequest.Types.Compression.Gzip,
            JoinRequest = Gzip(request.ToByteArray()),
        };
        string text = Convert.ToBase64String(wrapped.ToByteArray()).Replace('+', '-').Replace('/', '_').Replace("=", "%3D", StringComparison.Ordinal);
        return new StringBuilder(Base(wsUrl), text.Length + 128).Append("/rtc/v1?join_request=").Append(text).ToString();
    }

    private static JoinRequest Empty(RoomJoin join) => new()
    {
        ClientInfo = new ClientInfo { Version = "0.1.0", Protocol = ClientProtocol },
        ConnectionSettings = new ConnectionSettings { AutoSubscribe = join.AutoSubscribe },
    };

    private static AddTrackRequest AddTrack(RoomJoin join)
    {
        var track = new AddTrackRequest
        {
            Cid = join.Cid,
            Name = join.TrackName,
            Type = TrackType.Audio,
            Source = TrackSource.Microphone,
            DisableRed = true,
        };
        // Moves the wanted codec to the front of the answer whatever the order of the offer.
        track.SimulcastCodecs.Add(new SimulcastCodec { Codec = NameOf(join.Codec), Cid = join.Cid });
        return track;
    }

    private static string NameOf(RoomCodec codec) => codec switch
    {
        RoomCodec.Pcmu => "pcmu",
        RoomCodec.Pcma => "pcma",
        _ => "opus",
    };

    private static string Base(string wsUrl)
    {
        string trimmed = wsUrl.TrimEnd('/');
        if (trimmed.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
        {
            return string.Concat("ws://", trimmed.AsSpan(7));
        }
        return trimmed.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? string.Concat("wss://", trimmed.AsSpan(8)) : trimmed;
    }

    private static ByteString Gzip(byte[] plain)
    {
        using var packed = new MemoryStream(plain.Length);
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(plain);
        }
        return ByteString.CopyFrom(packed.GetBuffer(), 0, (int)packed.Length);
    }
}
