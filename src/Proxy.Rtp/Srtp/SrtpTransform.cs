using System;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Proxy.Core.Diagnostics;
using Proxy.Native.OpenSsl;

namespace Proxy.Rtp.Srtp;

/// <summary>One owner. The ciphers of one direction, for RTP or for RTCP; knows nothing of replay and of sources.</summary>
/// <remarks>
/// Session keys depend on the master key alone, so that one cipher serves all SSRCs of a direction; the SSRC is in the IV.
/// RFC 3711 §4.1.1 and §4.2.1, RFC 7714 §8 and §9.
/// </remarks>
internal sealed class SrtpTransform : IDisposable
{
    private readonly EvpCipher _cipher;
    private readonly EvpHmacSha1? _hmac;
    private Salt _salt;

    /// <param name="parameters">The profile's lengths.</param>
    /// <param name="master">The master key, borrowed.</param>
    /// <param name="masterSalt">12 or 14 bytes.</param>
    public SrtpTransform(in SrtpParameters parameters, EvpCipher master, ReadOnlySpan<byte> masterSalt, bool isRtcp, bool isSender)
    {
        TagBytes = isRtcp ? parameters.RtcpTagBytes : parameters.RtpTagBytes;
        Span<byte> key = stackalloc byte[parameters.KeyBytes];
        SrtpKeys.Derive(master, masterSalt, isRtcp ? SrtpKeys.RtcpEncryption : SrtpKeys.RtpEncryption, key);
        bool isLong = parameters.KeyBytes == 32;
        if (parameters.IsAead)
        {
            _cipher = new EvpCipher(isLong ? EvpAlgorithm.Aes256Gcm : EvpAlgorithm.Aes128Gcm, key, isSender);
        }
        else
        {
            _cipher = new EvpCipher(isLong ? EvpAlgorithm.Aes256Ctr : EvpAlgorithm.Aes128Ctr, key, encrypts: true);
            Span<byte> authentication = stackalloc byte[EvpHmacSha1.TagBytes];
            SrtpKeys.Derive(master, masterSalt, isRtcp ? SrtpKeys.RtcpAuthentication : SrtpKeys.RtpAuthentication, authentication);
            _hmac = new EvpHmacSha1(authentication);
            CryptographicOperations.ZeroMemory(authentication);
        }
        CryptographicOperations.ZeroMemory(key);
        Span<byte> salt = _salt;
        SrtpKeys.Derive(master, masterSalt, isRtcp ? SrtpKeys.RtcpSalt : SrtpKeys.RtpSalt, salt[..parameters.SaltBytes]);
    }

    public int TagBytes { get; }

    public bool IsAead => _hmac is null;

    /// <summary>Encrypts a packet's payload in place and puts the tag behind it.</summary>
    /// <param name="packet">Header, payload, and exactly <see cref="TagBytes"/> of room.</param>
    /// <param name="index">48 bits: rollover counter and sequence number.</param>
    [NoAlloc]
    public bool ProtectRtp(Span<byte> packet, int headerLength, uint ssrc, ulong index)
    {
        Span<byte> data = packet[headerLength..^TagBytes];
        Span<byte> tag = packet[^TagBytes..];
        Span<byte> iv = stackalloc byte[16];
        if (IsAead)
        {
            WriteAeadIv(iv, ssrc, index);
            return _cipher.Seal(iv[..12], packet[..headerLength], data, tag);
        }
        WriteCounter(iv, ssrc, index);
        return _cipher.Transform(iv, data) && Tag(packet[..^TagBytes], (uint)(index >> 16), tag);
    }

    /// <summary>Checks the tag and decrypts the payload in place.</summary>
    /// <returns>False when the tag does not fit; the packet is then not to be used.</returns>
    [NoAlloc]
    public bool UnprotectRtp(Span<byte> packet, int headerLength, uint ssrc, ulong index)
    {
        Span<byte> data = packet[headerLength..^TagBytes];
        Span<byte> tag = packet[^TagBytes..];
        Span<byte> iv = stackalloc byte[16];
        if (IsAead)
        {
            WriteAeadIv(iv, ssrc, index);
            return _cipher.Open(iv[..12], packet[..headerLength], data, tag);
        }
        if (!HasTag(packet[..^TagBytes], (uint)(index >> 16), tag))
        {
            return false;
        }
        WriteCounter(iv, ssrc, index);
        return _cipher.Transform(iv, data);
    }

