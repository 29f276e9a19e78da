using System;

namespace Proxy.Sdp;

/// <summary>The transport of an m= line.</summary>
public enum SdpProfile : byte
{
    /// <summary>Anything else; its text is in <see cref="SdpMedia.ProfileText"/>.</summary>
    Other,
    RtpAvp,
    RtpAvpf,
    RtpSavp,
    RtpSavpf,

    /// <summary>SRTP keyed by DTLS, with or without feedback.</summary>
    DtlsRtp,

    /// <summary>Data channels over DTLS.</summary>
    DtlsSctp,

    /// <summary>T.38 fax.</summary>
    Udptl,
}

/// <summary>Any thread. Names of profiles.</summary>
internal static class SdpProfiles
{
    internal static SdpProfile Read(ReadOnlySpan<byte> text)
    {
        if (SdpText.EqualsIgnoreCase(text, "RTP/AVP"u8))
        {
            return SdpProfile.RtpAvp;
        }
        if (SdpText.EqualsIgnoreCase(text, "RTP/SAVP"u8))
        {
            return SdpProfile.RtpSavp;
        }
        if (SdpText.EqualsIgnoreCase(text, "RTP/AVPF"u8))
        {
            return SdpProfile.RtpAvpf;
        }
        if (SdpText.EqualsIgnoreCase(text, "RTP/SAVPF"u8))
        {
            return SdpProfile.RtpSavpf;
        }
        if (SdpText.EqualsIgnoreCase(text, "UDP/TLS/RTP/SAVPF"u8) || SdpText.EqualsIgnoreCase(text, "UDP/TLS/RTP/SAVP"u8))
        {
            return SdpProfile.DtlsRtp;
        }
        if (SdpText.EqualsIgnoreCase(text, "UDP/DTLS/SCTP"u8) || SdpText.EqualsIgnoreCase(text, "DTLS/SCTP"u8)
            || SdpText.EqualsIgnoreCase(text, "TCP/DTLS/SCTP"u8))
        {
            return SdpProfile.DtlsSctp;
        }
        return SdpText.EqualsIgnoreCase(text, "udptl"u8) ? SdpProfile.Udptl : SdpProfile.Other;
    }
}
