using System;
using Proxy.Core.Net;
using Proxy.Core.Time;

namespace Proxy.WebRtc.Ice;

/// <summary>One owner. One candidate pair: our only socket and one remote address, with the check that is under way.</summary>
internal struct IcePath
{
    public NetEndPoint Remote;

    /// <summary>When the next check of this pair is to be sent.</summary>
    public MonoTime NextCheck;

    /// <summary>When the last check was sent.</summary>
    public MonoTime LastSent;

    /// <summary>When the peer last proved itself on this pair: an authenticated request or response.</summary>
    public MonoTime LastHeard;

    public TransactionId Transaction;

    /// <summary>Transmissions of the running transaction; 0 when none runs.</summary>
    public int Attempts;

    /// <summary>The role that the running transaction was sent in.</summary>
    public bool IsSentControlling;

    /// <summary>An authenticated request came from there.</summary>
    public bool IsAuthenticated;

    /// <summary>Our own check got its answer.</summary>
    public bool IsValid;

    /// <summary>The controlling peer chose this pair.</summary>
    public bool IsNominated;

    /// <summary>The time of <see cref="NextCheck"/> has come.</summary>
    public bool IsDue;
}

/// <summary>Any thread. The 96 bits of a STUN transaction as a value.</summary>
internal readonly record struct TransactionId(ulong High, uint Low)
{
    public static TransactionId Read(ReadOnlySpan<byte> bytes) =>
        new(System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes), System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]));

    public void Write(Span<byte> bytes)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes[8..], Low);
    }
}
