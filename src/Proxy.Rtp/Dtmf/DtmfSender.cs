using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Rtp.Dtmf;

/// <summary>Any thread. One telephone-event packet to send, on the audio's SSRC and numbering.</summary>
/// <param name="Timestamp">The event's start; the same in all packets of an event.</param>
/// <param name="Marker">First packet of the event.</param>
/// <param name="Payload">Four bytes, big endian.</param>
public readonly record struct DtmfPacket(uint Timestamp, bool Marker, uint Payload);

/// <summary>Shard. Plays digits as RFC 4733 events on the 20 ms grid: 250 ms tone, 250 ms pause.</summary>
public sealed class DtmfSender
{
    /// <summary>Digits and pauses that may wait.</summary>
    public const int MaxQueued = 128;

    /// <summary>The most packets that one tick gives.</summary>
    public const int MaxPacketsPerTick = 3;

    /// <param name="clockHz">Clock of the telephone-event payload type.</param>
    public DtmfSender(int clockHz = 8000)
    {
    }

    /// <summary>Digits are waiting or sounding; audio is to pause while <see cref="IsSounding"/>.</summary>
    public bool IsActive => throw new NotImplementedException();

    /// <summary>An event is running on this tick.</summary>
    public bool IsSounding => throw new NotImplementedException();

    /// <summary>Queues <c>0–9 * # A–D a–d</c> and <c>w W</c> (half a second of pause).</summary>
    /// <returns>False when a character is none of these or the queue is too full; nothing is then queued.</returns>
    public bool TryQueue(ReadOnlySpan<char> digits) => throw new NotImplementedException();

    /// <summary>One step of the 20 ms grid; call exactly once a step while <see cref="IsActive"/>.</summary>
    /// <param name="timestamp">The audio stream's timestamp at this step, in this payload type's clock.</param>
    /// <param name="packets">Room for <see cref="MaxPacketsPerTick"/>.</param>
    /// <returns>Packets to send now: 0, 1, or 3 at an event's end.</returns>
    [NoAlloc]
    public int Tick(uint timestamp, Span<DtmfPacket> packets) => throw new NotImplementedException();
}
