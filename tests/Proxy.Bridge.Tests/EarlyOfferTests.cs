using System;
using System.Linq;
using Proxy.Bridge.Media;
using Proxy.Bridge.Tests.World;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>Sessions that are agreed on, or changed, by PRACK and UPDATE before the call is answered (RFC 3262 §5, RFC 3311).</summary>
public sealed class EarlyOfferTests
{
    private const string Sdp = "Content-Type: application/sdp\r\n";
    private readonly CallWorld _w = new();

    private SipAudio LastAudio => (SipAudio)_w.Media.Commands.Last(c => c.Command.Payload is SipAudio).Command.Payload!;

    private string Ok(string method) => _w.Sent.Last(m => m.StartsWith("SIP/2.0 200", StringComparison.Ordinal) && CallWorld.Header(m, "CSeq").EndsWith(method, StringComparison.Ordinal));

    [Fact]
    public void Early_media_of_an_invite_without_offer_begins_with_the_prack()
    {
        EarlyMedia();
        _w.Invite("", extra: "Supported: 100rel\r\n");
        string early = Provisional(183);
        Assert.Contains("m=audio", early, StringComparison.Ordinal);
        Assert.Equal(0, Count(CallCommandKind.StartSip));
        Prack(early, CallWorld.Offer(formats: "8 101"));
        Assert.Equal((4, 8, 1), (_w.Playing, LastAudio.PayloadType, Count(CallCommandKind.StartSip)));
        BeHeard();
        Assert.Equal((0, "0"), (_w.Playing, CallWorld.Header(Ok("INVITE"), "Content-Length")));
        _w.Ack();
        _w.InDialog("BYE", 9, "b");
        _w.Farewell();
        Assert.Equal(("hangup", "PCMA/8000", 1), (_w.Record.Code, _w.Record.SipCodec, Count(CallCommandKind.StartSip)));
    }

    [Fact]
    public void Where_100rel_is_required_the_180_offers_and_the_200_waits_for_the_answer()
    {
        _w.Invite("", extra: "Require: 100rel\r\n");
        string ringing = Provisional(180);
        Assert.Contains("m=audio", ringing, StringComparison.Ordinal);
        BeHeard();
        _w.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal([100, 180], _w.InviteStatuses);
        Prack(ringing, CallWorld.Offer(formats: "0 101"));
        Assert.Equal([100, 180, 200], _w.InviteStatuses);
        Assert.Equal(("0", 1), (CallWorld.Header(Ok("INVITE"), "Content-Length"), Count(CallCommandKind.StartSip)));
        Assert.Equal(0, Count(CallCommandKind.Play));
    }

    [Theory]
    [InlineData("", 305)]
    [InlineData("v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18\r\n", 305)]
    [InlineData("not at all", 399)]
    public void A_prack_without_a_usable_answer_is_200_and_the_invite_488(string answer, int warning)
    {
        _w.Invite("", extra: "Require: 100rel\r\n");
        BeHeard();
        Prack(Provisional(180), answer);
        Assert.Equal("0", CallWorld.Header(Ok("PRACK"), "Content-Length"));
        Assert.Equal([100, 180, 488], _w.InviteStatuses);
        Assert.StartsWith(warning + " siproom ", CallWorld.Header(_w.Sent.Last(m => m.StartsWith("SIP/2.0 488", StringComparison.Ordinal)), "Warning"), StringComparison.Ordinal);
        _w.Farewell();
        Assert.Equal(("media_not_acceptable", 488, -1d), (_w.Record.Code, _w.Record.SipStatus, _w.Record.AnsweredMs));
        Assert.Equal(0, _w.Calls.Count);
    }

