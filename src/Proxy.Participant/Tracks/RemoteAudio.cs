using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Participant.Tracks;

/// <summary>Shard. One remote audio track's slot: who it is, which codecs may come, how it arrives.</summary>
public sealed class RemoteAudio
{
    internal RemoteAudio()
    {
    }

    /// <summary>A track is in it.</summary>
    public bool IsTaken => throw new NotImplementedException();

    /// <summary>Counts the slot's tenants: when it differs from what was seen last, jitter buffer and decoder start anew.</summary>
    public uint Generation => throw new NotImplementedException();

    public uint Ssrc => throw new NotImplementedException();

    public string TrackSid => throw new NotImplementedException();

    public string Identity => throw new NotImplementedException();

    public long PacketsReceived => throw new NotImplementedException();

    /// <summary>Packets expected by sequence number minus received; never negative.</summary>
    public long PacketsLost => throw new NotImplementedException();

    /// <summary>Interarrival jitter in RTP units of the last codec (RFC 3550 §6.4.1).</summary>
    public uint Jitter => throw new NotImplementedException();

    /// <summary>Which codec a payload type means here.</summary>
    /// <returns>False for one that the answer does not list.</returns>
    [NoAlloc]
    public bool TryGetCodec(byte payloadType, out RoomCodec codec) => throw new NotImplementedException();
}
