using System;
using System.Buffers.Text;

namespace Proxy.Sdp;

/// <summary>Signal thread. Writes our side of the SIP leg: answers and offers.</summary>
internal static class LocalText
{
    internal static readonly byte[] SessionName = "LiveKit"u8.ToArray();

    /// <summary>Writes an answer: every m= line of the offer in its order, all but one with port 0.</summary>
    /// <remarks>RFC 3264 §6. A refused line repeats its first format only: they mean nothing there.</remarks>
    internal static void Answer(ref SdpWriter writer, in SdpView offer, NegotiatedAudio? audio, SipMediaCapabilities capabilities,
        in Proxy.Core.Net.NetAddress address, ulong sessionId, ulong version)
    {
        writer.SessionHead(sessionId, version, SessionName, address, TimingOf(offer));
        foreach (SdpMedia media in offer.Media)
        {
            if (audio is not null && media.Index == audio.MediaIndex)
            {
                AudioSection(ref writer, media, audio, capabilities);
            }
            else
            {
                RefusedLine(ref writer, media);
            }
        }
    }

    /// <summary>Writes a codec's rtpmap.</summary>
    internal static void Map(ref SdpWriter writer, byte payloadType, SipAudioCodec codec) =>
        writer.RtpMap(payloadType, codec.Text(), codec.ClockHz(), codec.Channels());

    /// <summary>Writes <c>a=crypto:tag suite inline:key</c>.</summary>
    internal static void Crypto(ref SdpWriter writer, uint tag, SrtpSuites suite, ReadOnlySpan<byte> keySalt)
    {
        Span<byte> text = stackalloc byte[64];
        Base64.EncodeToUtf8(keySalt, text, out _, out int written);
        writer.Raw("a=crypto:"u8);
        writer.Number(tag);
        writer.Space();
        writer.Raw(suite.Text());
        writer.Raw(" inline:"u8);
        writer.Raw(text[..written]);
        writer.EndLine();
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(text);
    }

    /// <summary>Writes the telephone-event lines.</summary>
    internal static void Events(ref SdpWriter writer, byte payloadType, uint clockHz, ReadOnlySpan<byte> events)
    {
        writer.RtpMap(payloadType, "telephone-event"u8, clockHz);
        writer.Raw("a=fmtp:"u8);
        writer.Number(payloadType);
        writer.Space();
        writer.Raw(events);
        writer.EndLine();
    }

    internal static void RefusedLine(ref SdpWriter writer, in SdpMedia media)
    {
        ReadOnlySpan<byte> formats = media.Formats;
        ReadOnlySpan<byte> first = SdpText.NextWord(ref formats);
        writer.Raw("m="u8);
        writer.Raw(media.Kind);
        writer.Raw(" 0 "u8);
        writer.Raw(media.ProfileText);
        writer.Space();
        writer.Raw(SdpText.IsVisible(first) && first.Length <= 32 ? first : "0"u8);
        writer.EndLine();
    }

    private static void AudioSection(ref SdpWriter writer, in SdpMedia media, NegotiatedAudio audio, SipMediaCapabilities capabilities)
    {
        writer.Raw("m=audio "u8);
        writer.Number(audio.Local.Port);
        writer.Space();
        writer.Raw(audio.IsSecureOfferInClear ? "RTP/AVP"u8 : media.ProfileText);
        writer.Space();
        writer.Number(audio.PayloadType);
        byte? noise = capabilities.ComfortNoise ? audio.ComfortNoisePayloadType : null;
        if (noise is byte cn)
        {
            writer.Space();
            writer.Number(cn);
        }
        if (audio.DtmfPayloadType is byte dtmf)
        {
            writer.Space();
            writer.Number(dtmf);
        }
        writer.EndLine();
        AudioAttributes(ref writer, media, audio, noise);
    }

    private static void AudioAttributes(ref SdpWriter writer, in SdpMedia media, NegotiatedAudio audio, byte? noise)
    {
        Map(ref writer, audio.PayloadType, audio.Codec);
        if (noise is byte cn)
        {
            writer.RtpMap(cn, "CN"u8, audio.Codec.ClockHz());
        }
        if (audio.DtmfPayloadType is byte dtmf)
        {
            Events(ref writer, dtmf, audio.Codec.ClockHz(), media.Fmtp(dtmf).EndsWith("16"u8) ? "0-16"u8 : "0-15"u8);
        }
        if (audio.Srtp is not null)
        {
            Crypto(ref writer, audio.Srtp.Tag, audio.Srtp.Suite, audio.Srtp.LocalKeySalt);
        }
        writer.Attribute("ptime"u8, audio.PtimeMs);
        writer.Attribute(audio.OurDirection.Text());
        if (audio.IsRtcpMux)
        {
            writer.Attribute("rtcp-mux"u8);
        }
        else
        {
            // We listen on one port; without this line the peer would send RTCP to the next one (RFC 3605).
            writer.Attribute("rtcp"u8, audio.Local.Port);
        }
    }

    /// <summary>The offer's t= when it is two numbers, else <c>0 0</c>.</summary>
    private static ReadOnlySpan<byte> TimingOf(in SdpView offer)
    {
        ReadOnlySpan<byte> timing = offer.Timing;
        ReadOnlySpan<byte> rest = timing;
        bool isTiming = SdpText.TryNumber64(SdpText.NextWord(ref rest), out _) && SdpText.TryNumber64(SdpText.NextWord(ref rest), out _)
            && rest.IsEmpty && timing.Length <= 42;
        return isTiming ? timing : "0 0"u8;
    }
}
