using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Bridge.Media;
using Proxy.Bridge.Tests.World;
using Proxy.Bridge.Transfers;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Xunit;

namespace Proxy.Bridge.Tests;

public sealed class TransferTests
{
    private readonly CallWorld _w = new();
    private readonly List<TransferOutcome> _outcomes = [];

    private TransferResult Result => Assert.Single(_outcomes).Result;

    private int Refers => _w.Sent.Count(m => m.StartsWith("REFER ", StringComparison.Ordinal));

    private void Transfer(string target = "tel:+15550300", bool playsRinging = false, double seconds = 0, string identity = "sip_1", params (string Name, string Value)[] headers)
    {
        var request = new TransferRequest(target, [.. headers.Select(h => KeyValuePair.Create(h.Name, h.Value))], playsRinging, TimeSpan.FromSeconds(seconds));
        _w.Calls.Transfer("room", identity, request, _outcomes.Add, _w.Now);
        _w.Poke();
    }

    private void TransferConnected(bool playsRinging = false, double seconds = 0)
    {
        _w.Connect();
        Transfer(playsRinging: playsRinging, seconds: seconds);
    }

    [Fact]
    public void Transfer_is_a_refer_its_notify_200_is_the_result_and_our_bye_follows_a_second_later()
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = f => join(f) with { AttributesToHeaders = [KeyValuePair.Create("tier", "X-Tier")], Attributes = [KeyValuePair.Create("tier", "gold")] };
        _w.Connect();
        Transfer("sip:desk@example.com;user=phone", headers: [("X-Ref", "1"), ("Via", "never")]);
        string refer = _w.LastRequest;
        Assert.StartsWith("REFER sip:+15550199@198.51.100.7:5060 SIP/2.0", refer, StringComparison.Ordinal);
        Assert.Equal("<sip:desk@example.com;user=phone>", CallWorld.Header(refer, "Refer-To"));
        Assert.Equal(("1", "gold"), (CallWorld.Header(refer, "X-Ref"), CallWorld.Header(refer, "X-Tier")));
        Assert.DoesNotContain("never", refer, StringComparison.Ordinal);
        _w.Answer("202 Accepted");
        _w.Notify(2, "SIP/2.0 100 Trying\r\n");
        _w.Notify(3, "SIP/2.0 180 Ringing\r\n");
        Assert.Empty(_outcomes);
        _w.Notify(4, "SIP/2.0 200 Fine\r\n", "terminated;reason=noresource");
        TransferOutcome outcome = Assert.Single(_outcomes);
        Assert.Equal((TransferResult.Completed, 200, "Fine"), (outcome.Result, outcome.SipStatus, outcome.SipReason));
        Assert.Matches("^STR_[2-9A-Za-z]{12}$", outcome.Id);
        _w.Advance(TimeSpan.FromMilliseconds(990));
        Assert.DoesNotContain(_w.Sent, m => m.StartsWith("BYE ", StringComparison.Ordinal));
        _w.Advance(TimeSpan.FromMilliseconds(20));
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        Assert.Equal("hangup", _w.Room.Statuses[^1]);
        _w.Farewell();
        Assert.Equal(("transferred", "us", 200), (_w.Record.Code, _w.Record.EndedBy, _w.Record.SipStatus));
        var transfer = Assert.Single(_w.Record.Transfers);
        Assert.Equal((outcome.Id, "sip:desk@example.com;user=phone", "completed", 200), (transfer.Id, transfer.Target, transfer.Result, transfer.SipStatus));
        Assert.Equal([transfer], _w.Transfers);
        Assert.Equal(1, _w.Calls.Transfers[TransferResult.Completed]);
    }

    [Fact]
    public void Caller_that_hangs_up_after_the_result_needs_no_bye()
    {
        TransferConnected();
        _w.Answer("202 Accepted");
        _w.Notify(2, "SIP/2.0 200 OK\r\n", "terminated");
        _w.InDialog("BYE", 3, "b");
        _w.Advance(TimeSpan.FromSeconds(3));
        Assert.DoesNotContain(_w.Sent, m => m.StartsWith("BYE ", StringComparison.Ordinal));
        Assert.Equal(("transferred", "caller", TransferResult.Completed), (_w.Record.Code, _w.Record.EndedBy, Result));
    }

    /// <summary>The caller's switch may have it on hold, with music of its own, while it calls the target: nothing comes from there.</summary>
    [Theory]
    [InlineData("486")]
    [InlineData("timeout")]
    [InlineData("200")]
    public void The_media_timeout_rests_from_the_refers_202_to_the_result(string how)
    {
        TransferConnected(seconds: 25);
        Assert.Empty(Rests);
        _w.Answer("202 Accepted");
        Assert.Equal([true], Rests);
        _w.Advance(TimeSpan.FromSeconds(20));
        _w.Notify(2, "SIP/2.0 180 Ringing\r\n");
        Assert.Equal([true], Rests);
        if (how == "timeout")
        {
            _w.Advance(TimeSpan.FromSeconds(6));
        }
        else
        {
            _w.Notify(3, $"SIP/2.0 {how}\r\n", "terminated");
        }
        Assert.Equal([true, false], Rests);
    }

    [Fact]
    public void A_notify_before_the_202_rests_the_media_timeout_and_a_refused_refer_does_not()
    {
        TransferConnected();
        string refer = _w.LastRequest;
        _w.Notify(2, "SIP/2.0 100 Trying\r\n");
        Assert.Equal([true], Rests);
        _w.Answer("603 Decline", request: refer);
        Assert.Equal([true, false], Rests);
        Transfer("sip:b@example.com");
        _w.Answer("405 No REFER here");
        Assert.Equal([true, false], Rests);
    }

    [Fact]
    public void A_caller_who_is_being_transferred_is_not_taken_for_dead()
    {
        TransferConnected();
        _w.Answer("202 Accepted");
        _w.Advance(TimeSpan.FromSeconds(8));
        _w.Connect();
        Assert.Equal("sip_1_2", _w.Room.Request!.Identity);
    }

    private bool[] Rests => [.. _w.Media.Commands.Where(c => c.Command.Kind == CallCommandKind.RestTimeout).Select(c => (bool)c.Command.Payload!)];

    [Theory]
    [InlineData("SIP/2.0 486 Busy Here\r\n", 486, "Busy Here")]
    [InlineData("SIP/2.0 603 Decline\r\n", 603, "Decline")]
    [InlineData("SIP/2.0 503\r\n", 503, "Service Unavailable")]
    [InlineData("SIP/2.0 404 \r\n", 404, "Not Found")]
    public void Target_that_does_not_take_the_call_leaves_it_as_it_was(string fragment, int status, string reason)
    {
        TransferConnected(playsRinging: true);
        Assert.Equal(4, _w.Playing);
        _w.Answer("202 Accepted");
        _w.Notify(2, fragment);
        Assert.Equal(new TransferOutcome(_outcomes[0].Id, TransferResult.Failed, status, reason), _outcomes[0]);
        Assert.Equal(0, _w.Playing);
        _w.Advance(TimeSpan.FromSeconds(5));
        Assert.Empty(_w.Records);
        _w.InDialog("BYE", 3, "b");
        _w.Farewell();
        Assert.Equal(("hangup", "failed"), (_w.Record.Code, _w.Record.Transfers[0].Result));
    }

    [Fact]
    public void Refused_refer_is_told_with_the_peers_words_and_the_next_one_may_succeed()
    {
        TransferConnected();
        _w.Answer("405 No REFER here");
        Assert.Equal((TransferResult.Refused, 405, "No REFER here"), (Result, _outcomes[0].SipStatus, _outcomes[0].SipReason));
        Transfer("sip:b@example.com");
        _w.Answer("202 Accepted");
        _w.Notify(2, "SIP/2.0 200 OK\r\n", "terminated", ";id=1");
        Assert.Contains("481", _w.Last, StringComparison.Ordinal);
        _w.Notify(3, "SIP/2.0 200 OK\r\n", "terminated", ";id=2");
        Assert.Equal([TransferResult.Refused, TransferResult.Completed], _outcomes.Select(o => o.Result));
        Assert.Equal(2, _w.Transfers.Count);
    }

    [Fact]
    public void No_result_in_time_is_a_failure_and_the_call_goes_on()
    {
        TransferConnected(playsRinging: true, seconds: 5);
        _w.Answer("202 Accepted");
        _w.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Empty(_outcomes);
        _w.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal((TransferResult.TimedOut, 0), (Result, _w.Playing));
        Assert.Empty(_w.Records);
        _w.Notify(2, "SIP/2.0 200 OK\r\n", "terminated");
        _w.Advance(TimeSpan.FromSeconds(2));
        Assert.Empty(_w.Records);
    }

    [Fact]
    public void Thirty_seconds_are_waited_when_nothing_is_said_and_ten_minutes_at_most()
    {
        TransferConnected();
        _w.Answer("202 Accepted");
        _w.Advance(TimeSpan.FromSeconds(29.9));
        Assert.Empty(_outcomes);
        _w.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(TransferResult.TimedOut, Result);
        Transfer("tel:+2", seconds: 86_400);
        _w.Answer("202 Accepted");
        _w.Advance(TimeSpan.FromSeconds(599));
        Assert.Single(_outcomes);
        _w.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, _outcomes.Count);
    }

    [Fact]
    public void Subscription_that_ends_without_a_result_waits_five_seconds_for_the_bye()
    {
        TransferConnected();
        _w.Answer("202 Accepted");
        _w.Notify(2, "", "terminated;reason=timeout");
        Assert.Contains("200", _w.Last.Split("\r\n")[0], StringComparison.Ordinal);
        _w.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Empty(_outcomes);
        _w.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(TransferResult.Unreported, Result);
        Assert.Empty(_w.Records);
    }

    [Theory]
    [InlineData(true, TransferResult.CallEnded, "transferred")]
    [InlineData(false, TransferResult.Cancelled, "hangup")]
    public void Bye_before_the_result_means_transferred_only_after_the_refer_was_accepted(bool isAccepted, TransferResult result, string code)
    {
        TransferConnected();
        if (isAccepted)
        {
            _w.Answer("202 Accepted");
            _w.Notify(2, "SIP/2.0 100 Trying\r\n");
        }
        _w.InDialog("BYE", 3, "b");
        _w.Farewell();
        Assert.Equal((result, code, "caller"), (Result, _w.Record.Code, _w.Record.EndedBy));
    }

    [Fact]
    public void Removed_participant_ends_the_transfer_too()
    {
        TransferConnected();
        _w.Answer("202 Accepted");
        _w.Room.End(Proxy.Participant.RoomEnd.Removed, "removed by the API");
        _w.Poke();
        _w.Farewell();
        Assert.Equal((TransferResult.CallEnded, "removed", 0), (Result, _w.Record.Code, _w.Calls.Count));
    }

    [Fact]
    public void Second_wish_for_the_same_target_waits_for_the_first_and_another_target_is_refused()
    {
        TransferConnected();
        _w.Answer("202 Accepted");
        Transfer();
        Transfer("tel:+2");
        Assert.Equal(TransferResult.Elsewhere, Result);
        _w.Notify(2, "SIP/2.0 200 OK\r\n", "terminated");
        Assert.Equal([TransferResult.Elsewhere, TransferResult.Completed, TransferResult.Completed], _outcomes.Select(o => o.Result));
        Assert.Equal(1, Refers);
        Transfer();
        Assert.Equal(4, _outcomes.Count);
    }

    [Fact]
    public void Nobody_and_a_call_that_rings_are_not_transferred()
    {
        Transfer();
        _w.Invite();
        Transfer();
        Transfer(identity: "agent");
        Assert.Equal([TransferResult.NoSuchCall, TransferResult.NotEstablished, TransferResult.NoSuchCall], _outcomes.Select(o => o.Result));
        Assert.Equal(0, Refers);
    }

    [Fact]
    public void Refer_waits_for_the_ack_or_the_callers_first_packet()
    {
        _w.Invite();
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        Transfer();
        Assert.Equal(0, Refers);
        _w.Ack();
        Assert.Equal(1, Refers);
        _w.MediaEvent(CallEventKind.FirstPacket);
        Assert.Equal(1, Refers);
    }

    [Fact]
    public void Challenged_refer_and_bye_are_sent_again_with_the_trunks_credentials()
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = f => join(f) with { Login = new TrunkLogin("user", "secret") };
        TransferConnected();
        _w.Answer("407 Proxy Authentication Required", "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth\"\r\n");
        Assert.Equal(2, Refers);
        Assert.Contains("username=\"user\",realm=\"carrier\",nonce=\"n1\"", CallWorld.Header(_w.LastRequest, "Proxy-Authorization"), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", string.Concat(_w.Sent) + _w.Decision(default) + new TrunkLogin("user", "secret"), StringComparison.Ordinal);
        _w.Answer("202 Accepted");
        _w.Notify(2, "SIP/2.0 200 OK\r\n", "terminated", ";id=2");
        Assert.Equal(TransferResult.Completed, Result);
        _w.Advance(TimeSpan.FromSeconds(1.1));
        _w.Answer("401 Unauthorized", "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n2\"\r\n");
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        Assert.Contains("nonce=\"n2\"", CallWorld.Header(_w.LastRequest, "Authorization"), StringComparison.Ordinal);
    }

    [Fact]
    public void Challenge_without_credentials_of_the_trunk_is_a_refusal()
    {
        TransferConnected();
        _w.Answer("407 Proxy Authentication Required", "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\"\r\n");
        Assert.Equal((TransferResult.Refused, 407, 1), (Result, _outcomes[0].SipStatus, Refers));
    }

    [Fact]
    public void Agent_that_leaves_while_its_transfer_is_under_way_does_not_end_the_call()
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = f => join(f) with { WhenAlone = WhenAlone.HangUp, AloneFor = TimeSpan.FromSeconds(2) };
        _w.Connect();
        _w.Room.AddAgent();
        _w.Poke();
        Transfer(seconds: 20);
        _w.Answer("202 Accepted");
        _w.Room.RemoveAgent();
        _w.Poke();
        _w.Advance(TimeSpan.FromSeconds(19));
        Assert.DoesNotContain(_w.Sent, m => m.StartsWith("BYE ", StringComparison.Ordinal));
        _w.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal(TransferResult.TimedOut, Result);
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
    }

    [Fact]
    public void A_hundred_transfers_of_one_call_are_not_all_remembered()
    {
        _w.Connect();
        for (int i = 0; i < 100; i++)
        {
            Transfer("tel:+" + i);
            _w.Answer("603 Decline");
        }
        _w.InDialog("BYE", 2, "b");
        _w.Farewell();
        Assert.Equal((8, "tel:+99"), (_w.Record.Transfers.Count, _w.Record.Transfers[^1].Target));
    }
}
