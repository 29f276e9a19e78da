using System;
using Proxy.Core.Time;

namespace Proxy.WebRtc.Sctp;

/// <summary>The life of an association.</summary>
public enum SctpState
{
    /// <summary>Not started, or the handshake runs.</summary>
    Connecting,

    Established,

    /// <summary>Aborted, shut down, or the peer no longer answers.</summary>
    Ended,
}

/// <summary>A whole message.</summary>
/// <param name="Stream">Stream identifier.</param>
/// <param name="Ppid">Payload protocol identifier, host order.</param>
/// <param name="Payload">Ours to keep.</param>
public readonly record struct SctpMessage(ushort Stream, uint Ppid, byte[] Payload);

/// <summary>How a message is sent.</summary>
/// <param name="IsOrdered">Within its stream.</param>
/// <param name="MaxRetransmits">0 and more: given up after so many retransmissions (RFC 7496 §3.2); -1: never.</param>
public readonly record struct SctpDelivery(bool IsOrdered, int MaxRetransmits);

/// <summary>One owner. One SCTP association over packets that the owner encrypts and carries (RFC 8261).</summary>
public interface ISctp
{
    SctpState State { get; }

    MonoTime NextDeadline { get; }

    /// <summary>Sends INIT; both sides may do so at once.</summary>
    void Start(MonoTime now);

    /// <summary>Takes one packet; what is wrong with it is counted, never thrown.</summary>
    void HandlePacket(ReadOnlySpan<byte> packet, MonoTime now);

    void HandleTimeout(MonoTime now);

    /// <summary>Next packet to send; drain until false.</summary>
    /// <param name="buffer">At least <see cref="SctpLimits.PacketBytes"/>.</param>
    bool TryPollPacket(Span<byte> buffer, MonoTime now, out int length);

    /// <summary>Queues a message.</summary>
    /// <param name="payload">1 byte and more.</param>
    /// <returns>False when not established or the send buffer has no room for all of it.</returns>
    bool TrySend(ushort stream, uint ppid, ReadOnlySpan<byte> payload, SctpDelivery delivery, MonoTime now);

    /// <summary>Next whole message; drain until false.</summary>
    bool TryReceive(out SctpMessage message);

    /// <summary>Next stream that the peer has reset; drain until false.</summary>
    bool TryPollReset(out ushort stream);

    /// <summary>Sends ABORT and ends.</summary>
    void Abort(MonoTime now);
}
