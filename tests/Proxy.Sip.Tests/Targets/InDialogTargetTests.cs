using System;
using System.Linq;
using Proxy.Core;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Targets;
using Xunit;

namespace Proxy.Sip.Tests.Targets;

/// <summary>Where our requests in a dialog go when the next hop is a name (RFC 3263 §4), and when they are long (RFC 3261 §18.1.1).</summary>
public sealed class InDialogTargetTests
{
    private const string Pair = "Record-Route: <sip:edge.example.com;lr>\r\n";
    private const string First = "192.0.2.10:5060";
    private const string Second = "192.0.2.11:5060";

    private static SipTarget At(string text, SipTransport transport = SipTransport.Udp) => new(transport, Sipside.EndPoint(text));

    /// <summary>A call behind a pair of proxies that name themselves; it came from 192.0.2.10:5062.</summary>
    private static SipDialog Establish(Sipside side, string record = Pair, params SipTarget[] targets)
    {
        SipDialog dialog = side.Establish(extra: record);
        TargetName name = Assert.Single(side.LookUps());
        side.Endpoint.HandleTargets(name, new TargetList(targets, TimeSpan.FromSeconds(300)), side.Now);
        return dialog;
    }

    private static string[] Where(Sipside side) => [.. side.Sent.Select(s => $"{s.Flow.Transport}/{s.Flow.Remote}".ToLowerInvariant())];