    /// <summary>Encrypts a compound packet in place; tag and index word go behind it, in the profile's order.</summary>
    /// <param name="packet">The plain packet, and exactly <see cref="TagBytes"/> + 4 of room.</param>
    /// <param name="index">31 bits.</param>
    [NoAlloc]
    public bool ProtectRtcp(Span<byte> packet, uint ssrc, uint index)
    {
        int plain = packet.Length - TagBytes - 4;
        Span<byte> iv = stackalloc byte[16];
        if (IsAead)
        {
            BinaryPrimitives.WriteUInt32BigEndian(packet[^4..], 0x8000_0000 | index);
            Span<byte> associated = stackalloc byte[12];
            packet[..8].CopyTo(associated);
            packet[^4..].CopyTo(associated[8..]);
            WriteAeadIv(iv, ssrc, index);
            return _cipher.Seal(iv[..12], associated, packet[8..plain], packet.Slice(plain, TagBytes));
        }
        BinaryPrimitives.WriteUInt32BigEndian(packet[plain..], 0x8000_0000 | index);
        WriteCounter(iv, ssrc, index);
        if (!_cipher.Transform(iv, packet[8..plain]))
        {
            return false;
        }
        Span<byte> full = stackalloc byte[EvpHmacSha1.TagBytes];
        _hmac!.Compute(packet[..(plain + 4)], default, full);
        full[..TagBytes].CopyTo(packet[(plain + 4)..]);
        return true;
    }

    /// <summary>Checks the tag and decrypts a compound packet in place.</summary>
    /// <param name="packet">As it came, at least 8 + tag + 4 bytes.</param>
    [NoAlloc]
    public bool UnprotectRtcp(Span<byte> packet, uint ssrc, uint index)
    {
        int plain = packet.Length - TagBytes - 4;
        Span<byte> iv = stackalloc byte[16];
        if (IsAead)
        {
            Span<byte> associated = stackalloc byte[12];
            packet[..8].CopyTo(associated);
            packet[^4..].CopyTo(associated[8..]);
            WriteAeadIv(iv, ssrc, index);
            return _cipher.Open(iv[..12], associated, packet[8..plain], packet.Slice(plain, TagBytes));
        }
        Span<byte> full = stackalloc byte[EvpHmacSha1.TagBytes];
        _hmac!.Compute(packet[..(plain + 4)], default, full);
        if (!CryptographicOperations.FixedTimeEquals(full[..TagBytes], packet[(plain + 4)..]))
        {
            return false;
        }
        WriteCounter(iv, ssrc, index);
        return _cipher.Transform(iv, packet[8..plain]);
    }

    public void Dispose()
    {
        _cipher.Dispose();
        _hmac?.Dispose();
        _salt = default;
    }

    private bool Tag(ReadOnlySpan<byte> authenticated, uint rollover, Span<byte> tag)
    {
        Span<byte> counter = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(counter, rollover);
        Span<byte> full = stackalloc byte[EvpHmacSha1.TagBytes];
        _hmac!.Compute(authenticated, counter, full);
        full[..TagBytes].CopyTo(tag);
        return true;
    }

    private bool HasTag(ReadOnlySpan<byte> authenticated, uint rollover, ReadOnlySpan<byte> tag)
    {
        Span<byte> expected = stackalloc byte[TagBytes];
        Tag(authenticated, rollover, expected);
        return CryptographicOperations.FixedTimeEquals(expected, tag);
    }

    /// <summary>salt·2^16 ⊕ SSRC·2^64 ⊕ index·2^16.</summary>
    private void WriteCounter(Span<byte> iv, uint ssrc, ulong index)
    {
        ReadOnlySpan<byte> salt = _salt;
        ulong high = BinaryPrimitives.ReadUInt64BigEndian(salt) ^ ssrc;
        ulong low = (BinaryPrimitives.ReadUInt64BigEndian(salt[8..]) & 0xFFFF_FFFF_FFFF_0000) ^ (index << 16);
        BinaryPrimitives.WriteUInt64BigEndian(iv, high);
        BinaryPrimitives.WriteUInt64BigEndian(iv[8..], low);
    }

    /// <summary>salt ⊕ (00 00, SSRC, 48-bit index).</summary>
    private void WriteAeadIv(Span<byte> iv, uint ssrc, ulong index)
    {
        ReadOnlySpan<byte> salt = _salt;
        ulong first = ((ulong)ssrc << 16) | ((index >> 32) & 0xFFFF);
        BinaryPrimitives.WriteUInt64BigEndian(iv, BinaryPrimitives.ReadUInt64BigEndian(salt) ^ first);
        BinaryPrimitives.WriteUInt32BigEndian(iv[8..], BinaryPrimitives.ReadUInt32BigEndian(salt[8..]) ^ (uint)index);
    }

    [InlineArray(16)]
    private struct Salt
    {
        private byte _byte;
    }
}
