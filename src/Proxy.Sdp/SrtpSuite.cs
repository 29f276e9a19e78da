using System;

namespace Proxy.Sdp;

/// <summary>SRTP crypto suites that SDES can carry, as flags.</summary>
/// <remarks>RFC 4568 §6.2, RFC 6188 §5, RFC 7714 §14.2.</remarks>
[Flags]
public enum SrtpSuites : byte
{
    None = 0,
    AesCm128HmacSha1Tag80 = 1,
    AesCm128HmacSha1Tag32 = 2,
    AesCm256HmacSha1Tag80 = 4,
    AesCm256HmacSha1Tag32 = 8,
    AeadAes128Gcm = 16,
    AeadAes256Gcm = 32,
}

/// <summary>Any thread. Names and key lengths of suites.</summary>
public static class SrtpSuiteFacts
{
    /// <summary>Longest key and salt together, bytes.</summary>
    public const int MaxKeySaltBytes = 46;

    /// <summary>Suites whose tag is 32 bits: one forged packet in four thousand million passes, which a phone in the field may still insist on.</summary>
    internal const SrtpSuites ShortTags = SrtpSuites.AesCm128HmacSha1Tag32 | SrtpSuites.AesCm256HmacSha1Tag32;

    /// <summary>Key and salt together, bytes; 0 for no single suite.</summary>
    public static int KeySaltBytes(this SrtpSuites suite) => suite switch
    {
        SrtpSuites.AesCm128HmacSha1Tag80 or SrtpSuites.AesCm128HmacSha1Tag32 => 30,
        SrtpSuites.AesCm256HmacSha1Tag80 or SrtpSuites.AesCm256HmacSha1Tag32 => 46,
        SrtpSuites.AeadAes128Gcm => 28,
        SrtpSuites.AeadAes256Gcm => 44,
        _ => 0,
    };

    /// <summary>The suite's name on the wire; empty for no single suite.</summary>
    public static ReadOnlySpan<byte> Text(this SrtpSuites suite) => suite switch
    {
        SrtpSuites.AesCm128HmacSha1Tag80 => "AES_CM_128_HMAC_SHA1_80"u8,
        SrtpSuites.AesCm128HmacSha1Tag32 => "AES_CM_128_HMAC_SHA1_32"u8,
        SrtpSuites.AesCm256HmacSha1Tag80 => "AES_256_CM_HMAC_SHA1_80"u8,
        SrtpSuites.AesCm256HmacSha1Tag32 => "AES_256_CM_HMAC_SHA1_32"u8,
        SrtpSuites.AeadAes128Gcm => "AEAD_AES_128_GCM"u8,
        SrtpSuites.AeadAes256Gcm => "AEAD_AES_256_GCM"u8,
        _ => default,
    };

    internal static SrtpSuites Read(ReadOnlySpan<byte> name)
    {
        for (int bit = 0; bit < 6; bit++)
        {
            SrtpSuites suite = (SrtpSuites)(1 << bit);
            if (name.SequenceEqual(suite.Text()))
            {
                return suite;
            }
        }
        return SrtpSuites.None;
    }
}
