using System;
using System.IO;
using System.Linq;
using System.Text;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Guarding;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sip.Tests.Guarding;

/// <summary>The endpoint with a guard; everybody is a stranger but 192.0.2.99.</summary>
public sealed class GuardedEndpointTests
{
    private static readonly NetEndPoint s_carrier = Sipside.EndPoint("192.0.2.99:5060");

    private static Sipside Side(Func<GuardOptions, GuardOptions>? change = null, Limits? limits = null)
    {
        GuardOptions options = GuardOptions.From(new Limits { AlikeAfter = 5, BanAfter = 20 }, address => address == s_carrier.Address);
        return new Sipside(o => o with { Guard = new SourceGuard(change?.Invoke(options) ?? options), Limits = limits ?? o.Limits, RetryAfterSeconds = 7 });
    }

    private static void Refuse(Sipside side, int number, int status)
    {
        side.Receive(Sipside.Invite("z9hG4bKi" + number, "i" + number));
        side.Events[^1].Dialog.Reject(status, "Because"u8, "Reason: Q.850;cause=1\r\n"u8, side.Now, isRepeated: false);
        side.Drain();
    }

    [Fact]
    public void Who_tries_numbers_and_methods_gets_one_answer_to_all_of_it_and_then_none()
    {
        using Sipside side = Side();
        Refuse(side, 1, 404);
        Refuse(side, 2, 403);
        side.Receive(Sipside.Invite("z9hG4bKr", "r", method: "REGISTER", body: ""));
        side.Receive(Sipside.Invite("z9hG4bKs", "s", method: "SUBSCRIBE", body: ""));
        Assert.Equal([404, 403, 405, 405], side.Statuses.Where(s => s != 100));
        // From here on the source is suspect.
        int before = side.Sent.Count;
        Refuse(side, 3, 404);
        Refuse(side, 4, 500);
        side.Receive(Sipside.Invite("z9hG4bKr2", "r2", method: "REGISTER", body: ""));
        side.Receive(Sipside.Invite("z9hG4bKx", "x", extra: "Require: rocket\r\n"));
        side.Receive(Sipside.Invite("z9hG4bKf", "f", method: "FOO", body: ""));
        side.Receive(Sipside.Invite("z9hG4bKm", "m").Replace("Max-Forwards: 70", "Max-Forwards: many", StringComparison.Ordinal));
        side.Receive(Sipside.Invite("z9hG4bKb", "b", toTag: "guess", method: "BYE", body: ""));
        string[] told = [.. side.Sent.Skip(before).Select(s => s.Text)];
        Assert.Equal(7, told.Length);
        Assert.All(told, t => Assert.StartsWith("SIP/2.0 403 Forbidden\r\n", t, StringComparison.Ordinal));
        Assert.All(told, t => Assert.False(t.Contains("Reason:", StringComparison.Ordinal) || t.Contains("Allow:", StringComparison.Ordinal) || t.Contains("Unsupported:", StringComparison.Ordinal)));
        Assert.Equal(7, side.Endpoint.Counters.Disguised);
        for (int i = 10; side.Endpoint.Counters.Banned == 0 && i < 50; i++)
        {
            side.Receive(Sipside.Invite("z9hG4bKr" + i, "r" + i, method: "REGISTER", body: ""));
        }
        Assert.Equal(403, side.Statuses[^1]);
        before = side.Sent.Count;
        side.Receive(Sipside.Invite("z9hG4bKo", "o", method: "OPTIONS", body: ""));
        side.Receive(Sipside.Invite("z9hG4bKz", "z"));
        Assert.Equal(before, side.Sent.Count);
        Assert.True(side.Endpoint.TryPollRefusal(out SipRefusal refusal));
        Assert.Equal((0, SipRefusalCause.Banned), (refusal.Status, refusal.Cause));
        side.Advance(11 * 60_000);
        side.Receive(Sipside.Invite("z9hG4bKo2", "o2", method: "OPTIONS", body: ""));
        Assert.Equal(200, side.Statuses[^1]);
    }

    [Fact]
    public void Carrier_gets_every_answer_as_it_is_for_ever()
    {
        using Sipside side = Side();
        var flow = new SipFlow(SipTransport.Udp, 0, 0, s_carrier);
        for (int i = 0; i < 300; i++)
        {
            side.Receive(Sipside.Invite("z9hG4bKr" + i, "r" + i, method: "REGISTER", body: ""), flow);
        }
        Assert.Equal(300, side.Statuses.Count(s => s == 405));
    }

