using System;
using Xunit;

namespace Proxy.Sdp.Tests;

public sealed class OwnOfferTests
{
    [Fact]
    public void Invite_without_offer_gets_one_and_the_answer_in_the_ack_settles_it()
    {
        Leg leg = new();
        string offer = leg.Offer();
        Assert.Contains("m=audio 20000 RTP/AVP 0 8 101\r\n", offer, StringComparison.Ordinal);
        Assert.Equal(offer, leg.Offer());
        Assert.True(leg.Machine.IsOfferPending);
        Assert.Equal(AnswerCode.Accepted, leg.Take(Leg.Sdp("m=audio 40000 RTP/AVP 8 101\na=rtpmap:101 telephone-event/8000")));
        Assert.Equal((SipAudioCodec.Pcma, (byte)101), (leg.Audio!.Codec, leg.Audio.DtmfPayloadType!.Value));
        Assert.False(leg.Machine.IsOfferPending);
    }

    [Theory]
    [InlineData("m=audio 0 RTP/AVP 0", AnswerCode.NoAudio)]
    [InlineData("m=audio 40000 RTP/AVP 18", AnswerCode.NoCodec)]
    [InlineData("m=audio 40000 RTP/AVP 0\nm=video 0 RTP/AVP 96", AnswerCode.BadAnswer)]
    [InlineData("m=video 40000 RTP/AVP 0", AnswerCode.BadAnswer)]
    [InlineData("m=audio 40000 RTP/SAVP 0", AnswerCode.SrtpDisabled)]
    public void Answer_that_does_not_fit_is_told_apart(string media, AnswerCode expected)
    {
        Leg leg = new();
        leg.Offer();
        Assert.Equal(expected, leg.Take(Leg.Sdp(media)));
    }

    [Fact]
    public void Answer_without_an_offer_of_ours_is_refused() =>
        Assert.Equal(AnswerCode.BadAnswer, new Leg().Take(Leg.Sdp("m=audio 40000 RTP/AVP 0")));

    [Fact]
    public void Required_encryption_offers_each_suite_and_takes_only_an_offered_tag()
    {
        static Leg Secure() => new(c => c with { Srtp = SrtpPolicy.Require });
        Leg leg = Secure();
        string offer = leg.Offer();
        Assert.Contains("m=audio 20000 RTP/SAVP 0 8 101\r\n", offer, StringComparison.Ordinal);
        Assert.Contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:", offer, StringComparison.Ordinal);
        Assert.Contains("a=crypto:2 AEAD_AES_128_GCM inline:", offer, StringComparison.Ordinal);
        Assert.DoesNotContain("SHA1_32", offer, StringComparison.Ordinal);
        const string Gcm = "AEAD_AES_128_GCM inline:gGetEkQgGk4NZIoKj/cbFpRkHdocmKlP0u3VMw==";
        Assert.Equal(AnswerCode.Accepted, leg.Take(Leg.Sdp("m=audio 40000 RTP/SAVP 0\na=crypto:2 " + Gcm)));
        Assert.Contains(Convert.ToBase64String(leg.Audio!.Srtp!.LocalKeySalt), offer, StringComparison.Ordinal);
        leg = Secure();
        leg.Offer();
        Assert.Equal(AnswerCode.SrtpRequired, leg.Take(Leg.Sdp("m=audio 40000 RTP/SAVP 0\na=crypto:1 " + Gcm)));
        leg = Secure();
        leg.Offer();
        Assert.Equal(AnswerCode.SrtpRequired, leg.Take(Leg.Sdp("m=audio 40000 RTP/AVP 0")));
    }

    [Fact]
    public void Later_offer_keeps_the_lines_of_the_session_in_place()
    {
        Leg leg = new();
        leg.Answer(Leg.Sdp("m=video 50000 RTP/AVP 96\nm=audio 40000 RTP/AVP 97 110\na=rtpmap:97 PCMU/8000\na=rtpmap:110 telephone-event/8000\nm=image 4000 udptl t38"));
        string[] lines = leg.Offer().Split("\r\n");
        string[] media = Array.FindAll(lines, l => l.StartsWith("m=", StringComparison.Ordinal));
        Assert.Equal(["m=video 0 RTP/AVP 96", "m=audio 20000 RTP/AVP 97 8 110", "m=image 0 udptl t38"], media);
        Assert.Contains(" 2 IN IP4", lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a=sendonly", "c=IN IP4 198.51.100.1")]
    [InlineData("a=inactive", "c=IN IP4 198.51.100.1")]
    [InlineData("a=sendrecv", "c=IN IP4 0.0.0.0")]
    public void Offer_of_ours_after_a_hold_offers_both_ways_so_that_the_call_can_be_resumed(string direction, string connection)
    {
        Leg leg = new();
        leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0"));
        Assert.Equal(AnswerCode.Accepted, leg.Answer(Leg.Sdp("m=audio 40000 RTP/AVP 0\n" + direction, connection)));
        Assert.NotEqual(SdpDirection.SendRecv, leg.Audio!.OurDirection);
        Assert.Contains("a=sendrecv\r\n", leg.Offer(), StringComparison.Ordinal);
        Assert.Equal(AnswerCode.Accepted, leg.Take(Leg.Sdp("m=audio 40000 RTP/AVP 0")));
        Assert.Equal(SdpDirection.SendRecv, leg.Audio!.OurDirection);
    }
}
