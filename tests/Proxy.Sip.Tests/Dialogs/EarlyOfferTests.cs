using System;
using System.Linq;
using System.Text;
using Proxy.Core.Collections;
using Proxy.Sip.Dialogs;
using Xunit;

namespace Proxy.Sip.Tests.Dialogs;

/// <summary>Offers and answers before the INVITE is answered: RFC 3262 §5, RFC 3311 §5, RFC 6337 §2.</summary>
public sealed class EarlyOfferTests : IDisposable
{
    private readonly Sipside _side = new();
    private int _cseq = 1;

    private SipDialog Dialog => _side.Events[0].Dialog;

    private string LastBody => Body(_side.Last);

    public void Dispose() => _side.Dispose();

    [Fact]
    public void Required_180_of_an_invite_without_offer_carries_ours_and_the_prack_brings_the_answer()
    {
        Invite("Require: 100rel\r\n", "");
        Ring("v=ours\r\n");
        string ringing = _side.Last;
        Assert.Equal(("100rel", "v=ours\r\n", "application/sdp"), (Sipside.Header(ringing, "Require"), LastBody, Sipside.Header(ringing, "Content-Type")));
        Assert.Contains("UPDATE", Sipside.Header(ringing, "Allow"));
        Assert.True(Dialog.IsPrackAnswerDue);
        Prack(ringing, "v=theirs\r\n");
        Assert.Equal((200, ""), (_side.Statuses[^1], LastBody));
        Assert.False(Dialog.IsPrackAnswerDue);
        Assert.Equal((SipEventKind.Prack, true, "v=theirs\r\n"), (_side.Events[^1].Kind, _side.Events[^1].Event.Request.IsNone, Body(_side.Events[^1].Text)));
        Accept("v=ours\r\n");
        Assert.Equal((200, ""), (_side.Statuses[^1], LastBody));
        Assert.EndsWith("INVITE", Sipside.Header(_side.Last, "CSeq"));
    }

