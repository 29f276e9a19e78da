using System;

namespace Proxy.Sdp;

/// <summary>Codecs of the SIP leg.</summary>
public enum SipAudioCodec : byte
{
    Pcmu,
    Pcma,
    G722,
    Opus,
}

/// <summary>Any thread. How codecs are named in SDP.</summary>
public static class SipAudioCodecFacts
{
    /// <summary>Encoding name.</summary>
    public static ReadOnlySpan<byte> Text(this SipAudioCodec codec) => codec switch
    {
        SipAudioCodec.Pcmu => "PCMU"u8,
        SipAudioCodec.Pcma => "PCMA"u8,
        SipAudioCodec.G722 => "G722"u8,
        _ => "opus"u8,
    };

    /// <summary>RTP clock, Hz. G.722 counts 8000 although it samples at 16000 (RFC 3551 §4.5.2).</summary>
    public static uint ClockHz(this SipAudioCodec codec) => codec == SipAudioCodec.Opus ? 48_000u : 8_000u;

    /// <summary>Payload type that we use when we offer.</summary>
    public static byte OfferedPayloadType(this SipAudioCodec codec) => codec switch
    {
        SipAudioCodec.Pcmu => 0,
        SipAudioCodec.Pcma => 8,
        SipAudioCodec.G722 => 9,
        _ => 111,
    };

    internal static byte Channels(this SipAudioCodec codec) => codec == SipAudioCodec.Opus ? (byte)2 : (byte)1;

    internal static bool Is(this SipAudioCodec codec, in SdpRtpMap map) => map.NameIs(codec.Text()) && map.ClockHz == codec.ClockHz() && map.Channels == codec.Channels();
}
