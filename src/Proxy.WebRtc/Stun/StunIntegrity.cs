using System;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Proxy.Core.Diagnostics;

namespace Proxy.WebRtc.Stun;

/// <summary>One owner. HMAC-SHA1 with one ICE password, its key schedule kept between messages.</summary>
/// <remarks>RFC 8489 §14.5, short-term credentials: the key is the password itself (ICE passwords are ASCII, so SASLprep changes nothing).</remarks>
public sealed class StunIntegrity : IDisposable
{
    public const int Length = 20;

    private readonly IncrementalHash _hmac;

    /// <param name="password">The whole key; for long-term credentials give the digested key to the other constructor.</param>
    public StunIntegrity(string password)
        : this(Encoding.UTF8.GetBytes(password))
    {
    }

    public StunIntegrity(byte[] key) => _hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA1, key);

    /// <summary>Computes the value over a message whose attribute begins at <paramref name="attribute"/>.</summary>
    /// <param name="message">From the header on; its length field is read as if the attribute ended the message.</param>
    /// <param name="attribute">Offset of the MESSAGE-INTEGRITY attribute.</param>
    /// <param name="value">20 bytes.</param>
    [NoAlloc]
    public void Compute(ReadOnlySpan<byte> message, int attribute, Span<byte> value)
    {
        Span<byte> head = stackalloc byte[4];
        message[..2].CopyTo(head);
        BinaryPrimitives.WriteUInt16BigEndian(head[2..], (ushort)(attribute + 4 + Length - StunView.HeaderLength));
        _hmac.AppendData(head);
        _hmac.AppendData(message[4..attribute]);
        _hmac.GetHashAndReset(value);
    }

    /// <summary>Compares in constant time.</summary>
    [NoAlloc]
    public bool Verify(ReadOnlySpan<byte> message, int attribute)
    {
        Span<byte> expected = stackalloc byte[Length];
        Compute(message, attribute, expected);
        return CryptographicOperations.FixedTimeEquals(expected, message.Slice(attribute + 4, Length));
    }

    public void Dispose() => _hmac.Dispose();
}