    [Fact]
    public void Another_offer_in_the_prack_changes_the_early_media()
    {
        EarlyMedia();
        _w.Invite(extra: "Supported: 100rel\r\n");
        BeHeard();
        Assert.Equal([100, 183], _w.InviteStatuses);
        Prack(Provisional(183), CallWorld.Offer(formats: "8 101", version: 2).Replace("m=audio 4000", "m=audio 4444", StringComparison.Ordinal));
        Assert.Contains("RTP/AVP 8 101", Ok("PRACK"), StringComparison.Ordinal);
        Assert.Equal((8, 4444), (LastAudio.PayloadType, LastAudio.Remote.Port));
        Assert.Equal("0", CallWorld.Header(Ok("INVITE"), "Content-Length"));
        Assert.Equal(1, Count(CallCommandKind.StartSip));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_offer_in_the_prack_that_cannot_be_taken_gets_port_0_and_the_invite_488(bool isReady)
    {
        EarlyMedia();
        _w.Invite(extra: "Supported: 100rel\r\n");
        if (isReady)
        {
            BeHeard();
        }
        Prack(Provisional(183), CallWorld.Offer(formats: "18", version: 2));
        Assert.Contains("m=audio 0 RTP/AVP 18", Ok("PRACK"), StringComparison.Ordinal);
        Assert.Equal([100, 183, 488], _w.InviteStatuses);
        Assert.DoesNotContain(_w.Sent, m => m.StartsWith("BYE ", StringComparison.Ordinal));
        _w.Farewell();
        Assert.Equal(("media_not_acceptable", 488, -1d), (_w.Record.Code, _w.Record.SipStatus, _w.Record.AnsweredMs));
    }

    [Fact]
    public void Hold_and_another_codec_by_update_act_on_the_early_media()
    {
        EarlyMedia();
        _w.Invite(extra: "Supported: 100rel\r\n");
        _w.InDialog("UPDATE", 2, "u2", CallWorld.Offer("sendonly", version: 2));
        Assert.StartsWith("SIP/2.0 500", _w.Last, StringComparison.Ordinal);
        Prack(Provisional(183), cseq: 3);
        Assert.True(LastAudio.Sends);
        _w.InDialog("UPDATE", 4, "u4", CallWorld.Offer("sendonly", version: 2));
        Assert.Contains("a=recvonly", Ok("UPDATE"), StringComparison.Ordinal);
        Assert.False(LastAudio.Sends);
        _w.InDialog("UPDATE", 5, "u5", CallWorld.Offer(formats: "18", version: 3));
        Assert.StartsWith("SIP/2.0 488", _w.Last, StringComparison.Ordinal);
        Assert.StartsWith("305 ", CallWorld.Header(_w.Last, "Warning"), StringComparison.Ordinal);
        _w.InDialog("UPDATE", 6, "u6", CallWorld.Offer(formats: "8 101", version: 4));
        Assert.Equal((8, true, TimeSpan.Zero), (LastAudio.PayloadType, LastAudio.Sends, LastAudio.MediaTimeout));
        BeHeard();
        Assert.Equal("0", CallWorld.Header(Ok("INVITE"), "Content-Length"));
        Assert.Equal((8, _w.Limits.MediaTimeout), (LastAudio.PayloadType, LastAudio.MediaTimeout));
        Assert.Equal(1, Count(CallCommandKind.StartSip));
    }

    [Fact]
    public void Without_early_media_an_update_before_the_answer_counts_from_the_answer_on()
    {
        _w.Invite("", extra: "Require: 100rel\r\n");
        Prack(Provisional(180), CallWorld.Offer(formats: "0 101"));
        _w.InDialog("UPDATE", 3, "u3", CallWorld.Offer(formats: "8 101", version: 2));
        Assert.Contains("RTP/AVP 8 101", Ok("UPDATE"), StringComparison.Ordinal);
        Assert.Equal(0, _w.Media.Commands.Count(c => c.Command.Payload is SipAudio));
        BeHeard();
        Assert.Equal((8, "0"), (LastAudio.PayloadType, CallWorld.Header(Ok("INVITE"), "Content-Length")));
    }

    [Fact]
    public void A_call_whose_prack_never_comes_was_never_answered()
    {
        EarlyMedia();
        _w.Invite(extra: "Supported: 100rel\r\n");
        BeHeard();
        _w.Advance(TimeSpan.FromSeconds(33));
        Assert.Equal([100, 183, 504], _w.InviteStatuses);
        Assert.Equal(("no_prack", 504, -1d), (_w.Record.Code, _w.Record.SipStatus, _w.Record.AnsweredMs));
    }

    private void EarlyMedia()
    {
        Func<CallFacts, Verdict> old = _w.Decision;
        _w.Decision = facts => old(facts) with { AnswerMode = AnswerMode.EarlyMedia };
    }

    private int Count(CallCommandKind kind) => _w.Media.Commands.Count(c => c.Command.Kind == kind);

    private string Provisional(int status) => _w.Sent.Last(m => m.StartsWith("SIP/2.0 " + status, StringComparison.Ordinal));

    private void Prack(string response, string body = "", int cseq = 2) =>
        _w.InDialog("PRACK", cseq, "p" + cseq, body, $"RAck: {CallWorld.Header(response, "RSeq")} 1 INVITE\r\n" + (body.Length > 0 ? Sdp : ""));

    /// <summary>The room is there and an agent can be heard.</summary>
    private void BeHeard()
    {
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
    }
}
