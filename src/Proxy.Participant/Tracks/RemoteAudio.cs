using System;
using System.Collections.Generic;
using Proxy.Core.Diagnostics;
using Proxy.Core.Time;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Rtcp;

namespace Proxy.Participant.Tracks;

/// <summary>Shard. One remote audio track's slot: who it is, which codecs may come, how it arrives.</summary>
public sealed class RemoteAudio
{
    private const byte NoCodec = 0xFF;

    private readonly byte[] _codecs = new byte[128];
    private ReceiveStatistics _narrow = new(8_000);
    private ReceiveStatistics _opus = new(48_000);
    private ReceiveStatistics _last;

    internal RemoteAudio()
    {
        _last = _opus;
        Array.Fill(_codecs, NoCodec);
    }

    /// <summary>A track is in it.</summary>
    public bool IsTaken { get; private set; }

    /// <summary>Counts the slot's tenants: when it differs from what was seen last, jitter buffer and decoder start anew.</summary>
    public uint Generation { get; private set; }

    public uint Ssrc { get; private set; }

    public string TrackSid { get; private set; } = "";

    /// <summary>The publisher's identity; empty while unknown.</summary>
    public string Identity { get; private set; } = "";

    /// <summary>How the track arrives, in the clock of its last codec.</summary>
    public ReceiveStatistics Statistics => _last;

    /// <summary>Which codec a payload type means here.</summary>
    /// <returns>False for one that the answer does not list.</returns>
    [NoAlloc]
    public bool TryGetCodec(byte payloadType, out RoomCodec codec)
    {
        byte found = payloadType < _codecs.Length ? _codecs[payloadType] : NoCodec;
        codec = (RoomCodec)found;
        return found != NoCodec;
    }

    internal void Take(DownTrack track)
    {
        Generation++;
        IsTaken = true;
        Ssrc = track.Ssrc;
        _narrow = new ReceiveStatistics(8_000);
        _opus = new ReceiveStatistics(48_000);
        _last = _opus;
        Describe(track);
    }

    internal void Describe(DownTrack track)
    {
        TrackSid = track.TrackSid;
        Identity = track.Identity;
        Array.Fill(_codecs, NoCodec);
        IReadOnlyList<PayloadCodec> codecs = track.Codecs;
        for (int i = 0; i < codecs.Count; i++)
        {
            _codecs[codecs[i].PayloadType & 0x7F] = (byte)codecs[i].Codec;
        }
    }

    internal void Free()
    {
        IsTaken = false;
        Ssrc = 0;
        TrackSid = "";
        Identity = "";
    }

    [NoAlloc]
    internal void OnPacket(in RtpView packet, RoomCodec codec, MonoTime now)
    {
        _last = codec == RoomCodec.Opus ? _opus : _narrow;
        _last.OnPacket(packet.Ssrc, packet.SequenceNumber, packet.Timestamp, now);
    }
}
