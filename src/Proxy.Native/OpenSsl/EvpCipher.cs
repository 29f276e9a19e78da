using System;
using System.Runtime.InteropServices;
using Proxy.Core.Diagnostics;

namespace Proxy.Native.OpenSsl;

/// <summary>Any thread. The ciphers that SRTP needs.</summary>
public enum EvpAlgorithm
{
    Aes128Ctr,
    Aes256Ctr,
    Aes128Gcm,
    Aes256Gcm,
}

/// <summary>One owner. A keyed cipher in one direction; each packet only sets a new IV.</summary>
/// <remarks>
/// The algorithm is fetched once a process and the cipher argument stays null afterwards: an implicit fetch takes locks.
/// No result is read from OpenSSL's error queue here; a failure clears it, so that the next TLS call on this thread does not
/// take our failure for its own.
/// </remarks>
public sealed unsafe class EvpCipher : SafeHandle
{
    private const int SetIvLength = 0x9;
    private const int GetTag = 0x10;
    private const int SetTag = 0x11;
    private const int TagBytes = 16;

    private static readonly nint[] s_ciphers =
    [
        Fetch("AES-128-CTR\0"u8), Fetch("AES-256-CTR\0"u8), Fetch("AES-128-GCM\0"u8), Fetch("AES-256-GCM\0"u8),
    ];

    private readonly bool _isAead;
    private readonly int _ivBytes;

    /// <param name="key">16 or 32 bytes, as the algorithm wants.</param>
    /// <param name="encrypts">Direction; CTR is the same both ways.</param>
    /// <exception cref="ArgumentException">The key's length does not fit.</exception>
    /// <exception cref="InvalidOperationException">OpenSSL refused.</exception>
    public EvpCipher(EvpAlgorithm algorithm, ReadOnlySpan<byte> key, bool encrypts)
        : base(0, ownsHandle: true)
    {
        int keyBytes = algorithm is EvpAlgorithm.Aes128Ctr or EvpAlgorithm.Aes128Gcm ? 16 : 32;
        if (key.Length != keyBytes)
        {
            throw new ArgumentException("the key's length does not fit the cipher", nameof(key));
        }
        _isAead = algorithm >= EvpAlgorithm.Aes128Gcm;
        _ivBytes = _isAead ? 12 : 16;
        nint cipher = s_ciphers[(int)algorithm];
        SetHandle(EvpImports.EVP_CIPHER_CTX_new());
        fixed (byte* keyPointer = key)
        {
            int direction = encrypts ? 1 : 0;
            bool isReady = cipher != 0 && handle != 0
                && EvpImports.EVP_CipherInit_ex(handle, cipher, 0, null, null, direction) == 1
                && (!_isAead || EvpImports.EVP_CIPHER_CTX_ctrl(handle, SetIvLength, 12, null) == 1)
                && EvpImports.EVP_CipherInit_ex(handle, 0, 0, keyPointer, null, direction) == 1;
            if (!isReady)
            {
                EvpImports.ERR_clear_error();
                Dispose();
                throw new InvalidOperationException("OpenSSL refused the cipher " + algorithm);
            }
        }
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>CTR: encrypts or decrypts in place.</summary>
    /// <param name="iv">16 bytes: the first counter block.</param>
    /// <returns>False when OpenSSL failed; the data is then undefined.</returns>
    [NoAlloc]
    public bool Transform(ReadOnlySpan<byte> iv, Span<byte> data)
    {
        Invariant.Holds(!_isAead && iv.Length == _ivBytes && !IsClosed, "CTR gets 16 bytes of counter");
        fixed (byte* ivPointer = iv, pointer = data)
        {
            int written;
            bool isDone = EvpImports.EVP_CipherInit_ex(handle, 0, 0, null, ivPointer, -1) == 1
                && (data.IsEmpty || EvpImports.EVP_CipherUpdate(handle, pointer, &written, pointer, data.Length) == 1);
            GC.KeepAlive(this);
            return isDone || Failed();
        }
    }

    /// <summary>GCM: encrypts in place and writes the tag.</summary>
    /// <param name="iv">12 bytes, never used before with this key.</param>
    /// <param name="associated">Authenticated, not encrypted.</param>
    /// <param name="data">May be empty.</param>
    /// <param name="tag">Takes 16 bytes.</param>
    /// <returns>False when OpenSSL failed; the data is then undefined.</returns>
    [NoAlloc]
    public bool Seal(ReadOnlySpan<byte> iv, ReadOnlySpan<byte> associated, Span<byte> data, Span<byte> tag)
    {
        Invariant.Holds(_isAead && iv.Length == _ivBytes && tag.Length == TagBytes && !IsClosed, "GCM gets 12 bytes of IV and gives 16 of tag");
        fixed (byte* ivPointer = iv, associatedPointer = associated, pointer = data, tagPointer = tag)
        {
            int written;
            bool isDone = EvpImports.EVP_CipherInit_ex(handle, 0, 0, null, ivPointer, -1) == 1
                && (associated.IsEmpty || EvpImports.EVP_CipherUpdate(handle, null, &written, associatedPointer, associated.Length) == 1)
                && (data.IsEmpty || EvpImports.EVP_CipherUpdate(handle, pointer, &written, pointer, data.Length) == 1)
                && EvpImports.EVP_CipherFinal_ex(handle, tagPointer, &written) == 1
                && EvpImports.EVP_CIPHER_CTX_ctrl(handle, GetTag, TagBytes, tagPointer) == 1;
            GC.KeepAlive(this);
            return isDone || Failed();
        }
    }

    /// <summary>GCM: decrypts in place and checks the tag.</summary>
    /// <returns>False when the tag does not fit; the data is then undefined and must not be used.</returns>
    [NoAlloc]
    public bool Open(ReadOnlySpan<byte> iv, ReadOnlySpan<byte> associated, Span<byte> data, ReadOnlySpan<byte> tag)
    {
        Invariant.Holds(_isAead && iv.Length == _ivBytes && tag.Length == TagBytes && !IsClosed, "GCM gets 12 bytes of IV and 16 of tag");
        byte* last = stackalloc byte[TagBytes];
        fixed (byte* ivPointer = iv, associatedPointer = associated, pointer = data, tagPointer = tag)
        {
            int written;
            bool isDone = EvpImports.EVP_CipherInit_ex(handle, 0, 0, null, ivPointer, -1) == 1
                && EvpImports.EVP_CIPHER_CTX_ctrl(handle, SetTag, TagBytes, tagPointer) == 1
                && (associated.IsEmpty || EvpImports.EVP_CipherUpdate(handle, null, &written, associatedPointer, associated.Length) == 1)
                && (data.IsEmpty || EvpImports.EVP_CipherUpdate(handle, pointer, &written, pointer, data.Length) == 1)
                && EvpImports.EVP_CipherFinal_ex(handle, last, &written) == 1;
            GC.KeepAlive(this);
            return isDone || Failed();
        }
    }

    protected override bool ReleaseHandle()
    {
        EvpImports.EVP_CIPHER_CTX_free(handle);
        return true;
    }

    private static bool Failed()
    {
        EvpImports.ERR_clear_error();
        return false;
    }

    private static nint Fetch(ReadOnlySpan<byte> name)
    {
        fixed (byte* pointer = name)
        {
            nint cipher = EvpImports.EVP_CIPHER_fetch(0, pointer, null);
            if (cipher == 0)
            {
                EvpImports.ERR_clear_error();
            }
            return cipher;
        }
    }
}
