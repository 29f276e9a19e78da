using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using Proxy.Sip.Dialogs;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sip.Tests.Transactions;

/// <summary>The schedules of tests/data/sip-timing in virtual time.</summary>
public sealed class TimingTests
{
    private static readonly long[] s_untilT2 = [.. Schedule("E")];

    [Fact]
    public void Timer_e_and_f_repeat_bye_and_give_up()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        long start = side.Now.Micros / 1000;
        side.Do(now => dialog.Bye(default, default, now));
        side.Advance(60_000);
        Assert.Equal([0, .. s_untilT2], side.Sent.Select(s => s.At - start));
        Assert.Equal((start + 32_000, SipEventKind.ByeFinished, 408), (side.Events[^1].At, side.Events[^1].Kind, side.Events[^1].Event.Status));
        Assert.Equal(0, side.Endpoint.Counters.ClientTransactions + side.Endpoint.Counters.Dialogs);
    }

    [Fact]
    public void Timer_a_and_b_repeat_our_invite_and_give_up()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        long start = side.Now.Micros / 1000;
        side.Do(now => Assert.True(dialog.Invite("v=0\r\n"u8, default, now)));
        side.Advance(60_000);
        Assert.Equal([0, .. Schedule("A")], side.Sent.Select(s => s.At - start));
        Assert.Equal((start + 32_000, SipEventKind.RequestFailed, 408), (side.Events[^1].At, side.Events[^1].Kind, side.Events[^1].Event.Status));
    }

    [Theory]
    [InlineData(SipTransport.Tcp)]
    [InlineData(SipTransport.Udp)]
    public void Requests_over_tcp_are_sent_once(SipTransport transport)
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish(transport == SipTransport.Tcp ? Sipside.Tcp : Sipside.Udp);
        side.Do(now => dialog.Bye(default, default, now));
        side.Advance(60_000);
        Assert.Equal(transport == SipTransport.Tcp ? 1 : 11, side.Sent.Count);
        Assert.Equal(SipEventKind.ByeFinished, side.Events[^1].Kind);
    }

    [Fact]
    public void Timer_g_and_h_repeat_a_refusal_and_give_up()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        long start = side.Now.Micros / 1000;
        side.Do(now => side.Events[0].Dialog.Reject(486, default, default, now));
        side.Advance(60_000);
        Assert.Equal([0, .. s_untilT2], side.Sent.Skip(1).Select(s => s.At - start));
        Assert.Equal(0, side.Endpoint.Counters.ServerTransactions);
    }

    [Fact]
    public void Timer_i_keeps_a_confirmed_refusal_for_t4()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        side.Do(now => side.Events[0].Dialog.Reject(486, default, default, now));
        side.Receive(Sipside.Invite(method: "ACK", body: ""));
        side.Advance(4_999);
        side.Receive(Sipside.Invite());
        Assert.Equal(1, side.Endpoint.Counters.ServerTransactions);
        Assert.Single(side.Events);
        side.Advance(2);
        Assert.Equal(0, side.Endpoint.Counters.ServerTransactions);
    }

    [Theory]
    [InlineData(SipTransport.Udp)]
    [InlineData(SipTransport.Tcp)]
    public void Unacknowledged_200_is_repeated_to_64_t1_over_any_transport(SipTransport transport)
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(transport: "TCP"), transport == SipTransport.Tcp ? Sipside.Tcp : Sipside.Udp);
        long start = side.Now.Micros / 1000;
        side.Do(now => side.Events[0].Dialog.Accept("v=0\r\n"u8, default, now));
        side.Advance(60_000);
        Assert.Equal([0, .. s_untilT2], side.Sent.Skip(1).Select(s => s.At - start));
        Assert.Equal((start + 32_000, SipEventKind.AckTimeout), (side.Events[^1].At, side.Events[^1].Kind));
        Assert.Equal(1, side.Endpoint.Counters.AckTimeouts);
        Assert.Equal(0, side.Endpoint.Counters.ServerTransactions);
        // The owner may keep the call because media flows; a late ACK is still taken.
        side.Receive(Sipside.InDialog("ACK", side.Events[0].Dialog, 1, "z9hG4bKlate"));
        Assert.Equal(SipEventKind.Confirmed, side.Events[^1].Kind);
        side.Do(now => Assert.True(side.Events[0].Dialog.Bye("SIP;cause=408"u8, default, now)));
        Assert.StartsWith("BYE ", side.Last);
    }

    [Fact]
    public void Timer_j_answers_repeated_requests_for_64_t1()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        string bye = Sipside.InDialog("BYE", dialog, 2, "z9hG4bKb");
        side.Receive(bye);
        side.Advance(31_900);
        side.Receive(bye);
        Assert.Equal([200, 200], side.Statuses);
        side.Advance(200);
        side.Receive(bye);
        Assert.Equal([200, 200, 481], side.Statuses);
    }

    [Fact]
    public void Timer_l_absorbs_repeated_invites_after_the_ack()
    {
        using var side = new Sipside();
        side.Establish();
        side.Advance(31_000);
        side.Receive(Sipside.Invite());
        Assert.Empty(side.Sent);
        Assert.Empty(side.Events);
    }

    [Fact]
    public void Timer_k_absorbs_repeated_answers_to_bye()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Do(now => dialog.Bye(default, default, now));
        string ok = Sipside.Answer(side.Last, "200 OK");
        side.Receive(ok);
        side.Receive(ok);
        Assert.Equal(1, side.Endpoint.Counters.Absorbed);
        side.Advance(5_001);
        side.Receive(ok);
        Assert.Equal(1, side.Endpoint.Counters.StrayResponses);
        Assert.Single(side.Events);
    }

    [Fact]
    public void Timer_m_acknowledges_repeated_200_to_our_invite()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Do(now => dialog.Invite("v=0\r\n"u8, default, now));
        string ok = Sipside.Answer(side.Last, "200 OK", "Contact: <sip:bob@192.0.2.10:5070>\r\n", "v=0\r\n");
        side.Receive(ok);
        side.Receive(ok);
        Assert.Equal(["INVITE", "ACK", "ACK"], side.Sent.Select(s => s.Text[..s.Text.IndexOf(' ')]));
        Assert.Equal("1 ACK", Sipside.Header(side.Last, "CSeq"));
        Assert.StartsWith("ACK sip:bob@192.0.2.10:5070 SIP/2.0\r\n", side.Last);
        Assert.Equal([SipEventKind.RequestSucceeded], side.Kinds);
    }

    [Fact]
    public void Timer_d_acknowledges_repeated_refusals_of_our_invite()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Do(now => dialog.Invite("v=0\r\n"u8, default, now));
        string refusal = Sipside.Answer(side.Last, "488 Not Acceptable Here");
        side.Receive(refusal);
        side.Receive(refusal);
        Assert.Equal(["INVITE", "ACK", "ACK"], side.Sent.Select(s => s.Text[..s.Text.IndexOf(' ')]));
        Assert.Equal(Sipside.Header(side.Sent[0].Text, "Via"), Sipside.Header(side.Last, "Via"));
        Assert.Equal(488, Assert.Single(side.Events).Event.Status);
    }

    [Fact]
    public void Delayed_100_leaves_after_200_ms_unless_the_call_is_dropped()
    {
        using var side = new Sipside(o => o with { TryingDelay = TimeSpan.FromMilliseconds(200) });
        side.Receive(Sipside.Invite());
        Assert.Empty(side.Sent);
        side.Advance(201);
        Assert.Equal([100], side.Statuses);
        side.Receive(Sipside.Invite("z9hG4bKother", "call-2"));
        side.Do(now => side.Events[1].Dialog.Drop(now));
        side.Receive(Sipside.Invite("z9hG4bKother", "call-2"));
        side.Receive(Sipside.Invite("z9hG4bKother", "call-2").Replace("INVITE", "CANCEL", StringComparison.Ordinal));
        side.Advance(1000);
        Assert.Equal([100], side.Statuses);
        Assert.Equal(1, side.Endpoint.Counters.Silenced);
    }

    private static long[] Schedule(string timer)
    {
        using JsonDocument data = JsonDocument.Parse(TestData.Text("sip-timing", "rfc3261_timing.json"));
        JsonElement row = data.RootElement.GetProperty("timers").EnumerateArray().Single(t => t.GetProperty("t").GetString() == timer);
        return [.. row.GetProperty("schedule_ms").EnumerateArray().Select(x => x.GetInt64())];
    }
}
