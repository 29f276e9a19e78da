using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Sdp;
using Proxy.Testing;

namespace Proxy.Fuzz.Targets;

internal static class SdpTargets
{
    private static readonly byte[] s_out = new byte[OfferAnswer.MaxLocalBytes];

    /// <summary>Every line and attribute through its reader.</summary>
    public static Target Text() => new("sdp", Walk, Texts(), Words.Sdp);

    /// <summary>A leg that is offered something twice, and offers itself; what it answers must be readable again.</summary>
    /// <remarks>Four passes an input, so four times the time.</remarks>
    public static Target Negotiation() => new("sdp-negotiation", Negotiate, Texts(), Words.Sdp)
    {
        AllocatesAtMost = 200_000,
        AllocatesPerByte = 16,
        TimePer64K = TimeSpan.FromMilliseconds(40),
    };

    private static IEnumerable<byte[]> Texts() =>
        Directory.GetFiles(TestData.Path("sdp"), "*.sdp").Order().Concat(Directory.GetFiles(TestData.Path("livekit-golden", "rtc", "sdp"), "*.sdp").Order())
            .Select(File.ReadAllBytes);

    private static void Walk(byte[] input)
    {
        if (SdpView.TryParse(input, out SdpView view) != SdpVerdict.Ok)
        {
            return;
        }
        _ = view.Connection.IsLiteral || view.OriginAddress.IsLiteral;
        view.TryGetAttribute("group"u8, out _);
        foreach (SdpMedia media in view.Media)
        {
            Walk(media);
        }
    }

    private static void Walk(in SdpMedia media)
    {
        _ = media.Connection.IsLiteral || media.HasDirection || media.HasRtcpMux || media.IsAudio;
        _ = (int)media.Direction + media.PtimeMs + media.MaxPtimeMs + media.Mid.Length + media.Msid.Length + media.Fingerprint.Length + media.Setup.Length + media.IcePwd.Length;
        media.TryGetRtcp(out _, out _);
        int types = 0;
        foreach (byte type in media.PayloadTypes)
        {
            if (++types > 8)
            {
                break;
            }
            media.TryGetRtpMap(type, out _);
            _ = media.Fmtp(type).Length;
        }
        foreach (SdpCandidate candidate in media.Candidates)
        {
            _ = candidate.EndPoint.Port + candidate.Extension("tcptype"u8).Length;
        }
        Span<byte> key = stackalloc byte[64];
        foreach (SdpCrypto crypto in media.Cryptos)
        {
            crypto.ReadKeySalt(key);
        }
    }

    private static void Negotiate(byte[] input)
    {
        NetEndPoint.TryParse("192.0.2.10:20000", out NetEndPoint local);
        OfferAnswer leg = new(new SipMediaCapabilities { Local = local }, new SeededRandom(1));
        AnswerVerdict verdict = leg.Answer(input, s_out, out int written, out _);
        if (verdict.Code == AnswerCode.Accepted && SdpView.TryParse(s_out.AsSpan(0, written), out _) != SdpVerdict.Ok)
        {
            throw new InvalidOperationException("our own answer cannot be read");
        }
        leg.Answer(input, s_out, out _, out _);
        OfferAnswer offerer = new(new SipMediaCapabilities { Local = local }, new SeededRandom(2));
        offerer.WriteOffer(s_out);
        offerer.TakeAnswer(input, out _);
    }
}
