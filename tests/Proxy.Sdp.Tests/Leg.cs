using System;
using System.Text;
using Proxy.Core.Memory;
using Proxy.Core.Net;

namespace Proxy.Sdp.Tests;

/// <summary>One owner. A SIP leg under test: texts in, texts out.</summary>
internal sealed class Leg
{
    private readonly byte[] _buffer = new byte[OfferAnswer.MaxLocalBytes];

    internal Leg(Func<SipMediaCapabilities, SipMediaCapabilities>? change = null, ulong seed = 1)
    {
        NetEndPoint.TryParse("192.0.2.10:20000", out NetEndPoint local);
        SipMediaCapabilities capabilities = new() { Local = local };
        Machine = new OfferAnswer(change is null ? capabilities : change(capabilities), new SeededRandom(seed));
    }

    internal OfferAnswer Machine { get; }

    internal NegotiatedAudio? Audio { get; private set; }

    internal string Text { get; private set; } = "";

    internal static NetEndPoint EndPoint(string text)
    {
        NetEndPoint.TryParse(text, out NetEndPoint endPoint);
        return endPoint;
    }

    internal AnswerCode Answer(string offer) => Answer(Encoding.UTF8.GetBytes(offer));

    internal AnswerCode Answer(ReadOnlySpan<byte> offer)
    {
        AnswerVerdict verdict = Machine.Answer(offer, _buffer, out int written, out NegotiatedAudio? audio);
        Audio = audio;
        Text = Encoding.UTF8.GetString(_buffer, 0, written);
        return verdict.Code;
    }

    internal string Offer() => Encoding.UTF8.GetString(_buffer, 0, Machine.WriteOffer(_buffer));

    internal AnswerCode Take(string answer)
    {
        AnswerVerdict verdict = Machine.TakeAnswer(Encoding.UTF8.GetBytes(answer), out NegotiatedAudio? audio);
        Audio = audio;
        return verdict.Code;
    }

    internal string[] Lines() => Text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);

    internal static string Sdp(string media, string session = "c=IN IP4 198.51.100.1") =>
        ("v=0\no=- 1 1 IN IP4 198.51.100.1\ns=-\n" + session + "\nt=0 0\n" + media + "\n").Replace("\n", "\r\n", StringComparison.Ordinal);
}