    [Fact]
    public void Our_offer_goes_out_once_and_the_200_waits_for_its_answer()
    {
        Invite("Require: 100rel\r\n", "");
        Ring("v=ours\r\n");
        string ringing = _side.Last;
        Ring("v=ours\r\n");
        Accept("v=ours\r\n");
        Assert.Equal([100, 180], _side.Statuses);
        Prack(ringing, "v=theirs\r\n");
        Assert.Equal([100, 180, 200, 200], _side.Statuses);
        Assert.Equal(("", SipDialogState.Confirmed), (LastBody, Dialog.State));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Supported: 100rel\r\n")]
    public void Nobody_who_does_not_acknowledge_it_gets_an_offer_before_the_200(string extra)
    {
        Invite(extra, "");
        Ring("v=ours\r\n");
        Assert.Equal((180, ""), (_side.Statuses[^1], LastBody));
        if (extra.Length == 0)
        {
            _side.Do(now => Dialog.Progress("v=ours\r\n"u8, now));
            Assert.Equal((183, ""), (_side.Statuses[^1], LastBody));
        }
        Accept("v=ours\r\n");
        Assert.Equal("v=ours\r\n", LastBody);
    }

    [Fact]
    public void An_offer_in_the_prack_is_answered_in_its_200_and_the_200_of_the_invite_has_no_second_answer()
    {
        string progress = Progress();
        Accept("v=answer\r\n");
        Prack(progress, "v=second\r\n");
        Assert.Equal([100, 183], _side.Statuses);
        Assert.Equal((SipEventKind.Prack, "v=second\r\n"), (_side.Events[^1].Kind, Body(_side.Events[^1].Text)));
        Respond(200, "v=other\r\n");
        Assert.Equal([100, 183, 200, 200], _side.Statuses);
        string prack = _side.Sent[^2].Text;
        Assert.Equal(("v=other\r\n", "application/sdp"), (Body(prack), Sipside.Header(prack, "Content-Type")));
        Assert.EndsWith("PRACK", Sipside.Header(prack, "CSeq"));
        Assert.Equal("", LastBody);
        Assert.EndsWith("INVITE", Sipside.Header(_side.Last, "CSeq"));
    }

    [Fact]
    public void An_offer_in_a_prack_while_the_invites_has_no_answer_is_passed_over()
    {
        Invite("Require: 100rel\r\n");
        Ring();
        Prack(_side.Last, "v=second\r\n");
        Assert.Equal((200, "", true), (_side.Statuses[^1], LastBody, _side.Events[^1].Event.Request.IsNone));
        Accept("v=answer\r\n");
        Assert.Equal("v=answer\r\n", LastBody);
    }

    [Fact]
    public void A_prack_that_nobody_can_read_gives_415_and_acknowledges_nothing()
    {
        Invite("Require: 100rel\r\n");
        Ring();
        string ringing = _side.Last;
        Prack(ringing, "x", "Content-Type: text/plain\r\n");
        Assert.Equal(415, _side.Statuses[^1]);
        _side.Advance(600);
        Assert.Equal(180, _side.Statuses[^1]);
        Prack(ringing);
        Assert.Equal(200, _side.Statuses[^1]);
    }

    [Fact]
    public void A_prack_said_twice_is_taken_once()
    {
        string progress = Progress();
        Prack(progress);
        Prack(progress, "v=second\r\n");
        Assert.Equal([100, 183, 200, 200], _side.Statuses);
        Assert.Single(_side.Kinds, SipEventKind.Prack);
    }

    [Fact]
    public void An_update_before_the_first_answer_or_its_prack_gives_500_with_retry_after()
    {
        Invite("Supported: 100rel\r\n");
        Update("v=second\r\n");
        AssertNotNow();
        Ring();
        Update("v=second\r\n");
        AssertNotNow();
        _side.Do(now => Dialog.Progress("v=answer\r\n"u8, now));
        Update("v=second\r\n");
        AssertNotNow();
        Assert.DoesNotContain(SipEventKind.Update, _side.Kinds);
    }

    [Fact]
    public void An_update_while_our_offer_waits_for_its_answer_gives_491()
    {
        Invite("Require: 100rel\r\n", "");
        Ring("v=ours\r\n");
        Update("v=second\r\n");
        Assert.Equal((491, ""), (_side.Statuses[^1], Sipside.Header(_side.Last, "Retry-After")));
        Assert.DoesNotContain(SipEventKind.Update, _side.Kinds);
    }

    [Fact]
    public void An_update_while_our_offer_of_the_200_waits_for_the_ack_gives_491()
    {
        Invite("", "");
        Accept("v=ours\r\n");
        Update("v=second\r\n");
        Assert.Equal(491, _side.Statuses[^1]);
        _side.Receive(Sipside.InDialog("ACK", Dialog, 1, "z9hG4bKack", body: "v=theirs\r\n"));
        Update("v=second\r\n");
        Assert.Equal(SipEventKind.Update, _side.Kinds[^1]);
    }

    [Fact]
    public void After_the_prack_an_update_is_offered_to_the_owner_and_the_200_of_the_invite_describes_nothing_any_more()
    {
        Prack(Progress());
        Update("v=second\r\n");
        Assert.Equal((SipEventKind.Update, "v=second\r\n"), (_side.Kinds[^1], Body(_side.Events[^1].Text)));
        Respond(200, "v=other\r\n");
        Assert.Equal("v=other\r\n", LastBody);
        Update("v=third\r\n");
        Respond(488, "");
        Assert.Equal(488, _side.Statuses[^1]);
        Accept("v=other\r\n");
        Assert.Equal((200, ""), (_side.Statuses[^1], LastBody));
    }

    [Fact]
    public void A_refused_update_leaves_the_answer_of_the_invite_in_its_200()
    {
        Prack(Progress());
        Update("v=second\r\n");
        Respond(488, "");
        Accept("v=answer\r\n");
        Assert.Equal("v=answer\r\n", LastBody);
    }

    [Fact]
    public void A_second_update_before_the_first_is_answered_gives_500_and_the_200_waits_for_it()
    {
        Prack(Progress());
        Update("v=second\r\n");
        SlotId first = _side.Events[^1].Event.Request;
        Update("v=third\r\n");
        AssertNotNow();
        Update("");
        AssertNotNow();
        Accept("v=answer\r\n");
        Assert.Equal(500, _side.Statuses[^1]);
        _side.Do(now => Assert.True(Dialog.Respond(first, 200, "v=other\r\n"u8, default, now)));
        Assert.Equal([200, 200], _side.Statuses[^2..]);
        Assert.Equal(("v=other\r\n", ""), (Body(_side.Sent[^2].Text), LastBody));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_cancel_ends_what_is_open_with_487(bool isPrack)
    {
        string progress = Progress();
        Prack(progress, isPrack ? "v=second\r\n" : "");
        if (!isPrack)
        {
            Update("v=second\r\n");
        }
        _side.Receive(Sipside.Invite(extra: "Supported: 100rel\r\n", body: "").Replace("INVITE", "CANCEL", StringComparison.Ordinal));
        Assert.Equal([200, 487, 487], _side.Statuses[^3..].Order());
        _side.Receive(Sipside.Invite(method: "ACK", body: "").Replace("To: <sip:+15550100@198.51.100.1>", "To: <sip:+15550100@198.51.100.1>;tag=" + Dialog.LocalTag, StringComparison.Ordinal));
        _side.Advance(70_000);
        SipCounters counters = _side.Endpoint.Counters;
        Assert.Equal((0, 0, 0), (counters.ServerTransactions, counters.Dialogs, counters.Buffers));
    }

    [Fact]
    public void An_answer_that_waits_can_be_taken_back_and_the_invite_be_refused()
    {
        string progress = Progress();
        Accept("v=answer\r\n");
        Prack(progress, "v=useless\r\n");
        Dialog.Recall();
        Respond(200, "v=nothing\r\n");
        _side.Do(now => Assert.True(Dialog.Reject(488, default, default, now)));
        Assert.Equal([100, 183, 200, 488], _side.Statuses);
    }

    private void AssertNotNow()
    {
        Assert.Equal(500, _side.Statuses[^1]);
        Assert.InRange(int.Parse(Sipside.Header(_side.Last, "Retry-After"), System.Globalization.CultureInfo.InvariantCulture), 0, 10);
    }

    private static string Body(string message) => message[(message.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];

    private void Invite(string extra, string body = "v=0\r\n") => _side.Receive(Sipside.Invite(extra: extra, body: body));

    private void Ring(string offer = "") => _side.Do(now => Assert.True(Dialog.Ring(now, Encoding.ASCII.GetBytes(offer))));

    private void Accept(string sdp) => _side.Do(now => Assert.True(Dialog.Accept(Encoding.ASCII.GetBytes(sdp), default, now)));

    /// <summary>An INVITE with an offer, its answer in a reliable 183.</summary>
    private string Progress()
    {
        Invite("Supported: 100rel\r\n");
        _side.Do(now => Assert.True(Dialog.Progress("v=answer\r\n"u8, now)));
        return _side.Last;
    }

    private void Prack(string response, string body = "", string extra = "")
    {
        int cseq = ++_cseq;
        _side.Receive(Sipside.InDialog("PRACK", Dialog, cseq, "z9hG4bKp" + cseq, $"RAck: {Sipside.Header(response, "RSeq")} 1 INVITE\r\n" + extra, body));
    }

    private void Update(string body)
    {
        int cseq = ++_cseq;
        _side.Receive(Sipside.InDialog("UPDATE", Dialog, cseq, "z9hG4bKu" + cseq, body: body));
    }

    /// <summary>Answers the request that was offered last.</summary>
    private void Respond(int status, string body)
    {
        SlotId request = _side.Events[^1].Event.Request;
        _side.Do(now => Assert.True(Dialog.Respond(request, status, Encoding.ASCII.GetBytes(body), default, now)));
    }
}
