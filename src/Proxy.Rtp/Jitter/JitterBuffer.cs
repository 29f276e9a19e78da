using System;
using Proxy.Core;
using Proxy.Core.Diagnostics;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Packets;

namespace Proxy.Rtp.Jitter;

/// <summary>What became of a packet that was pushed.</summary>
public enum PushVerdict
{
    /// <summary>Kept.</summary>
    Stored,

    /// <summary>Kept; a new source or a jump in the numbering: what was waiting is gone.</summary>
    Restarted,

    /// <summary>Seen before.</summary>
    Duplicate,

    /// <summary>Its time is over.</summary>
    Late,

    /// <summary>Another SSRC while the known one is alive.</summary>
    Foreign,

    /// <summary>A jump in the numbering that the next packet has to confirm.</summary>
    Suspect,

    /// <summary>Longer than a slot, or the shard's slab is out of slots.</summary>
    NoRoom,

    /// <summary>A payload type that was not negotiated.</summary>
    UnknownPayload,
}

/// <summary>What <see cref="JitterBuffer.Pop"/> gives.</summary>
public enum PopResult
{
    /// <summary>A packet's payload.</summary>
    Frame,

    /// <summary>A packet is missing and its time has come; if the following packet is there, its payload is given for redundancy.</summary>
    Lost,

    /// <summary>Nothing to play: not started, a pause of the sender, or the network is late.</summary>
    Empty,
}

/// <summary>What goes with a <see cref="PopResult"/>.</summary>
/// <param name="PayloadType">Of the packet.</param>
/// <param name="Length">Payload bytes that were copied.</param>
/// <param name="Timestamp">RTP units.</param>
/// <param name="Ticks">Of <see cref="PopResult.Lost"/>: how much is missing, RTP units.</param>
public readonly record struct PoppedFrame(byte PayloadType, int Length, uint Timestamp, int Ticks);

/// <summary>Shard. Puts packets in order and holds them as long as the network's jitter needs, between bounds.</summary>
public sealed class JitterBuffer : IDisposable
{
    /// <param name="slab">The shard's packet memory; its slots hold one payload each.</param>
    /// <param name="clockHz">RTP clock of the stream.</param>
    public JitterBuffer(Limits limits, PacketSlab slab, int clockHz)
    {
    }

    [NoAlloc]
    public PushVerdict Push(in RtpView packet, MonoTime now) => throw new NotImplementedException();

    /// <summary>Takes the next piece; called when the player needs it, so what is missing now is lost.</summary>
    [NoAlloc]
    public PopResult Pop(MonoTime now, Span<byte> payload, out PoppedFrame frame) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
