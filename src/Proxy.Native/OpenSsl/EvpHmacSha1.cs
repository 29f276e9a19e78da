using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Proxy.Core.Diagnostics;

namespace Proxy.Native.OpenSsl;

/// <summary>One owner. HMAC-SHA1 with the key's two pads hashed beforehand: a tag costs two copies of 96 bytes and the message.</summary>
/// <remarks>
/// RFC 2104 §4. The old SHA1_* functions work on a state that can be copied, EVP_MAC and EVP_MD do not without allocating.
/// Their state's layout (SHA_CTX: five words, length, block, count) has been the same since OpenSSL 0.9.7.
/// </remarks>
public sealed unsafe class EvpHmacSha1 : IDisposable
{
    public const int TagBytes = 20;
    private const int BlockBytes = 64;

    private Sha1State _inner;
    private Sha1State _outer;

    /// <param name="key">At most 64 bytes.</param>
    /// <exception cref="ArgumentException">The key is longer.</exception>
    public EvpHmacSha1(ReadOnlySpan<byte> key)
    {
        if (key.Length > BlockBytes)
        {
            throw new ArgumentException("a longer key would have to be hashed first", nameof(key));
        }
        Span<byte> pad = stackalloc byte[BlockBytes];
        Pad(key, pad, 0x36);
        Start(ref _inner, pad);
        Pad(key, pad, 0x5C);
        Start(ref _outer, pad);
        CryptographicOperations.ZeroMemory(pad);
    }

    /// <summary>Tags two pieces one after the other.</summary>
    /// <param name="second">Empty when there is only one.</param>
    /// <param name="tag">Takes 20 bytes.</param>
    [NoAlloc]
    public void Compute(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, Span<byte> tag)
    {
        Invariant.Holds(tag.Length == TagBytes, "an HMAC-SHA1 tag has 20 bytes");
        Sha1State state = _inner;
        fixed (byte* firstPointer = first, secondPointer = second, tagPointer = tag)
        {
            EvpImports.SHA1_Update(&state, firstPointer, (nuint)first.Length);
            if (!second.IsEmpty)
            {
                EvpImports.SHA1_Update(&state, secondPointer, (nuint)second.Length);
            }
            EvpImports.SHA1_Final(tagPointer, &state);
            state = _outer;
            EvpImports.SHA1_Update(&state, tagPointer, TagBytes);
            EvpImports.SHA1_Final(tagPointer, &state);
        }
    }

    public void Dispose()
    {
        _inner = default;
        _outer = default;
    }

    private static void Pad(ReadOnlySpan<byte> key, Span<byte> pad, byte value)
    {
        pad.Fill(value);
        for (int i = 0; i < key.Length; i++)
        {
            pad[i] ^= key[i];
        }
    }

    private static void Start(ref Sha1State state, ReadOnlySpan<byte> pad)
    {
        fixed (Sha1State* pointer = &state)
        fixed (byte* padPointer = pad)
        {
            EvpImports.SHA1_Init(pointer);
            EvpImports.SHA1_Update(pointer, padPointer, BlockBytes);
        }
    }

    /// <summary>SHA_CTX is 96 bytes; the rest is room in case a build differs.</summary>
    [InlineArray(12)]
    private struct Sha1State
    {
        private ulong _word;
    }
}
