using System;
using System.Linq;
using Proxy.Bridge.Media;
using Proxy.Bridge.Tests.World;
using Proxy.Core;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Xunit;

namespace Proxy.Bridge.Tests;

public sealed class CallTests
{
    private readonly CallWorld _w = new();

    private int Commands(CallCommandKind kind) => _w.Media.Commands.Count(c => c.Command.Kind == kind);

    [Fact]
    public void A_call_rings_until_the_agent_is_heard_then_is_answered_and_hung_up()
    {
        _w.Invite();
        Assert.Equal([100, 180], _w.InviteStatuses);
        _w.Room.Join();
        _w.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal([100, 180], _w.InviteStatuses);
        Assert.True(_w.Sent.Count(m => m.StartsWith("SIP/2.0 180", StringComparison.Ordinal)) >= 3);
        _w.Room.PublishAgent();
        _w.Poke();
        Assert.Equal([100, 180, 200], _w.InviteStatuses);
        Assert.Equal(1, Commands(CallCommandKind.StartSip));
        _w.Ack();
        _w.MediaEvent(CallEventKind.FirstPacket);
        _w.InDialog("BYE", 2, "b");
        Assert.Equal(["active", "hangup"], _w.Room.Statuses);
        Assert.False(_w.Room.WasLeft);
        _w.Farewell();
        Assert.True(_w.Room.WasLeft);
        Assert.Equal(("hangup", "caller", 200), (_w.Record.Code, _w.Record.EndedBy, _w.Record.SipStatus));
        Assert.Equal((0, 0, "ringing"), (_w.Calls.Count, _w.Media.Out, _w.Room.Request!.Attributes["sip.callStatus"]));
        Assert.All(_w.Media.ReleasedClean, Assert.True);
    }

    [Fact]
    public void The_to_tag_is_the_call_id_on_every_response()
    {
        _w.Connect();
        string tag = _w.ToTag();
        Assert.StartsWith("SCL_", tag, StringComparison.Ordinal);
        Assert.All(_w.Sent.Where(m => m.StartsWith("SIP/2.0", StringComparison.Ordinal)), m => Assert.Contains(tag, m, StringComparison.Ordinal));
    }

    [Fact]
    public void Another_phone_in_the_room_answers_too()
    {
        _w.Invite();
        _w.Room.Join();
        _w.Room.AddPhone();
        _w.Advance(TimeSpan.FromMilliseconds(600));
        Assert.Contains(200, _w.InviteStatuses);
    }

    [Fact]
    public void Cancel_before_200_ends_with_487()
    {
        _w.Invite();
        _w.Cancel();
        Assert.Contains(487, _w.InviteStatuses);
        Assert.Equal(("cancelled", 487), (_w.Record.Code, _w.Record.SipStatus));
        Assert.Equal((0, 0), (_w.Calls.Count, _w.Media.Out));
        Assert.True(_w.Room.WasLeft);
    }

    [Fact]
    public void A_refused_call_gets_its_status_its_reason_and_a_record()
    {
        _w.Decision = _ => Verdict.Refuse(RefusalCode.NoTrunk, "no trunk has +15550100", Refusals.Default) with { MayTellWhy = true };
        _w.Invite();
        Assert.Contains(404, _w.InviteStatuses);
        Assert.Contains("Reason: Q.850;cause=1;text=\"no_trunk\"", _w.Last, StringComparison.Ordinal);
        Assert.Equal(("no_trunk", "no trunk has +15550100", 404), (_w.Record.Code, _w.Record.Sentence, _w.Record.SipStatus));
        Assert.Empty(_w.Rooms.Legs);
        Assert.Equal(0, _w.Media.Out);
    }

