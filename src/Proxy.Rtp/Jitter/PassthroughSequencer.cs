using System;
using Proxy.Core;
using Proxy.Core.Diagnostics;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Packets;

namespace Proxy.Rtp.Jitter;

/// <summary>What became of a packet that was given to the <see cref="PassthroughSequencer"/>.</summary>
public enum PassthroughVerdict
{
    /// <summary>Send it now with the header given; then drain <see cref="PassthroughSequencer.TryPoll"/>.</summary>
    Forward,

    /// <summary>As <see cref="Forward"/>; the caller's stream started anew and was joined to our numbering.</summary>
    ForwardRestarted,

    /// <summary>Kept, because a packet before it is missing; it comes out of <see cref="PassthroughSequencer.TryPoll"/>.</summary>
    Held,

    /// <summary>Seen before.</summary>
    Duplicate,

    /// <summary>Its place was given up.</summary>
    Late,

    /// <summary>Another SSRC while the known one is alive.</summary>
    Foreign,

    /// <summary>A jump in the numbering that the next packet has to confirm.</summary>
    Suspect,

    /// <summary>Too long to be held, or the shard's slab is out of slots.</summary>
    NoRoom,

    /// <summary>Taken out by us; the numbering closes over it.</summary>
    TakenOut,
}

/// <summary>Shard. Renumbers a caller's stream for the room without a playout clock: in order at once, a hole waits a little.</summary>
/// <remarks>
/// The receiver conceals what the network lost, so holes stay; only what we take out ourselves is closed. Timestamps follow the caller.
/// </remarks>
public sealed class PassthroughSequencer : IDisposable
{
    /// <param name="slab">The shard's packet memory, for packets that wait.</param>
    /// <param name="clockHz">RTP clock of the stream.</param>
    /// <param name="firstSequence">Our numbering's start; random (RFC 3550 §5.1).</param>
    /// <param name="firstTimestamp">Our timestamps' start; random.</param>
    public PassthroughSequencer(Limits limits, PacketSlab slab, int clockHz, ushort firstSequence, uint firstTimestamp)
    {
    }

    /// <summary>When a hole is given up; <see cref="MonoTime.Never"/> while none waits.</summary>
    public MonoTime NextDeadline => throw new NotImplementedException();

    /// <summary>Gives a packet that belongs into the room.</summary>
    /// <param name="forward">Of Forward and ForwardRestarted: payload type as given, marker, our sequence number and timestamp, SSRC 0.</param>
    [NoAlloc]
    public PassthroughVerdict Push(in RtpView packet, MonoTime now, out RtpHeader forward) => throw new NotImplementedException();

    /// <summary>Says that a packet of the same stream does not go into the room (comfort noise, telephone-event).</summary>
    [NoAlloc]
    public PassthroughVerdict TakeOut(in RtpView packet, MonoTime now) => throw new NotImplementedException();

    /// <summary>Takes a held packet whose turn has come; call until false after every <see cref="Push"/>, <see cref="TakeOut"/> and deadline.</summary>
    /// <param name="payload">Takes the payload; 1,500 bytes are enough.</param>
    [NoAlloc]
    public bool TryPoll(MonoTime now, Span<byte> payload, out int length, out RtpHeader forward) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
