using System;
using System.Security.Cryptography;
using Proxy.Native.OpenSsl;

namespace Proxy.Rtp.Srtp;

/// <summary>One owner. Session keys from a master key and salt: AES in counter mode over a label.</summary>
/// <remarks>RFC 3711 §4.3 (key derivation rate 0), RFC 6188 §3, RFC 7714 §11.</remarks>
internal static class SrtpKeys
{
    public const byte RtpEncryption = 0;
    public const byte RtpAuthentication = 1;
    public const byte RtpSalt = 2;
    public const byte RtcpEncryption = 3;
    public const byte RtcpAuthentication = 4;
    public const byte RtcpSalt = 5;

    /// <summary>The master key, ready to derive session keys.</summary>
    /// <param name="masterKey">16 or 32 bytes.</param>
    public static EvpCipher Open(ReadOnlySpan<byte> masterKey) =>
        new(masterKey.Length == 16 ? EvpAlgorithm.Aes128Ctr : EvpAlgorithm.Aes256Ctr, masterKey, encrypts: true);

    /// <param name="master">From <see cref="Open"/>.</param>
    /// <param name="masterSalt">14 bytes; the 12 of GCM are read as if two zeros followed.</param>
    /// <param name="label">Which key.</param>
    /// <param name="key">Filled as a whole.</param>
    public static void Derive(EvpCipher master, ReadOnlySpan<byte> masterSalt, byte label, Span<byte> key)
    {
        Span<byte> iv = stackalloc byte[16];
        iv.Clear();
        masterSalt.CopyTo(iv);
        iv[7] ^= label;
        key.Clear();
        if (!master.Transform(iv, key))
        {
            throw new CryptographicException("OpenSSL could not derive an SRTP key");
        }
    }
}
