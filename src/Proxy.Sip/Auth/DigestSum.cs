using System;
using System.Security.Cryptography;
using Proxy.Core.Hashing;

namespace Proxy.Sip.Auth;

/// <summary>One owner. Collects the texts of one hash in a caller's buffer and hashes them at once, without allocation.</summary>
internal ref struct DigestSum(DigestAlgorithm algorithm, Span<byte> space)
{
    /// <summary>More than a URI (2 KiB) and everything that stands beside it.</summary>
    public const int SpaceMax = 6_144;

    private readonly Span<byte> _space = space;
    private int _length;
    private bool _isFull;

    public void Add(scoped ReadOnlySpan<byte> text)
    {
        if (text.Length > _space.Length - _length)
        {
            _isFull = true;
            return;
        }
        text.CopyTo(_space[_length..]);
        _length += text.Length;
    }

    public void AddColon() => Add(":"u8);

    /// <returns>Hex digits written; 0 when the texts were too long, which matches nothing.</returns>
    public readonly int Finish(Span<byte> hex) => _isFull ? 0 : Hash(algorithm, _space[.._length], hex);

    public static int Hash(DigestAlgorithm algorithm, ReadOnlySpan<byte> data, Span<byte> hex)
    {
        Span<byte> hash = stackalloc byte[32];
        int length = 32;
        switch (algorithm)
        {
            case DigestAlgorithm.Md5:
                length = MD5.HashData(data, hash);
                break;
            case DigestAlgorithm.Sha256:
                SHA256.HashData(data, hash);
                break;
            default:
                Sha512T256.Hash(data, hash);
                break;
        }
        for (int i = 0; i < length; i++)
        {
            hex[2 * i] = "0123456789abcdef"u8[hash[i] >> 4];
            hex[(2 * i) + 1] = "0123456789abcdef"u8[hash[i] & 15];
        }
        return 2 * length;
    }
}