    [Fact]
    public void Name_is_asked_about_when_the_owner_takes_the_call_and_again_before_its_life_is_over()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(extra: Pair));
        Assert.Empty(side.LookUps());
        SipDialog dialog = side.Events[^1].Dialog;
        side.Do(now => dialog.Ring(now));
        TargetName name = Assert.Single(side.LookUps());
        Assert.Equal(new TargetName("edge.example.com", 0, null), name);
        side.Endpoint.HandleTargets(name, new TargetList([At(First)], TimeSpan.FromSeconds(90)), side.Now);
        side.Do(now => dialog.Ring(now));
        side.Advance(80_000);
        Assert.Empty(side.LookUps());
        side.Advance(2_000);
        Assert.Single(side.LookUps());
        // An answer that does not come is asked for again.
        side.Advance(31_000);
        Assert.Single(side.LookUps());
        side.Endpoint.HandleTargets(name, new TargetList([], TimeSpan.FromSeconds(1), isFailure: true), side.Now);
        side.Advance(26_000);
        Assert.Empty(side.LookUps());
        side.Do(now => dialog.Reject(486, default, default, now));
        side.Advance(600_000);
        Assert.Empty(side.LookUps());
    }

    [Fact]
    public void Refused_call_asks_nobody()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(extra: Pair));
        side.Do(now => side.Events[^1].Dialog.Reject(403, default, default, now));
        Assert.Empty(side.LookUps());
    }

    [Fact]
    public void Calls_of_one_carrier_share_one_question()
    {
        using var side = new Sipside();
        for (int i = 0; i < 20; i++)
        {
            side.Receive(Sipside.Invite("z9hG4bK" + i, "call" + i, extra: Pair));
            side.Do(now => side.Events[^1].Dialog.Ring(now));
        }
        Assert.Single(side.LookUps());
    }

    [Fact]
    public void Bye_goes_to_the_second_target_when_the_first_is_silent()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side, Pair, At(First), At(Second));
        side.Do(now => Assert.True(dialog.Bye(default, default, now)));
        side.Advance(8_100);
        Assert.Equal("udp/" + Second, Where(side)[^1]);
        Assert.All(Where(side)[..^1], w => Assert.Equal("udp/" + First, w));
        Assert.Equal(Sipside.Header(side.Sent[0].Text, "CSeq"), Sipside.Header(side.Last, "CSeq"));
        Assert.NotEqual(Sipside.Header(side.Sent[0].Text, "Via"), Sipside.Header(side.Last, "Via"));
        side.Receive(Sipside.Answer(side.Last, "200 OK"));
        Assert.Equal([SipEventKind.TargetFailed, SipEventKind.ByeFinished], side.Kinds);
        side.Advance(120_000);
        SipCounters counters = side.Endpoint.Counters;
        Assert.Equal((0, 0, 0, 0, 1L), (counters.Dialogs, counters.ClientTransactions, counters.ServerTransactions, counters.Buffers, counters.TargetsFailed));
    }

    [Fact]
    public void Place_that_was_silent_is_asked_last_by_the_next_call()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side, Pair, At(First), At(Second));
        side.Do(now => dialog.Bye(default, default, now));
        side.Advance(8_100);
        side.Receive(Sipside.Answer(side.Last, "200 OK"));
        SipDialog next = side.Establish(extra: Pair, callId: "next");
        Assert.Empty(side.LookUps());
        side.Do(now => next.Info("text/plain"u8, "x"u8, default, now));
        Assert.Equal(["udp/" + Second], Where(side));
    }

    [Fact]
    public void Answer_503_moves_the_request_on_and_is_acknowledged_where_it_came_from()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side, Pair, At(First), At(Second));
        side.Do(now => Assert.True(dialog.Invite("v=0\r\n"u8, default, now)));
        side.Receive(Sipside.Answer(side.Last, "503 Service Unavailable"));
        Assert.Equal(["INVITE", "ACK", "INVITE"], side.Sent.Select(s => s.Text.Split(' ')[0]));
        Assert.Equal(["udp/" + First, "udp/" + First, "udp/" + Second], Where(side));
        side.Receive(Sipside.Answer(side.Last, "200 OK", "Contact: <sip:alice@192.0.2.10:5062>\r\nContent-Type: application/sdp\r\n", "v=0\r\n"));
        Assert.Equal(("ACK", "udp/" + Second), (side.Last.Split(' ')[0], Where(side)[^1]));
        Assert.Equal([SipEventKind.TargetFailed, SipEventKind.RequestSucceeded], side.Kinds);
    }

    [Fact]
    public void Last_503_is_the_answer()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side, Pair, At(First), At(Second));
        side.Do(now => dialog.Refer("tel:+1"u8, default, now));
        for (int i = 0; i < 3; i++)
        {
            side.Receive(Sipside.Answer(side.Last, "503 Service Unavailable"));
        }
        // The two that the name stands for, then the address that the call came from.
        Assert.Equal(["udp/" + First, "udp/" + Second, "udp/192.0.2.10:5062"], Where(side));
        Assert.Equal((SipEventKind.RequestFailed, 503), (side.Events[^1].Kind, side.Events[^1].Event.Status));
    }

    [Fact]
    public void Refused_connection_moves_the_request_on_at_once()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side, Pair, At(First, SipTransport.Tcp), At(Second, SipTransport.Tcp), At(Second));
        side.Do(now => dialog.Bye(default, default, now));
        Assert.Contains("SIP/2.0/TCP 198.51.100.1:5060", Sipside.Header(side.Last, "Via"), StringComparison.Ordinal);
        side.Do(now => side.Endpoint.HandleSendFailed(side.Sent[^1].Flow, now));
        side.Do(now => side.Endpoint.HandleSendFailed(side.Sent[^1].Flow, now));
        Assert.Equal(["tcp/" + First, "tcp/" + Second, "udp/" + Second], Where(side));
        Assert.Contains("SIP/2.0/UDP 198.51.100.1:5060", Sipside.Header(side.Last, "Via"), StringComparison.Ordinal);
    }

    [Fact]
    public void Provisional_answer_shows_that_the_place_lives()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side, Pair, At(First), At(Second));
        side.Do(now => dialog.Refer("tel:+1"u8, default, now));
        side.Advance(7_000);
        side.Receive(Sipside.Answer(side.Last, "100 Trying"));
        side.Advance(26_000);
        Assert.All(Where(side), w => Assert.Equal("udp/" + First, w));
        Assert.Equal((SipEventKind.RequestFailed, 408), (side.Events[^1].Kind, side.Events[^1].Event.Status));
    }

    [Fact]
    public void Place_that_the_call_came_from_goes_first_and_then_the_one_that_answered()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side, Pair, At("192.0.2.9:5060"), At(Second), At(First));
        side.Do(now => dialog.Info("text/plain"u8, "x"u8, default, now));
        Assert.Equal("udp/" + First, Where(side)[^1]);
        side.Advance(8_100);
        Assert.Equal("udp/192.0.2.9:5060", Where(side)[^1]);
        side.Receive(Sipside.Answer(side.Last, "200 OK"));
        side.Do(now => dialog.Info("text/plain"u8, "y"u8, default, now));
        Assert.Equal("udp/192.0.2.9:5060", Where(side)[^1]);
    }

    [Fact]
    public void Without_an_answer_the_calls_own_flow_is_used_and_it_is_told_once()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish(extra: Pair);
        side.Do(now => dialog.Info("text/plain"u8, "x"u8, default, now));
        side.Receive(Sipside.Answer(side.Last, "200 OK"));
        side.Do(now => dialog.Bye(default, default, now));
        Assert.Equal(["udp/192.0.2.10:5062", "udp/192.0.2.10:5062"], Where(side));
        Assert.Equal(1, side.Kinds.Count(k => k == SipEventKind.TargetUnknown));
        Assert.Equal(2, side.Endpoint.Counters.TargetsUnknown);
    }

    [Fact]
    public void Answer_that_comes_while_the_request_is_under_way_gives_it_another_place()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish(extra: Pair);
        side.Do(now => dialog.Bye(default, default, now));
        TargetName name = Assert.Single(side.LookUps());
        side.Endpoint.HandleTargets(name, new TargetList([At(Second)], TimeSpan.FromSeconds(300)), side.Now);
        side.Advance(33_000);
        Assert.Equal("udp/" + Second, Where(side)[^1]);
    }

    [Theory]
    [InlineData("10.1.2.3:5060")]
    [InlineData("127.0.0.1:5060")]
    [InlineData("224.0.0.1:5060")]
    [InlineData("198.51.100.1:5060")]
    [InlineData("[2001:db8::1]:5060")]
    public void Name_that_stands_for_what_is_none_of_its_business_is_not_followed(string target)
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side, Pair, At(target));
        side.Do(now => dialog.Bye(default, default, now));
        Assert.Equal(["udp/192.0.2.10:5062"], Where(side));
    }

    [Fact]
    public void Call_on_a_living_connection_stays_on_it_and_is_carried_on_by_name_when_it_breaks()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish(Sipside.Tcp, Pair);
        TargetName name = Assert.Single(side.LookUps());
        side.Endpoint.HandleTargets(name, new TargetList([At(Second, SipTransport.Tcp)], TimeSpan.FromSeconds(300)), side.Now);
        side.Do(now => dialog.Info("text/plain"u8, "x"u8, default, now));
        Assert.Equal(Sipside.Tcp, side.Sent[^1].Flow);
        side.Receive(Sipside.Answer(side.Last, "200 OK"), Sipside.Tcp);
        side.Do(now => side.Endpoint.HandleFlowClosed(Sipside.Tcp, now));
        side.Do(now => dialog.Info("text/plain"u8, "y"u8, default, now));
        Assert.Equal("tcp/" + Second, Where(side)[^1]);
    }

    [Fact]
    public void Call_over_tls_asks_nothing_in_clear()
    {
        using var side = new Sipside();
        var flow = new SipFlow(SipTransport.Tls, 2, 9, Sipside.Peer);
        SipDialog dialog = side.Establish(flow, Pair);
        Assert.Empty(side.LookUps());
        side.Do(now => side.Endpoint.HandleFlowClosed(in flow, now));
        side.Do(now => dialog.Bye(default, default, now));
        Assert.Equal(SipTransport.Tls, side.Sent[^1].Flow.Transport);
    }

    [Fact]
    public void Contact_that_is_a_name_is_asked_about_and_a_new_one_after_a_target_refresh()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(contact: "<sip:alice@one.example.com>"));
        SipDialog dialog = side.Events[^1].Dialog;
        side.Do(now => dialog.Accept("v=0\r\n"u8, default, now));
        side.Receive(Sipside.InDialog("ACK", dialog, 1, "z9hG4bKack"));
        Assert.Equal("one.example.com", Assert.Single(side.LookUps()).Host);
        side.Receive(Sipside.Invite("z9hG4bKre", toTag: dialog.LocalTag, cseq: 2, contact: "<sip:alice@two.example.com;transport=tcp>"));
        side.Do(now => dialog.Respond(side.Events[^1].Event.Request, 200, "v=0\r\n"u8, default, now));
        Assert.Equal(new TargetName("two.example.com", 0, SipTransport.Tcp), Assert.Single(side.LookUps()));
    }

    [Fact]
    public void Table_of_names_is_bounded_and_gives_its_places_to_those_that_are_needed()
    {
        using var side = new Sipside(o => o with { Limits = o.Limits with { TargetNames = 2 } });
        SipDialog[] dialogs = [.. Enumerable.Range(0, 3).Select(i =>
        {
            side.Receive(Sipside.Invite("z9hG4bK" + i, "call" + i, contact: $"<sip:a@host{i}.example.com>"));
            side.Do(now => side.Events[^1].Dialog.Ring(now));
            return side.Events[^1].Dialog;
        })];
        Assert.Equal(["host0.example.com", "host1.example.com"], side.LookUps().Select(n => n.Host));
        Assert.Equal(1, side.Endpoint.Counters.TargetNamesFull);
        side.Do(now => dialogs[0].Reject(486, default, default, now));
        side.Receive(Sipside.Invite("z9hG4bK4", "call4", contact: "<sip:a@host4.example.com>"));
        side.Do(now => side.Events[^1].Dialog.Ring(now));
        Assert.Equal("host4.example.com", Assert.Single(side.LookUps()).Host);
    }

    // ---- RFC 3261 §18.1.1 ----

    private static readonly byte[] s_long = new byte[1_300];

    private static void Info(Sipside side, SipDialog dialog, int bytes)
    {
        Array.Fill(s_long, (byte)'x');
        side.Do(now => Assert.True(dialog.Info("text/plain"u8, s_long.AsSpan(0, bytes), default, now)));
    }

    /// <summary>Bytes of an INFO beside its body of three digits' length.</summary>
    private static int Overhead()
    {
        using var side = new Sipside();
        Info(side, side.Establish(), 100);
        return side.Last.Length - 100;
    }

    [Fact]
    public void Request_of_over_1300_bytes_goes_by_tcp_and_one_of_1300_does_not()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        int most = 1_300 - Overhead();
        Info(side, dialog, most);
        Assert.Equal((1_300, "udp/192.0.2.10:5062"), (side.Last.Length, Where(side)[^1]));
        side.Receive(Sipside.Answer(side.Last, "200 OK"));
        Info(side, dialog, most + 1);
        Assert.Equal((1_301, "tcp/192.0.2.10:5062"), (side.Last.Length, Where(side)[^1]));
        Assert.StartsWith("SIP/2.0/TCP 198.51.100.1:5060;rport;branch=", Sipside.Header(side.Last, "Via"), StringComparison.Ordinal);
        side.Receive(Sipside.Answer(side.Last, "200 OK"), Sipside.Tcp);
        Assert.Equal([SipEventKind.RequestSucceeded, SipEventKind.RequestSucceeded], side.Kinds);
        Assert.Equal(1, side.Endpoint.Counters.LongRequests);
    }

    [Fact]
    public void Carrier_without_tcp_gets_a_datagram_at_once_the_second_time()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        Info(side, dialog, 1_200);
        side.Do(now => side.Endpoint.HandleSendFailed(side.Sent[^1].Flow, now));
        Assert.Equal(["tcp/192.0.2.10:5062", "udp/192.0.2.10:5062"], Where(side));
        Assert.Equal(Sipside.Header(side.Sent[0].Text, "CSeq"), Sipside.Header(side.Last, "CSeq"));
        side.Receive(Sipside.Answer(side.Last, "200 OK"));
        Info(side, dialog, 1_200);
        Assert.Equal("udp/192.0.2.10:5062", Where(side)[^1]);
        side.Receive(Sipside.Answer(side.Last, "200 OK"));
        side.Advance(301_000);
        Info(side, dialog, 1_200);
        Assert.Equal("tcp/192.0.2.10:5062", Where(side)[^1]);
    }

    [Fact]
    public void Connection_that_is_taken_and_then_silent_becomes_a_datagram_too()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        Info(side, dialog, 1_200);
        side.Advance(7_900);
        Assert.Single(side.Sent);
        side.Advance(200);
        Assert.Equal(["tcp/192.0.2.10:5062", "udp/192.0.2.10:5062"], Where(side));
    }

    [Fact]
    public void Phone_behind_nat_is_not_asked_for_a_connection_that_it_cannot_take()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(contact: "<sip:alice@192.168.1.20:5060>"));
        SipDialog dialog = side.Events[^1].Dialog;
        side.Do(now => dialog.Accept("v=0\r\n"u8, default, now));
        side.Receive(Sipside.InDialog("ACK", dialog, 1, "z9hG4bKack"));
        Info(side, dialog, 1_200);
        Assert.Equal("udp/192.0.2.10:5062", Where(side)[^1]);
    }

    [Fact]
    public void Request_that_grows_by_its_credentials_goes_by_tcp()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        dialog.Login = new Proxy.Sip.Auth.DigestLogin("u", "p");
        Info(side, dialog, 1_300 - Overhead());
        side.Receive(Sipside.Answer(side.Last, "407 x", "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"));
        Assert.Equal("tcp/192.0.2.10:5062", Where(side)[^1]);
        Assert.StartsWith("SIP/2.0/TCP", Sipside.Header(side.Last, "Via"), StringComparison.Ordinal);
        // To the byte: as much less as it was too long is a datagram.
        int tooLong = side.Last.Length - 1_300;
        foreach (int spare in new[] { 0, 1 })
        {
            side.Receive(Sipside.Answer(side.Last, "200 OK"));
            Info(side, dialog, 1_300 - Overhead() - tooLong + spare);
            side.Receive(Sipside.Answer(side.Last, "407 x", "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"));
            Assert.Equal((1_300 + spare, spare == 0 ? SipTransport.Udp : SipTransport.Tcp), (side.Last.Length, side.Sent[^1].Flow.Transport));
        }
    }

    [Fact]
    public void Long_request_to_a_pair_tries_both_ways_of_each()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side, Pair, At(First), At(Second));
        Info(side, dialog, 1_200);
        for (int i = 0; i < 3; i++)
        {
            SipFlow flow = side.Sent[^1].Flow;
            if (flow.IsReliable)
            {
                side.Do(now => side.Endpoint.HandleSendFailed(in flow, now));
            }
            else
            {
                side.Receive(Sipside.Answer(side.Last, "503 x"));
            }
        }
        Assert.Equal(["tcp/" + First, "udp/" + First, "tcp/" + Second, "udp/" + Second], Where(side));
    }
}
