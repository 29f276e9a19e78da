using System;

namespace Proxy.Rtp.Srtp;

/// <summary>Any thread. Protection profiles: RFC 3711, RFC 6188 (AES-256), RFC 7714 (GCM).</summary>
public enum SrtpProfile
{
    AesCm128HmacSha1_80,
    AesCm128HmacSha1_32,
    AesCm256HmacSha1_80,
    AeadAes128Gcm,
    AeadAes256Gcm,
}

/// <summary>Any thread. The lengths that go with a profile, bytes.</summary>
/// <param name="KeyBytes">Master key.</param>
/// <param name="SaltBytes">Master salt.</param>
/// <param name="RtpTagBytes">What protection adds to an RTP packet.</param>
/// <param name="RtcpTagBytes">The tag of an RTCP packet; four bytes of index come on top.</param>
/// <param name="IsAead">GCM.</param>
public readonly record struct SrtpParameters(int KeyBytes, int SaltBytes, int RtpTagBytes, int RtcpTagBytes, bool IsAead)
{
    /// <summary>Master key and salt together, as SDES and the DTLS exporter give them for one direction.</summary>
    public int KeyAndSaltBytes => KeyBytes + SaltBytes;

    public static SrtpParameters Of(SrtpProfile profile) => profile switch
    {
        SrtpProfile.AesCm128HmacSha1_80 => new(16, 14, 10, 10, false),
        SrtpProfile.AesCm128HmacSha1_32 => new(16, 14, 4, 10, false),
        SrtpProfile.AesCm256HmacSha1_80 => new(32, 14, 10, 10, false),
        SrtpProfile.AeadAes128Gcm => new(16, 12, 16, 16, true),
        SrtpProfile.AeadAes256Gcm => new(32, 12, 16, 16, true),
        _ => throw new ArgumentOutOfRangeException(nameof(profile)),
    };
}