    [Fact]
    public void Running_call_of_a_banned_source_goes_on_and_ends_as_usual()
    {
        var guard = new SourceGuard(GuardOptions.From(new Limits(), _ => false));
        using var side = new Sipside(o => o with { Guard = guard });
        SipDialog dialog = side.Establish();
        Assert.True(guard.Ban(Sipside.Peer.Address, TimeSpan.FromHours(1), side.Now));
        side.Receive(Sipside.Invite("z9hG4bKnew", "new"));
        Assert.Equal(1, side.Endpoint.Counters.Banned);
        side.Receive(Sipside.InDialog("INFO", dialog, 2, "z9hG4bKinfo"));
        side.Receive(Sipside.InDialog("BYE", dialog, 3, "z9hG4bKbye"));
        Assert.Equal(200, side.Statuses[^1]);
        Assert.Contains(side.Events, e => e.Kind == SipEventKind.ByeReceived);
        side.Receive(Sipside.Invite("z9hG4bKstray", "nobody", toTag: "guess", method: "BYE", body: ""));
        Assert.Equal(2, side.Endpoint.Counters.Banned);
    }

    [Fact]
    public void Flood_of_a_stranger_gets_503_with_retry_after_and_no_state()
    {
        using Sipside side = Side(o => o with { Burst = 10, RatePerSecond = 1, Patience = 1_000 });
        for (int i = 0; i < 15; i++)
        {
            side.Receive(Sipside.Invite("z9hG4bKi" + i, "i" + i));
        }
        Assert.Equal(10, side.Events.Count(e => e.Kind == SipEventKind.Invite));
        Assert.Equal(5, side.Statuses.Count(s => s == 503));
        Assert.Equal("7", Sipside.Header(side.Last, "Retry-After"));
        Assert.True(side.Endpoint.TryPollRefusal(out SipRefusal refusal));
        Assert.Equal((503, SipRefusalCause.Flooding), (refusal.Status, refusal.Cause));
        int before = side.Sent.Count;
        side.Receive(Sipside.Invite("z9hG4bKo", "o", method: "OPTIONS", body: ""));
        Assert.Equal((before, 6L), (side.Sent.Count, side.Endpoint.Counters.Flooding));
    }

    [Fact]
    public void Hidden_port_says_nothing_to_strangers_but_to_calls_that_are_taken()
    {
        using Sipside side = Side(o => o with { Hides = true });
        side.Receive(Sipside.Invite("z9hG4bKo", "o", method: "OPTIONS", body: ""));
        side.Receive(Sipside.Invite("z9hG4bKr", "r", method: "REGISTER", body: ""));
        side.Receive(Sipside.Invite("z9hG4bKx", "x", extra: "Require: rocket\r\n"));
        Assert.True(side.Endpoint.TryPollRefusal(out SipRefusal refusal));
        Assert.Equal((0, SipRefusalCause.Hidden), (refusal.Status, refusal.Cause));
        side.Receive(Sipside.Invite("z9hG4bKm", "m").Replace("Max-Forwards: 70", "Max-Forwards: many", StringComparison.Ordinal));
        side.Receive(Sipside.Invite("z9hG4bKb", "b", toTag: "guess", method: "BYE", body: ""));
        side.Receive(Sipside.Invite("z9hG4bKc", "c", method: "CANCEL", body: ""));
        Assert.Empty(side.Sent);
        Assert.Equal(6, side.Endpoint.Counters.Hidden);
        side.Receive(Sipside.Invite("z9hG4bKi", "i"));
        Assert.Empty(side.Sent);
        side.Events[^1].Dialog.Ring(side.Now);
        side.Drain();
        Assert.Equal([180], side.Statuses);
        side.Receive(Sipside.Invite("z9hG4bKo", "o", method: "OPTIONS", body: ""), new SipFlow(SipTransport.Udp, 0, 0, s_carrier));
        Assert.Equal([180, 200], side.Statuses);
        // To a call that rings a CANCEL is no secret.
        side.Receive(Sipside.Invite("z9hG4bKi", "i", method: "CANCEL", body: ""));
        Assert.Equal([180, 200, 200, 487], side.Statuses);
    }

    [Fact]
    public void Answer_of_a_taken_call_is_whole_although_the_caller_is_a_stranger()
    {
        using Sipside side = Side();
        side.Receive(Sipside.Invite("z9hG4bKi", "i", body: "", extra: "Supported: timer\r\nSession-Expires: 1800\r\n"));
        side.Do(now => side.Events[^1].Dialog.Accept("v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\n"u8, default, now));
        Assert.True(side.Last.Length > 400);
        Assert.NotEqual("", Sipside.Header(side.Last, "Session-Expires"));
        Assert.NotEqual("", Sipside.Header(side.Last, "Allow"));
    }

