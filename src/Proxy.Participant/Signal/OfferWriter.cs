using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Proxy.Participant.Signal;

/// <summary>What a section of our offers is for.</summary>
internal enum SectionKind
{
    /// <summary>Our published track.</summary>
    Send,

    /// <summary>Room for one remote track.</summary>
    Receive,

    /// <summary>SCTP.</summary>
    Data,
}

/// <summary>One m= section; it keeps its place and its mid in every later offer (RFC 8829 §5.2.2).</summary>
internal readonly record struct OfferSection(SectionKind Kind, string Mid);

/// <summary>Signal thread. Writes our offers; every line in them was measured against a stock server.</summary>
/// <remarks>
/// RFC 8866, RFC 8829 §5.2. Fatal when missing: a=ssrc and a direction in the send section. Needed for data: a=group:BUNDLE.
/// The first audio section lists every codec that we shall ever need, because it is the ceiling for all later ones.
/// Left out on purpose: red (the server then unwraps it for us), nack (a resent packet comes too late for a phone),
/// comfort noise and telephone-event (holes in the numbering at the receivers), candidates (the server learns our address
/// from our checks), sdes:mid (sections are told apart by SSRC).
/// </remarks>
internal static class OfferWriter
{
    /// <summary>Id of the audio-level header extension that we offer (RFC 6464).</summary>
    public const byte AudioLevelId = 1;

    public const byte OpusPayloadType = 111;

    private const string AudioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

    /// <param name="sessionId">Of the o= line; the same in all offers of a participant.</param>
    /// <param name="version">Grows by one each offer.</param>
    public static string Write(RoomJoin join, ulong sessionId, uint version, IReadOnlyList<OfferSection> sections)
    {
        var sdp = new StringBuilder(2048);
        sdp.Append(CultureInfo.InvariantCulture, $"v=0\r\no=- {sessionId} {version} IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n");
        sdp.Append("a=msid-semantic:WMS *\r\na=fingerprint:sha-256 ");
        WriteFingerprint(sdp, join.Fingerprint.Span);
        sdp.Append("\r\na=extmap-allow-mixed\r\na=group:BUNDLE");
        foreach (OfferSection section in sections)
        {
            sdp.Append(' ').Append(section.Mid);
        }
        sdp.Append("\r\n");
        foreach (OfferSection section in sections)
        {
            WriteSection(sdp, join, section);
        }
        return sdp.ToString();
    }

    /// <summary>The codecs of the send section, the wanted one first.</summary>
    public static RoomCodec[] SendOrder(RoomCodec wanted) => wanted switch
    {
        RoomCodec.Pcma => [RoomCodec.Pcma, RoomCodec.Pcmu, RoomCodec.Opus],
        RoomCodec.Opus => [RoomCodec.Opus, RoomCodec.Pcmu, RoomCodec.Pcma],
        _ => [RoomCodec.Pcmu, RoomCodec.Pcma, RoomCodec.Opus],
    };

    private static void WriteSection(StringBuilder sdp, RoomJoin join, OfferSection section)
    {
        bool isAudio = section.Kind != SectionKind.Data;
        RoomCodec[] codecs = SendOrder(section.Kind == SectionKind.Send ? join.Codec : RoomCodec.Opus);
        if (isAudio)
        {
            sdp.Append("m=audio 9 UDP/TLS/RTP/SAVPF");
            foreach (RoomCodec codec in codecs)
            {
                sdp.Append(' ').Append(PayloadTypeOf(codec));
            }
        }
        else
        {
            sdp.Append("m=application 9 UDP/DTLS/SCTP webrtc-datachannel");
        }
        sdp.Append("\r\nc=IN IP4 0.0.0.0\r\na=setup:actpass\r\na=mid:").Append(section.Mid);
        sdp.Append("\r\na=ice-ufrag:").Append(join.Ice.Ufrag).Append("\r\na=ice-pwd:").Append(join.Ice.Pwd).Append("\r\n");
        if (!isAudio)
        {
            sdp.Append("a=sendrecv\r\na=sctp-port:5000\r\na=max-message-size:65535\r\n");
            return;
        }
        sdp.Append("a=rtcp-mux\r\na=rtcp-rsize\r\n");
        foreach (RoomCodec codec in codecs)
        {
            WriteCodec(sdp, codec);
        }
        sdp.Append("a=extmap:").Append(AudioLevelId).Append(' ').Append(AudioLevel).Append("\r\n");
        WriteDirection(sdp, join, section.Kind);
    }

    private static void WriteDirection(StringBuilder sdp, RoomJoin join, SectionKind kind)
    {
        if (kind != SectionKind.Send)
        {
            sdp.Append("a=recvonly\r\n");
            return;
        }
        sdp.Append(CultureInfo.InvariantCulture, $"a=ssrc:{join.Ssrc} cname:{join.Cname}\r\n");
        sdp.Append(CultureInfo.InvariantCulture, $"a=ssrc:{join.Ssrc} msid:{join.Cname} {join.Cid}\r\n");
        sdp.Append(CultureInfo.InvariantCulture, $"a=msid:{join.Cname} {join.Cid}\r\na=sendonly\r\n");
    }

    private static void WriteCodec(StringBuilder sdp, RoomCodec codec) => sdp.Append(codec switch
    {
        RoomCodec.Pcmu => "a=rtpmap:0 PCMU/8000\r\n",
        RoomCodec.Pcma => "a=rtpmap:8 PCMA/8000\r\n",
        _ => "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n",
    });

    private static byte PayloadTypeOf(RoomCodec codec) => codec switch
    {
        RoomCodec.Pcmu => 0,
        RoomCodec.Pcma => 8,
        _ => OpusPayloadType,
    };

    private static void WriteFingerprint(StringBuilder sdp, ReadOnlySpan<byte> fingerprint)
    {
        for (int i = 0; i < fingerprint.Length; i++)
        {
            if (i > 0)
            {
                sdp.Append(':');
            }
            sdp.Append(fingerprint[i].ToString("X2", CultureInfo.InvariantCulture));
        }
    }
}
