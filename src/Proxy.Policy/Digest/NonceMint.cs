using System;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Proxy.Policy.Digest;

/// <summary>Any thread. What a nonce turned out to be.</summary>
internal enum NonceState
{
    /// <summary>Not one of ours.</summary>
    Foreign,

    /// <summary>Ours, but older than a nonce may be.</summary>
    Expired,
    Good,
}

/// <summary>
/// Signal thread. Makes and reads nonces that need no memory: issue time, 96 bits that nobody can guess, and an HMAC over both and
/// the realm, under a key that every node with the same secret derives.
/// </summary>
/// <remarks>RFC 7616 §3.3 (nonce), §5.10. A nonce is valid from any address: carriers answer from another host than they asked from.</remarks>
internal sealed class NonceMint
{
    public const int LifeSeconds = 60;

    private const int TimeBytes = 8;
    private const int UniqueBytes = 12;
    private const int TagBytes = 16;
    private const int AllBytes = TimeBytes + UniqueBytes + TagBytes;
    private const int SkewMillis = 5_000;

    private readonly byte[] _key;

    public NonceMint(byte[] secret) => _key = HMACSHA256.HashData(secret, "siproom nonce"u8);

    /// <param name="realm">The realm it is for.</param>
    /// <param name="callId">Our call id, random for each call; with the time it makes the nonce unique: a call that is asked twice must
    /// be able to answer both with a count of one.</param>
    /// <param name="utc">Now.</param>
    public string Make(string realm, string callId, DateTimeOffset utc)
    {
        Span<byte> nonce = stackalloc byte[AllBytes];
        Span<byte> hash = stackalloc byte[32];
        BinaryPrimitives.WriteInt64BigEndian(nonce, utc.ToUnixTimeMilliseconds());
        HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"unique\0{callId}\0{utc.ToUnixTimeMilliseconds()}"), hash);
        hash[..UniqueBytes].CopyTo(nonce[TimeBytes..]);
        Sign(nonce[..(TimeBytes + UniqueBytes)], realm, hash);
        hash[..TagBytes].CopyTo(nonce[(TimeBytes + UniqueBytes)..]);
        return Base64Url.EncodeToString(nonce);
    }

    /// <param name="nonce">As offered.</param>
    /// <param name="realm">The realm it must be for.</param>
    /// <param name="utc">Now.</param>
    /// <param name="key">The 96 unique bits folded to 64: the name of the nonce in the table of used ones.</param>
    /// <param name="issuedMs">Unix milliseconds of its issue.</param>
    public NonceState Read(string nonce, string realm, DateTimeOffset utc, out ulong key, out long issuedMs)
    {
        key = 0;
        issuedMs = 0;
        Span<byte> bytes = stackalloc byte[AllBytes];
        if (nonce.Length != 48 || !Base64Url.TryDecodeFromChars(nonce, bytes, out int written) || written != AllBytes)
        {
            return NonceState.Foreign;
        }
        Span<byte> hash = stackalloc byte[32];
        Sign(bytes[..(TimeBytes + UniqueBytes)], realm, hash);
        if (!CryptographicOperations.FixedTimeEquals(hash[..TagBytes], bytes[(TimeBytes + UniqueBytes)..]))
        {
            return NonceState.Foreign;
        }
        issuedMs = BinaryPrimitives.ReadInt64BigEndian(bytes);
        key = BinaryPrimitives.ReadUInt64BigEndian(bytes[TimeBytes..]) ^ ((ulong)BinaryPrimitives.ReadUInt32BigEndian(bytes[(TimeBytes + 8)..]) << 16);
        long age = utc.ToUnixTimeMilliseconds() - issuedMs;
        return age is >= -SkewMillis and <= LifeSeconds * 1000 ? NonceState.Good : NonceState.Expired;
    }

    private void Sign(ReadOnlySpan<byte> body, string realm, Span<byte> hash)
    {
        Span<byte> message = stackalloc byte[TimeBytes + UniqueBytes + 32];
        body.CopyTo(message);
        SHA256.HashData(Encoding.UTF8.GetBytes(realm), message[(TimeBytes + UniqueBytes)..]);
        HMACSHA256.HashData(_key, message, hash);
    }
}