    [Fact]
    public void A_refused_calls_record_explains_and_a_flood_of_them_does_not()
    {
        var w = new CallWorld(new Limits { CallsMax = 50, ExplainedPerSecond = 1 });
        w.Decision = _ => Verdict.Refuse(RefusalCode.NoTrunk, "no trunk has +15550100", Refusals.Default);
        w.Tracing = trace => trace?.Add(new TraceStep("trunk", "ST_1", "", false, "called number +15550100 is not in numbers", "would match +15550101"));
        w.Invite();
        w.Invite();
        Assert.Contains("- trunk ST_1: called number +15550100 is not in numbers (would match +15550101)", w.Records[0].Explanation, StringComparison.Ordinal);
        Assert.EndsWith("refused: 404 Not Found (no_trunk): no trunk has +15550100\npolicy version 0\n", w.Records[0].Explanation, StringComparison.Ordinal);
        Assert.Equal("", w.Records[1].Explanation);
        w.Advance(TimeSpan.FromSeconds(1));
        w.Invite();
        Assert.NotEqual("", w.Records[2].Explanation);
    }

    [Fact]
    public void A_lenient_acceptance_is_told()
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = f => join(f) with { Compat = CompatUse.FromHost };
        _w.Invite();
        Assert.Equal([CompatUse.FromHost], _w.Leniencies);
    }

    [Fact]
    public void A_stranger_is_not_told_why()
    {
        _w.Decision = _ => Verdict.Refuse(RefusalCode.SourceNotAllowed, "address 198.51.100.7 is not listed", Refusals.Default);
        _w.Invite();
        Assert.Contains(403, _w.InviteStatuses);
        Assert.DoesNotContain("Reason:", _w.Last, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 404)]
    public void A_hidden_port_is_silent_for_strangers_and_answers_those_a_trunk_lists(bool isListed, int expected)
    {
        CallWorld hidden = new(isHidden: true);
        hidden.Decision = _ => Verdict.Refuse(RefusalCode.NoTrunk, "no trunk takes calls to +1", Refusals.Default) with { IsListedSource = isListed };
        hidden.Invite();
        hidden.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(expected == 0 ? [] : [expected], hidden.InviteStatuses);
        Assert.Equal((expected, "no_trunk"), (hidden.Record.SipStatus, hidden.Record.Code));
        Assert.Equal(isListed ? 0 : 1, hidden.Calls.Counters.Silenced);
    }

    [Fact]
    public void A_hidden_port_still_asks_for_credentials_and_takes_calls()
    {
        CallWorld hidden = new(isHidden: true);
        hidden.Decision = _ => new Verdict { Kind = VerdictKind.Challenge, SipStatus = 407, Challenge = new DigestChallenge("LiveKit", "n1", "MD5", false) };
        hidden.Invite();
        Assert.Equal([407], hidden.InviteStatuses);
    }

    [Fact]
    public void An_offer_without_a_common_codec_gets_488_with_a_warning()
    {
        _w.Invite(CallWorld.Offer(formats: "18"));
        Assert.Contains(488, _w.InviteStatuses);
        Assert.Contains("Warning: 305 siproom", _w.Last, StringComparison.Ordinal);
        Assert.Equal("media_not_acceptable", _w.Record.Code);
        Assert.Equal(0, _w.Media.Out);
    }

    [Fact]
    public void A_challenge_is_sent_as_407()
    {
        _w.Decision = _ => new Verdict { Kind = VerdictKind.Challenge, SipStatus = 407, Challenge = new DigestChallenge("LiveKit", "n1", "MD5", false) };
        _w.Invite();
        Assert.Contains(407, _w.InviteStatuses);
        Assert.Contains("Proxy-Authenticate: Digest realm=\"LiveKit\", nonce=\"n1\"", _w.Last, StringComparison.Ordinal);
        Assert.Equal("challenged", _w.Record.Code);
    }

    [Fact]
    public void Ringing_ends_with_480_and_names_the_agent()
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = f => join(f) with { Agents = ["support"], RingingTimeout = TimeSpan.FromSeconds(20) };
        _w.Invite();
        _w.Room.Join();
        _w.Advance(TimeSpan.FromSeconds(21));
        Assert.Contains(480, _w.InviteStatuses);
        _w.Farewell();
        Assert.Equal("ring_timeout", _w.Record.Code);
        Assert.Contains("rule SDR_1 dispatched agent 'support'; nobody published audio in 20.0 s", _w.Record.Sentence, StringComparison.Ordinal);
        Assert.Equal(0, _w.Calls.Count);
    }

    [Theory]
    [InlineData(RoomEnd.Unreachable, 503, "backend_down")]
    [InlineData(RoomEnd.JoinTimeout, 503, "backend_down")]
    [InlineData(RoomEnd.Unauthorized, 503, "join_failed")]
    [InlineData(RoomEnd.Removed, 480, "removed")]
    [InlineData(RoomEnd.RoomDeleted, 480, "room_deleted")]
    public void A_room_that_is_lost_before_the_answer_refuses_the_call(RoomEnd end, int status, string code)
    {
        _w.Invite();
        _w.Room.End(end, "because");
        _w.Poke();
        Assert.Contains(status, _w.InviteStatuses);
        Assert.Equal((code, "because", status), (_w.Record.Code, _w.Record.Sentence, _w.Record.SipStatus));
    }

    [Theory]
    [InlineData(RoomEnd.Removed, "removed", "cause=16")]
    [InlineData(RoomEnd.RoomClosed, "room_closed", "cause=16")]
    public void A_room_that_ends_hangs_up(RoomEnd end, string code, string cause)
    {
        _w.Connect();
        _w.Room.End(end, "because");
        _w.Poke();
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        Assert.Contains(cause, _w.LastRequest, StringComparison.Ordinal);
        Assert.Equal((code, "room"), (_w.Record.Code, _w.Record.EndedBy));
    }

    [Fact]
    public void Silence_for_the_media_timeout_hangs_up_and_says_so()
    {
        _w.Connect();
        _w.MediaEvent(CallEventKind.MediaTimeout, 1);
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        _w.Farewell();
        Assert.Equal("media_timeout", _w.Record.Code);
    }

    [Fact]
    public void The_longest_duration_counts_from_the_answer()
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = f => join(f) with { MaxCallDuration = TimeSpan.FromMinutes(5) };
        _w.Connect();
        _w.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));
        _w.Farewell();
        Assert.Equal("max_duration", _w.Record.Code);
    }

    [Fact]
    public void Without_ack_and_without_rtp_the_call_ends_at_32_seconds()
    {
        _w.Invite();
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        _w.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal("no_ack", _w.Record.Code);
        Assert.Contains(_w.Sent, m => m.StartsWith("BYE ", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_ack_but_with_rtp_the_call_lives_on_and_is_flagged()
    {
        _w.Invite();
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        _w.MediaEvent(CallEventKind.FirstPacket);
        _w.Advance(TimeSpan.FromSeconds(40));
        Assert.Empty(_w.Records);
        Assert.Equal(1, _w.Calls.Count);
    }

    [Fact]
    public void An_offerless_invite_gets_our_offer_and_media_starts_with_the_ack()
    {
        _w.Invite("");
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        Assert.Contains("m=audio", _w.Sent.Last(m => m.StartsWith("SIP/2.0 200", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal(0, Commands(CallCommandKind.StartSip));
        _w.Ack(CallWorld.Offer(formats: "0 101"));
        Assert.Equal(1, Commands(CallCommandKind.StartSip));
    }

    [Fact]
    public void Hold_stops_our_audio_and_rests_the_timeout_and_resume_starts_it_again()
    {
        _w.Connect();
        _w.InDialog("INVITE", 2, "h", CallWorld.Offer("sendonly", version: 2));
        var held = (SipAudio)_w.Media.Commands.Last(c => c.Command.Kind == CallCommandKind.Renegotiate).Command.Payload!;
        Assert.Equal((false, true), (held.Sends, held.Receives));
        Assert.Contains("a=recvonly", _w.Sent.Last(m => m.Contains("2 INVITE", StringComparison.Ordinal)), StringComparison.Ordinal);
        _w.InDialog("ACK", 2, "ha");
        _w.InDialog("INVITE", 3, "i2", CallWorld.Offer("inactive", version: 3));
        _w.InDialog("ACK", 3, "ia");
        var inactive = (SipAudio)_w.Media.Commands.Last(c => c.Command.Kind == CallCommandKind.Renegotiate).Command.Payload!;
        Assert.Equal((false, false), (inactive.Sends, inactive.Receives));
        _w.InDialog("INVITE", 4, "r", CallWorld.Offer(version: 4));
        var resumed = (SipAudio)_w.Media.Commands.Last(c => c.Command.Kind == CallCommandKind.Renegotiate).Command.Payload!;
        Assert.Equal((true, true), (resumed.Sends, resumed.Receives));
        Assert.Empty(_w.Records);
    }

    [Fact]
    public void A_refused_reinvite_leaves_the_call_as_it_was()
    {
        _w.Connect();
        _w.InDialog("INVITE", 2, "t", CallWorld.Offer(formats: "18", version: 2));
        Assert.Contains(_w.Sent, m => m.StartsWith("SIP/2.0 488", StringComparison.Ordinal));
        Assert.Equal(0, Commands(CallCommandKind.Renegotiate));
        Assert.Equal(1, _w.Calls.Count);
    }

    [Fact]
    public void Digits_go_both_ways_but_none_to_the_caller_before_the_answer()
    {
        _w.Invite();
        _w.Room.Join();
        _w.Room.Press("1");
        _w.Poke();
        Assert.Equal(0, Commands(CallCommandKind.SendDtmf));
        _w.Room.PublishAgent();
        _w.Poke();
        _w.Ack();
        _w.Room.Press("2");
        _w.Poke();
        Assert.Equal(1, Commands(CallCommandKind.SendDtmf));
        _w.MediaEvent(CallEventKind.Dtmf, '7');
        _w.InDialog("INFO", 2, "inf", "Signal=#\r\nDuration=160\r\n", "Content-Type: application/dtmf-relay\r\n");
        Assert.Equal(['7', '#'], _w.Room.Digits);
    }

    [Fact]
    public void A_full_node_a_draining_node_and_an_overloaded_node_answer_503_with_retry_after()
    {
        _w.Media.Capacity = 0;
        _w.Invite();
        _w.Media.Capacity = 10;
        _w.Calls.Drain(MonoTime.Never);
        _w.Invite();
        _w.Calls.EndDrain();
        _w.Calls.IsOverloaded = true;
        _w.Invite();
        Assert.Equal(["node_full", "draining", "node_overload"], _w.Records.Select(r => r.Code));
        Assert.Equal(3, _w.Sent.Count(m => m.StartsWith("SIP/2.0 503", StringComparison.Ordinal) && m.Contains("Retry-After: ", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_bug_in_one_calls_media_ends_that_call_only()
    {
        _w.Connect();
        _w.Connect();
        _w.Calls.HandleMedia(_w.Media.Commands[0].Call, new CallEvent(CallEventKind.Broken, 0, "boom"), _w.Now);
        _w.Poke();
        _w.Farewell();
        Assert.Equal("internal", _w.Record.Code);
        Assert.Equal(1, _w.Calls.Count);
    }

    [Fact]
    public void A_thousand_calls_give_everything_back()
    {
        for (int i = 0; i < 1000; i++)
        {
            // Transactions live for 32 s after a call; this is the pace at which 50 calls' worth of them fit.
            _w.Advance(TimeSpan.FromSeconds(2));
            switch (i % 4)
            {
                case 0:
                    _w.Connect();
                    _w.InDialog("BYE", 2, "b");
                    break;
                case 1:
                    _w.Invite();
                    _w.Cancel();
                    break;
                case 2:
                    _w.Connect();
                    _w.Room.End(RoomEnd.RoomDeleted, "deleted");
                    _w.Poke();
                    break;
                default:
                    _w.Invite();
                    _w.Room.End(RoomEnd.Unreachable, "no server");
                    _w.Poke();
                    break;
            }
        }
        _w.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(1000, _w.Records.Count);
        Assert.Equal((0, 0, 0), (_w.Calls.Count, _w.Media.Out, _w.Caps.Entries));
        Assert.Equal(1000, _w.Records.Select(r => r.CallId).Distinct().Count());
    }
}