    [Fact]
    public void Strangers_fill_half_of_the_transactions_and_a_carriers_call_still_finds_room()
    {
        using Sipside side = Side(o => o with { CrowdRatePerSecond = 10_000, CrowdBurst = 10_000 }, new Limits { SipTransactions = 40, CallsMax = 100 });
        for (uint i = 0; i < 100; i++)
        {
            var forged = new SipFlow(SipTransport.Udp, 0, 0, new NetEndPoint(NetAddress.FromV4(0x0A000000 + i), 5060));
            side.Receive(Sipside.Invite("z9hG4bKi" + i, "i" + i), forged);
        }
        Assert.Equal(20, side.Events.Count(e => e.Kind == SipEventKind.Invite));
        side.Receive(Sipside.Invite("z9hG4bKc", "c"), new SipFlow(SipTransport.Udp, 0, 0, s_carrier));
        Assert.Equal(21, side.Events.Count(e => e.Kind == SipEventKind.Invite));
    }

    [Fact]
    public void Crowd_gets_503_with_retry_after_and_leaves_no_state()
    {
        using Sipside side = Side(o => o with { CrowdRatePerSecond = 1, CrowdBurst = 5 });
        for (uint i = 0; i < 20; i++)
        {
            var forged = new SipFlow(SipTransport.Udp, 0, 0, new NetEndPoint(NetAddress.FromV4(0x0A000000 + i), 5060));
            side.Receive(Sipside.Invite("z9hG4bKi" + i, "i" + i), forged);
        }
        Assert.Equal((5, 15L), (side.Events.Count(e => e.Kind == SipEventKind.Invite), side.Endpoint.Counters.Crowded));
        Assert.Equal(15, side.Statuses.Count(s => s == 503));
        Assert.True(side.Endpoint.TryPollRefusal(out SipRefusal refusal));
        Assert.Equal((503, SipRefusalCause.Crowded, true), (refusal.Status, refusal.Cause, refusal.IsGuarded));
    }

    [Fact]
    public void Stranger_gets_its_100_only_when_nothing_else_comes_within_200_ms()
    {
        using Sipside side = Side();
        Refuse(side, 1, 404);
        Assert.Equal([404], side.Statuses);
        side.Receive(Sipside.Invite("z9hG4bKslow", "slow"));
        side.Advance(199);
        Assert.Equal([404], side.Statuses);
        side.Advance(2);
        Assert.Equal([404, 100], side.Statuses);
        side.Receive(Sipside.Invite("z9hG4bKc", "c"), new SipFlow(SipTransport.Udp, 0, 0, s_carrier));
        Assert.Equal([404, 100, 100], side.Statuses);
    }

    [Fact]
    public void Nothing_that_a_stranger_sends_over_udp_makes_us_send_more_than_that()
    {
        string[] requests =
        [
            .. Directory.EnumerateFiles(TestData.Path("rfc4475"), "*.dat").Select(f => Encoding.Latin1.GetString(File.ReadAllBytes(f))),
            .. Directory.EnumerateFiles(TestData.Path("invites"), "*", SearchOption.AllDirectories).Select(f => Encoding.Latin1.GetString(File.ReadAllBytes(f))).Where(t => t.Contains("SIP/2.0", StringComparison.Ordinal)),
            Sipside.Invite(method: "OPTIONS", body: ""), Sipside.Invite(method: "REGISTER", body: ""), Sipside.Invite(extra: "Require: a,b,c,d,e,f,g,h\r\n"),
            "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a>;tag=1\r\nt: <sip:a>\r\ni: 1\r\nCSeq: 1 OPTIONS\r\n\r\n",
            "X\r\n\r\n", "OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/UDP h\r\n\r\n",
        ];
        Assert.True(requests.Length > 60);
        foreach (string request in requests)
        {
            using Sipside side = Side();
            side.Receive(Encoding.Latin1.GetBytes(request));
            foreach (var e in side.Events.ToArray())
            {
                e.Dialog.Reject(404, default, default, side.Now, isRepeated: false);
            }
            side.Drain();
            side.Advance(40_000);
            int sent = side.Sent.Sum(s => Encoding.Latin1.GetByteCount(s.Text));
            Assert.True(sent <= request.Length, $"{sent} bytes for {request.Length}: {request[..Math.Min(60, request.Length)]}");
        }
    }

    [Fact]
    public void Smallest_invite_is_answered_although_its_answer_is_a_little_larger()
    {
        using Sipside side = Side();
        const string request = "INVITE sip:a SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a>;tag=1\r\nt: <sip:a>\r\ni: 1\r\nCSeq: 1 INVITE\r\nm: <sip:a>\r\n\r\n";
        side.Receive(request);
        side.Events[^1].Dialog.Reject(404, default, default, side.Now, isRepeated: false);
        side.Drain();
        string answer = Assert.Single(side.Sent).Text;
        Assert.StartsWith("SIP/2.0 404 \r\n", answer, StringComparison.Ordinal);
        Assert.DoesNotContain("Content-Length", answer, StringComparison.Ordinal);
        Assert.InRange(answer.Length, 1, request.Length + 60);
    }
}
