using System;
using System.Linq;
using Proxy.Core.Collections;
using Proxy.Core.Net;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;
using Xunit;

namespace Proxy.Sip.Tests.Dialogs;

public sealed class InDialogTests
{
    private static SipFlow Stranger => new(SipTransport.Udp, 0, 0, Sipside.EndPoint("203.0.113.66:5060"));

    [Fact]
    public void Participant_who_read_the_attributes_cannot_touch_the_call()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.InDialog("BYE", dialog, 2, "z9hG4bKx1"), Stranger);
        side.Receive(Sipside.InDialog("INVITE", dialog, 3, "z9hG4bKx2", body: "v=0\r\n"), Stranger);
        Assert.Equal([481, 481], side.Statuses);
        Assert.Empty(side.Events);
        Assert.Equal(2, side.Endpoint.Counters.ForeignSource);
        Assert.Equal(SipDialogState.Confirmed, dialog.State);
    }

    [Fact]
    public void Other_addresses_of_the_trunk_may_take_part()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        Assert.True(NetAddress.TryParse("203.0.113.0", out NetAddress network));
        dialog.AllowedSources = [new SipSourceRange(network, 24)];
        side.Receive(Sipside.InDialog("BYE", dialog, 2, "z9hG4bKx1"), Stranger);
        Assert.Equal([200], side.Statuses);
        Assert.Equal([SipEventKind.ByeReceived], side.Kinds);
    }

    [Theory]
    [InlineData("call-2@peer", "ft1", true)]
    [InlineData("call-1@peer", "other", true)]
    [InlineData("call-1@peer", "ft1", false)]
    public void All_three_ids_must_match(string callId, string fromTag, bool isOurTag)
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.Invite("z9hG4bKq", callId, fromTag, isOurTag ? dialog.LocalTag : "SCL_doesnotexist", 2, method: "BYE", body: ""));
        Assert.Equal([481], side.Statuses);
        Assert.Empty(side.Events);
    }

    [Fact]
    public void Invite_with_an_unknown_to_tag_makes_no_call()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(toTag: "SCL_doesnotexist"));
        Assert.Equal([481], side.Statuses);
        Assert.Empty(side.Events);
    }

    [Fact]
    public void Lower_cseq_gives_500()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.InDialog("INFO", dialog, 5, "z9hG4bKi1"));
        side.Receive(Sipside.InDialog("INFO", dialog, 4, "z9hG4bKi2"));
        Assert.Equal([500], side.Statuses);
        Assert.Equal([SipEventKind.Info], side.Kinds);
    }

    [Fact]
    public void Info_is_answered_by_the_owner_and_repeated_answers_come_from_the_transaction()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        string info = Sipside.InDialog("INFO", dialog, 2, "z9hG4bKi1", "Content-Type: application/dtmf-relay\r\n", "Signal=1\r\n");
        side.Receive(info);
        Assert.EndsWith("Signal=1\r\n", side.Events[0].Text);
        side.Do(now => Assert.True(dialog.Respond(side.Events[0].Event.Request, 200, default, default, now)));
        side.Do(now => Assert.False(dialog.Respond(side.Events[0].Event.Request, 200, default, default, now)));
        side.Receive(info);
        Assert.Equal([200, 200], side.Statuses);
        Assert.Single(side.Events);
    }

    [Fact]
    public void Reinvite_is_answered_repeated_and_acknowledged_and_moves_the_target()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.Invite("z9hG4bKr1", toTag: dialog.LocalTag, cseq: 2, contact: "<sip:alice@192.0.2.11:5070>"));
        Assert.Equal([100], side.Statuses);
        side.Do(now => Assert.True(dialog.Respond(side.Events[0].Event.Request, 200, "v=2\r\n"u8, default, now)));
        side.Advance(500);
        Assert.Equal([100, 200, 200], side.Statuses);
        Assert.Equal("<sip:198.51.100.1:5060>", Sipside.Header(side.Last, "Contact"));
        side.Receive(Sipside.InDialog("ACK", dialog, 2, "z9hG4bKra"));
        side.Advance(40_000);
        Assert.Equal([100, 200, 200], side.Statuses);
        Assert.Equal([SipEventKind.ReInvite, SipEventKind.Confirmed], side.Kinds);
        side.Do(now => dialog.Bye(default, default, now));
        Assert.StartsWith("BYE sip:alice@192.0.2.11:5070 SIP/2.0\r\n", side.Last);
    }

    [Fact]
    public void Refused_reinvite_leaves_the_call_as_it_was()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.Invite("z9hG4bKr1", toTag: dialog.LocalTag, cseq: 2, contact: "<sip:alice@192.0.2.11:5070>"));
        side.Do(now => Assert.True(dialog.Respond(side.Events[0].Event.Request, 488, default, "Warning: 304 x \"no\"\r\n"u8, now)));
        Assert.Equal([100, 488], side.Statuses);
        side.Receive(Sipside.Invite("z9hG4bKr1", toTag: dialog.LocalTag, cseq: 2, method: "ACK", body: ""));
        side.Advance(10_000);
        Assert.Equal(2, side.Sent.Count);
        Assert.Equal("sip:alice@192.0.2.10:5062", System.Text.Encoding.ASCII.GetString(dialog.RemoteTarget));
    }

    [Fact]
    public void Second_invite_while_the_first_is_open_gives_500_with_retry_after()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.InDialog("INVITE", dialog, 2, "z9hG4bKr1", body: "v=0\r\n"));
        side.Receive(Sipside.InDialog("INVITE", dialog, 3, "z9hG4bKr2", body: "v=0\r\n"));
        Assert.Equal([100, 500], side.Statuses);
        Assert.InRange(int.Parse(Sipside.Header(side.Last, "Retry-After")), 0, 10);
        using var early = new Sipside();
        early.Receive(Sipside.Invite());
        early.Receive(Sipside.InDialog("INVITE", early.Events[0].Dialog, 2, "z9hG4bKr2", body: "v=0\r\n"));
        Assert.Equal([100, 500], early.Statuses);
    }

    [Fact]
    public void Invite_glare_gives_491()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Do(now => Assert.True(dialog.Invite("v=0\r\n"u8, default, now)));
        side.Receive(Sipside.InDialog("INVITE", dialog, 2, "z9hG4bKr1", body: "v=0\r\n"));
        Assert.Equal([491], side.Statuses);
        side.Receive(Sipside.Answer(side.Sent[0].Text, "491 Request Pending"));
        Assert.Equal((SipEventKind.RequestFailed, 491, SipMethod.Invite), (side.Events[^1].Kind, side.Events[^1].Event.Status, side.Events[^1].Event.Method));
        side.Do(now => Assert.True(dialog.Invite("v=0\r\n"u8, default, now)));
    }

    [Fact]
    public void Cancelled_reinvite_gives_487_and_the_call_goes_on()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.InDialog("INVITE", dialog, 2, "z9hG4bKr1", body: "v=0\r\n"));
        side.Receive(Sipside.InDialog("CANCEL", dialog, 2, "z9hG4bKr1"));
        Assert.Equal([100, 200, 487], side.Statuses);
        Assert.Equal([SipEventKind.ReInvite, SipEventKind.ReInviteCancelled], side.Kinds);
        Assert.Equal(SipDialogState.Confirmed, dialog.State);
    }

    [Fact]
    public void Bye_while_a_reinvite_is_open_refuses_it_with_487()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.InDialog("INVITE", dialog, 2, "z9hG4bKr1", body: "v=0\r\n"));
        side.Receive(Sipside.InDialog("BYE", dialog, 3, "z9hG4bKb1"));
        Assert.Equal([100, 200, 487], side.Statuses);
        side.Receive(Sipside.InDialog("INVITE", dialog, 4, "z9hG4bKr2", body: ""));
        Assert.Equal(481, side.Statuses[^1]);
    }

    [Fact]
    public void Bye_glare_answers_200_and_ends_once()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Do(now => dialog.Bye(default, default, now));
        side.Receive(Sipside.InDialog("BYE", dialog, 2, "z9hG4bKb1"));
        side.Receive(Sipside.Answer(side.Sent[0].Text, "481 Call Does Not Exist"));
        Assert.Equal(200, Assert.Single(side.Statuses));
        Assert.Equal([SipEventKind.ByeFinished], side.Kinds);
        Assert.Equal(0, side.Endpoint.Counters.Dialogs);
    }

    [Fact]
    public void Bye_before_the_ack_stops_the_200()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        SipDialog dialog = side.Events[0].Dialog;
        side.Do(now => dialog.Accept("v=0\r\n"u8, default, now));
        side.Receive(Sipside.InDialog("BYE", dialog, 2, "z9hG4bKb1"));
        side.Advance(60_000);
        Assert.Equal([100, 200, 200], side.Statuses);
        Assert.Equal([SipEventKind.Invite, SipEventKind.ByeReceived], side.Kinds);
    }

    [Fact]
    public void Offerless_invite_gets_our_offer_and_the_ack_brings_the_answer()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(body: ""));
        SipDialog dialog = side.Events[0].Dialog;
        side.Do(now => Assert.True(dialog.Accept("v=offer\r\n"u8, default, now)));
        side.Receive(Sipside.InDialog("INVITE", dialog, 2, "z9hG4bKr1", body: "v=0\r\n"));
        Assert.Equal(491, side.Statuses[^1]);
        side.Receive(Sipside.InDialog("ACK", dialog, 1, "z9hG4bKack", body: "v=answer\r\n"));
        Assert.Equal(SipEventKind.Confirmed, side.Events[^1].Kind);
        Assert.EndsWith("v=answer\r\n", side.Events[^1].Text);
    }

    [Fact]
    public void Reinvite_may_overtake_the_ack()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        SipDialog dialog = side.Events[0].Dialog;
        side.Do(now => dialog.Accept("v=0\r\n"u8, default, now));
        side.Receive(Sipside.InDialog("INVITE", dialog, 2, "z9hG4bKr1", body: "v=0\r\n"));
        Assert.Equal(SipEventKind.ReInvite, side.Events[^1].Kind);
        side.Advance(40_000);
        Assert.Equal([100, 200, 100], side.Statuses);
    }

    [Fact]
    public void Update_without_sdp_is_answered_and_with_sdp_offered_to_the_owner()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.InDialog("UPDATE", dialog, 2, "z9hG4bKu1"));
        Assert.Equal([200], side.Statuses);
        Assert.True(side.Events[0].Event.Request.IsNone);
        side.Receive(Sipside.InDialog("UPDATE", dialog, 3, "z9hG4bKu2", body: "v=0\r\n"));
        SlotId request = side.Events[1].Event.Request;
        side.Receive(Sipside.InDialog("UPDATE", dialog, 4, "z9hG4bKu3", body: "v=0\r\n"));
        Assert.Equal([200, 500], side.Statuses);
        side.Do(now => Assert.True(dialog.Respond(request, 200, "v=1\r\n"u8, default, now)));
        Assert.Contains("Content-Type: application/sdp", side.Last);
        Assert.Equal([SipEventKind.Update, SipEventKind.Update], side.Kinds);
    }

    [Fact]
    public void Refer_is_sent_and_its_progress_notified()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.InDialog("NOTIFY", dialog, 2, "z9hG4bKn0", "Event: refer\r\nSubscription-State: active\r\n"));
        Assert.Equal([481], side.Statuses);
        side.Do(now => Assert.True(dialog.Refer("tel:+15550177"u8, "Referred-By: <sip:a@b>\r\n"u8, now)));
        Assert.Equal("<tel:+15550177>", Sipside.Header(side.Last, "Refer-To"));
        Assert.Equal("<sip:198.51.100.1:5060>", Sipside.Header(side.Last, "Contact"));
        side.Receive(Sipside.Answer(side.Last, "202 Accepted"));
        side.Receive(Sipside.InDialog("NOTIFY", dialog, 3, "z9hG4bKn1", "Event: refer;id=1\r\nSubscription-State: active;expires=60\r\nContent-Type: message/sipfrag;version=2.0\r\n", "SIP/2.0 180 Ringing\r\n"));
        side.Receive(Sipside.InDialog("NOTIFY", dialog, 4, "z9hG4bKn2", "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\nContent-Type: message/sipfrag\r\n", "SIP/2.0 486 Busy Here\r\n"));
        side.Receive(Sipside.InDialog("NOTIFY", dialog, 5, "z9hG4bKn3", "Event: refer\r\nSubscription-State: terminated\r\n"));
        Assert.Equal([481, 200, 200, 200], side.Statuses);
        Assert.Equal([SipEventKind.RequestSucceeded, SipEventKind.NotifyReceived, SipEventKind.NotifyReceived, SipEventKind.NotifyReceived], side.Kinds);
        Assert.Equal([(180, false), (486, true), (0, true)], side.Events.Skip(1).Select(e => (e.Event.Status, e.Event.IsLast)));
    }

    [Fact]
    public void Refer_of_the_peer_is_answered_by_the_owner_and_notified()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.InDialog("REFER", dialog, 7, "z9hG4bKr1", "Refer-To: <tel:+1>\r\n"));
        side.Do(now => Assert.True(dialog.Respond(side.Events[0].Event.Request, 202, default, default, now)));
        Assert.Equal("<sip:198.51.100.1:5060>", Sipside.Header(side.Last, "Contact"));
        side.Do(now => Assert.True(dialog.Notify(7, 100, isLast: false, now)));
        Assert.Equal(("refer;id=7", "active;expires=180", "<sip:198.51.100.1:5060>"), (Sipside.Header(side.Last, "Event"), Sipside.Header(side.Last, "Subscription-State"), Sipside.Header(side.Last, "Contact")));
        Assert.EndsWith("Content-Type: message/sipfrag;version=2.0\r\nContent-Length: 24\r\n\r\nSIP/2.0 100 Processing\r\n", side.Last, StringComparison.Ordinal);
        side.Receive(Sipside.Answer(side.Last, "200 OK"));
        side.Do(now => Assert.True(dialog.Notify(7, 486, isLast: true, now)));
        Assert.Equal("terminated;reason=noresource", Sipside.Header(side.Last, "Subscription-State"));
        Assert.EndsWith("SIP/2.0 486 Busy Here\r\n", side.Last, StringComparison.Ordinal);
    }

    [Fact]
    public void Notify_of_an_earlier_refer_is_481()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Do(now => Assert.True(dialog.Refer("tel:+1"u8, default, now)));
        side.Receive(Sipside.Answer(side.Last, "202 Accepted"));
        side.Do(now => Assert.True(dialog.Refer("tel:+2"u8, default, now)));
        side.Receive(Sipside.Answer(side.Last, "202 Accepted"));
        foreach ((string id, int cseq) in new[] { (";id=1", 2), (";id=2", 3), ("", 4), (";id=99999999999", 5) })
        {
            side.Receive(Sipside.InDialog("NOTIFY", dialog, cseq, "z9hG4bKn" + cseq, $"Event: refer{id}\r\nSubscription-State: active\r\nContent-Type: message/sipfrag\r\n", "SIP/2.0 180 Ringing\r\n"));
        }
        Assert.Equal([481, 200, 200, 200], side.Statuses);
        Assert.Equal(3, side.Kinds.Count(k => k == SipEventKind.NotifyReceived));
    }

    [Fact]
    public void Refer_to_something_that_would_break_the_header_is_not_sent()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Do(now => Assert.False(dialog.Refer("sip:a@b>\r\nEvil: 1"u8, default, now)));
        Assert.Empty(side.Sent);
    }

    [Theory]
    [InlineData("NOTIFY", "Event: presence\r\n", 489)]
    [InlineData("OPTIONS", "", 200)]
    [InlineData("MESSAGE", "", 405)]
    [InlineData("SUBSCRIBE", "", 405)]
    [InlineData("FOO", "", 501)]
    [InlineData("PRACK", "RAck: 1 1 INVITE\r\n", 481)]
    [InlineData("INFO", "Require: foo\r\n", 420)]
    [InlineData("INVITE", "Content-Type: text/plain\r\n", 415)]
    public void Requests_that_need_no_owner_are_answered_at_once(string method, string extra, int status)
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.InDialog(method, dialog, 2, "z9hG4bKm1", extra, method == "INVITE" ? "hello" : ""));
        Assert.Equal([status], side.Statuses);
        Assert.Empty(side.Events);
        Assert.Equal(status == 405, Sipside.Header(side.Last, "Allow").Contains("INVITE, ACK") && status == 405);
    }

    [Fact]
    public void Challenged_call_keeps_its_id()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        side.Do(now => Assert.True(side.Events[0].Dialog.Challenge("Digest realm=\"LiveKit\",nonce=\"n\""u8, now)));
        Assert.Equal("Digest realm=\"LiveKit\",nonce=\"n\"", Sipside.Header(side.Last, "Proxy-Authenticate"));
        side.Receive(Sipside.Invite(method: "ACK", body: ""));
        side.Receive(Sipside.Invite("z9hG4bKa2", cseq: 2));
        Assert.Equal([100, 407, 100], side.Statuses);
        Assert.Equal(2, side.Events.Count);
        Assert.Equal(side.Events[0].Dialog.LocalTag, side.Events[1].Dialog.LocalTag);
        side.Receive(Sipside.Invite("z9hG4bKa3", "another"));
        Assert.NotEqual(side.Events[0].Dialog.LocalTag, side.Events[2].Dialog.LocalTag);
    }

    [Fact]
    public void Listener_says_whether_credentials_are_asked_for_with_401_or_407()
    {
        using var side = new Sipside(o => o with { Listeners = [o.Listeners[0], o.Listeners[1] with { Challenge = 401 }, o.Listeners[2]] });
        foreach ((SipFlow flow, int status, string field) in new[] { (Sipside.Udp, 407, "Proxy-Authenticate"), (Sipside.Tcp, 401, "WWW-Authenticate") })
        {
            side.Receive(Sipside.Invite("z9hG4bK" + status, "c" + status), flow);
            side.Do(now => Assert.True(side.Events[^1].Dialog.Challenge("Digest nonce=\"n\""u8, now)));
            Assert.Equal((status, "Digest nonce=\"n\""), (side.Statuses[^1], Sipside.Header(side.Last, field)));
            Assert.Equal(status, side.Events[^1].Dialog.FinalStatus);
        }
    }

    [Fact]
    public void Connection_that_carries_the_call_carries_our_requests_and_its_loss_is_told()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish(Sipside.Tcp);
        side.Endpoint.HandleFlowClosed(Sipside.Tcp, side.Now);
        side.Drain();
        Assert.Equal([SipEventKind.FlowClosed], side.Kinds);
        side.Do(now => dialog.Bye(default, default, now));
        Assert.Equal(new SipFlow(SipTransport.Tcp, 1, 0, Sipside.EndPoint("192.0.2.10:5062")), side.Sent[^1].Flow);
        side.Endpoint.HandleSendFailed(side.Sent[^1].Flow, side.Now);
        side.Drain();
        Assert.Equal((SipEventKind.ByeFinished, 503), (side.Events[^1].Kind, side.Events[^1].Event.Status));
    }

    [Fact]
    public void Connection_is_in_use_as_long_as_a_dialog_lives_on_it()
    {
        using var side = new Sipside();
        Assert.False(side.Endpoint.HasDialogOn(Sipside.Tcp));
        SipDialog dialog = side.Establish(Sipside.Tcp);
        Assert.True(side.Endpoint.HasDialogOn(Sipside.Tcp));
        Assert.False(side.Endpoint.HasDialogOn(Sipside.Tcp with { Connection = 8 }));
        side.Receive(Sipside.InDialog("BYE", dialog, 2, "z9hG4bKb"), Sipside.Tcp);
        side.Advance(40_000);
        Assert.False(side.Endpoint.HasDialogOn(Sipside.Tcp));
    }

    [Fact]
    public void Request_whose_connection_breaks_goes_out_again_over_a_new_one()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish(Sipside.Tcp);
        side.Do(now => dialog.Bye(default, default, now));
        side.Endpoint.HandleFlowClosed(Sipside.Tcp, side.Now);
        side.Drain();
        Assert.Equal([7, 0], side.Sent.Select(s => s.Flow.Connection));
        Assert.Equal(side.Sent[0].Text, side.Sent[1].Text);
        side.Receive(Sipside.Answer(side.Last, "200 OK"), Sipside.Tcp with { Connection = 12 });
        Assert.Equal([SipEventKind.ByeFinished], side.Kinds);
    }

    [Fact]
    public void Response_whose_connection_broke_goes_to_the_port_of_the_via()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(transport: "TCP"), Sipside.Tcp with { Remote = Sipside.EndPoint("192.0.2.10:49152") });
        SipDialog dialog = side.Events[0].Dialog;
        side.Endpoint.HandleFlowClosed(Sipside.Tcp, side.Now);
        side.Do(now => Assert.True(dialog.Accept("v=0\r\n"u8, default, now)));
        Assert.Equal((0, "192.0.2.10:5062"), (side.Sent[^1].Flow.Connection, side.Sent[^1].Flow.Remote.ToString()));
    }

    [Fact]
    public void Request_that_the_owner_never_answers_is_forgotten()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.InDialog("INFO", dialog, 2, "z9hG4bKi"));
        side.Receive(Sipside.InDialog("INVITE", dialog, 3, "z9hG4bKr", body: "v=0\r\n"));
        side.Advance(33_000);
        Assert.Equal(0, side.Endpoint.Counters.ServerTransactions);
        side.Receive(Sipside.InDialog("INVITE", dialog, 4, "z9hG4bKr4", body: "v=0\r\n"));
        Assert.Equal(3, side.Events.Count);
    }

    [Fact]
    public void New_connection_of_the_peer_is_followed()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish(Sipside.Tcp);
        side.Endpoint.HandleFlowClosed(Sipside.Tcp, side.Now);
        SipFlow second = Sipside.Tcp with { Connection = 9 };
        side.Receive(Sipside.InDialog("INFO", dialog, 2, "z9hG4bKi"), second);
        side.Do(now => dialog.Bye(default, default, now));
        Assert.Equal(second, side.Sent[^1].Flow);
    }

    [Fact]
    public void Strict_router_gets_its_own_uri_in_the_request_line()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish(extra: "Record-Route: <sip:192.0.2.20>, <sip:192.0.2.21;lr>\r\n");
        side.Do(now => dialog.Bye(default, default, now));
        Assert.StartsWith("BYE sip:192.0.2.20 SIP/2.0\r\n", side.Last);
        Assert.Contains("Route: <sip:192.0.2.21;lr>\r\nRoute: <sip:alice@192.0.2.10:5062>\r\n", side.Last);
    }
}
