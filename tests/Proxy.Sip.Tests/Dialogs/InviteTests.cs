using System;
using System.Linq;
using Proxy.Sip;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Tests;
using Xunit;

namespace Proxy.Sip.Tests.Dialogs;

public sealed class InviteTests
{
    [Fact]
    public void Invite_gets_100_with_our_tag_at_once_then_180_and_200_with_the_same_tag()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(extra: "Timestamp: 54\r\nRecord-Route: <sip:p1.example.com;lr>,\r\n <sip:p2.example.com;lr>\r\n"));
        Assert.Equal([SipEventKind.Invite], side.Kinds);
        SipDialog dialog = side.Events[0].Dialog;
        side.Do(now => Assert.True(dialog.Ring(now)));
        side.Do(now => Assert.True(dialog.Accept("v=0\r\n"u8, "X-Test: 1\r\n"u8, now)));

        Assert.Equal([100, 180, 200], side.Statuses);
        Assert.StartsWith("SIP/2.0 100 Processing\r\n", side.Sent[0].Text);
        Assert.Matches("^SCL_[2-9A-HJ-NP-Za-km-z]{12}$", dialog.LocalTag);
        Assert.All(side.Sent, s => Assert.EndsWith(";tag=" + dialog.LocalTag, Sipside.Header(s.Text, "To")));
        Assert.Equal("54", Sipside.Header(side.Sent[0].Text, "Timestamp"));
        Assert.Equal("SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bKa1;received=192.0.2.10;rport=5062", Sipside.Header(side.Last, "Via"));
        Assert.Equal("<sip:198.51.100.1:5060>", Sipside.Header(side.Last, "Contact"));
        Assert.Equal("<sip:p1.example.com;lr>,   <sip:p2.example.com;lr>", Sipside.Header(side.Last, "Record-Route"));
        Assert.Equal("1", Sipside.Header(side.Last, "X-Test"));
        Assert.Contains("BYE", Sipside.Header(side.Last, "Allow"));
        Assert.EndsWith("\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n", side.Last);
    }

    [Fact]
    public void Ack_confirms_once_and_stops_the_repetition()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        SipDialog dialog = side.Events[0].Dialog;
        side.Do(now => dialog.Accept("v=0\r\n"u8, default, now));
        side.Advance(600);
        Assert.Equal([100, 200, 200], side.Statuses);
        side.Receive(Sipside.InDialog("ACK", dialog, 1, "z9hG4bKack", body: "v=1\r\n"));
        side.Receive(Sipside.InDialog("ACK", dialog, 1, "z9hG4bKack"));
        Assert.Equal([SipEventKind.Invite, SipEventKind.Confirmed], side.Kinds);
        Assert.EndsWith("v=1\r\n", side.Events[1].Text);
        side.Receive(Sipside.Invite());
        side.Advance(100_000);
        Assert.Equal(3, side.Sent.Count);
        Assert.Equal(0, side.Endpoint.Counters.ServerTransactions);
    }

    [Fact]
    public void Repeated_invite_is_answered_by_the_transaction_and_makes_no_second_call()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        side.Receive(Sipside.Invite());
        Assert.Equal([100, 100], side.Statuses);
        SipDialog dialog = side.Events[0].Dialog;
        side.Do(now => dialog.Ring(now));
        side.Receive(Sipside.Invite());
        Assert.Equal([100, 100, 180, 180], side.Statuses);
        side.Do(now => dialog.Accept("v=0\r\n"u8, default, now));
        side.Receive(Sipside.Invite());
        Assert.Equal([100, 100, 180, 180, 200, 200], side.Statuses);
        Assert.Single(side.Events);
    }

    [Fact]
    public void Rejection_is_repeated_until_its_ack()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        side.Do(now => side.Events[0].Dialog.Reject(404, default, "Warning: 399 x \"no trunk\"\r\n"u8, now));
        side.Advance(1600);
        Assert.Equal([100, 404, 404, 404], side.Statuses);
        side.Receive(Sipside.Invite(method: "ACK", toTag: side.Events[0].Dialog.LocalTag, body: ""));
        side.Advance(100_000);
        Assert.Equal(4, side.Sent.Count);
        Assert.Equal(0, side.Endpoint.Counters.ServerTransactions);
        Assert.Equal(0, side.Endpoint.Counters.Dialogs);
        Assert.Equal(0, side.Endpoint.Counters.Buffers);
    }

    [Fact]
    public void Forged_source_gets_no_more_than_it_spent()
    {
        using var side = new Sipside(o => o with { TryingDelay = TimeSpan.FromMilliseconds(200) });
        string invite = Sipside.Invite();
        side.Receive(invite);
        side.Do(now => Assert.True(side.Events[0].Dialog.Reject(404, default, default, now, isRepeated: false)));
        side.Advance(10_000);
        Assert.Equal([404], side.Statuses);
        Assert.True(side.Last.Length <= invite.Length, $"{side.Last.Length} for {invite.Length}");
        side.Receive(invite);
        Assert.Equal([404, 404], side.Statuses);
        side.Advance(40_000);
        Assert.Equal(0, side.Endpoint.Counters.ServerTransactions);
    }

    [Fact]
    public void Cancel_before_the_answer_gives_200_and_487()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        side.Receive(Sipside.Invite(method: "CANCEL", body: ""));
        Assert.Equal([100, 200, 487], side.Statuses);
        Assert.Equal("1 CANCEL", Sipside.Header(side.Sent[1].Text, "CSeq"));
        Assert.Equal([SipEventKind.Invite, SipEventKind.Cancelled], side.Kinds);
        side.Receive(Sipside.Invite(method: "CANCEL", body: ""));
        Assert.Equal([100, 200, 487, 200], side.Statuses);
        side.Receive(Sipside.Invite());
        Assert.Equal([100, 200, 487, 200, 487], side.Statuses);
        Assert.Equal(2, side.Events.Count);
    }

    [Fact]
    public void Cancel_after_the_answer_gives_200_and_changes_nothing()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        side.Do(now => side.Events[0].Dialog.Accept("v=0\r\n"u8, default, now));
        side.Receive(Sipside.Invite(method: "CANCEL", body: ""));
        Assert.Equal([100, 200, 200], side.Statuses);
        Assert.Equal(SipDialogState.Confirmed, side.Events[0].Dialog.State);
        Assert.Single(side.Events);
    }

    [Fact]
    public void Stray_cancel_gives_481()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(method: "CANCEL", body: ""));
        Assert.Equal([481], side.Statuses);
    }

    [Fact]
    public void Bye_from_the_peer_gives_200_and_its_repetition_too()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Sipside.InDialog("BYE", dialog, 2, "z9hG4bKbye", "Reason: Q.850;cause=16\r\n"));
        side.Receive(Sipside.InDialog("BYE", dialog, 2, "z9hG4bKbye", "Reason: Q.850;cause=16\r\n"));
        Assert.Equal([200, 200], side.Statuses);
        Assert.Equal([SipEventKind.ByeReceived], side.Kinds);
        Assert.Contains("Q.850;cause=16", side.Events[0].Text);
        side.Receive(Sipside.InDialog("BYE", dialog, 3, "z9hG4bKbye3"));
        Assert.Equal(481, side.Statuses[^1]);
    }

    [Fact]
    public void Bye_in_the_early_dialog_gives_200_and_487_to_the_invite()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        side.Receive(Sipside.InDialog("BYE", side.Events[0].Dialog, 2, "z9hG4bKbye"));
        Assert.Equal([100, 200, 487], side.Statuses);
        Assert.Equal("2 BYE", Sipside.Header(side.Sent[1].Text, "CSeq"));
        Assert.Equal("1 INVITE", Sipside.Header(side.Sent[2].Text, "CSeq"));
        Assert.Equal([SipEventKind.Invite, SipEventKind.Cancelled], side.Kinds);
    }

    [Fact]
    public void Our_bye_follows_the_route_set_and_ends_with_its_answer()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish(extra: "Record-Route: <sip:192.0.2.20;lr>, <sip:192.0.2.21;lr>\r\n");
        side.Do(now => Assert.True(dialog.Bye("Q.850;cause=16"u8, default, now)));
        string bye = side.Last;
        Assert.StartsWith("BYE sip:alice@192.0.2.10:5062 SIP/2.0\r\n", bye);
        Assert.Contains("Route: <sip:192.0.2.20;lr>\r\nRoute: <sip:192.0.2.21;lr>\r\n", bye);
        Assert.Equal("<sip:+15550100@198.51.100.1>;tag=" + dialog.LocalTag, Sipside.Header(bye, "From"));
        Assert.Equal("\"Alice\" <sip:+15550199@example.com>;tag=ft1", Sipside.Header(bye, "To"));
        Assert.Equal("Q.850;cause=16", Sipside.Header(bye, "Reason"));
        Assert.Equal("192.0.2.20:5060", side.Sent[^1].Flow.Remote.ToString());
        side.Receive(Sipside.Answer(bye, "200 OK"));
        Assert.Equal([SipEventKind.ByeFinished], side.Kinds);
        side.Advance(100_000);
        Assert.Single(side.Sent);
        Assert.Equal(0, side.Endpoint.Counters.Dialogs);
        Assert.Equal(0, side.Endpoint.Counters.ClientTransactions);
    }

    [Fact]
    public void Bye_goes_to_the_source_when_the_contact_is_private()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(contact: "<sip:alice@10.1.2.3:5060>"));
        SipDialog dialog = side.Events[^1].Dialog;
        side.Do(now => dialog.Accept("v=0\r\n"u8, default, now));
        side.Receive(Sipside.InDialog("ACK", dialog, 1, "z9hG4bKack1"));
        side.Do(now => dialog.Bye(default, default, now));
        Assert.StartsWith("BYE sip:alice@10.1.2.3:5060 SIP/2.0\r\n", side.Last);
        Assert.Equal(Sipside.Peer, side.Sent[^1].Flow.Remote);
    }

    [Fact]
    public void Bye_before_the_ack_waits_for_it()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        SipDialog dialog = side.Events[0].Dialog;
        side.Do(now => dialog.Accept("v=0\r\n"u8, default, now));
        side.Do(now => Assert.True(dialog.Bye("SIP;cause=480"u8, default, now)));
        Assert.Equal([100, 200], side.Statuses);
        side.Receive(Sipside.InDialog("ACK", dialog, 1, "z9hG4bKack1"));
        Assert.StartsWith("BYE ", side.Last);
        Assert.Equal("SIP;cause=480", Sipside.Header(side.Last, "Reason"));
        Assert.DoesNotContain(SipEventKind.Confirmed, side.Kinds);
    }
}
