using System;
using System.Linq;
using Proxy.Bridge.Media;
using Proxy.Bridge.Tests.World;
using Proxy.Participant;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;
using Xunit;

namespace Proxy.Bridge.Tests;

public sealed class AnswerTests
{
    private readonly CallWorld _w = new();

    private SipAudio LastAudio => (SipAudio)_w.Media.Commands.Last(c => c.Command.Payload is SipAudio).Command.Payload!;

    [Fact]
    public void At_once_answers_as_soon_as_the_room_is_up_and_not_before()
    {
        Decide(v => v with { AnswerMode = AnswerMode.AtOnce });
        _w.Invite();
        Assert.DoesNotContain(200, _w.InviteStatuses);
        _w.Room.Join();
        _w.Poke();
        Assert.Contains(200, _w.InviteStatuses);
        _w.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(0, _w.Playing);
    }

    [Fact]
    public void Early_media_sends_183_with_the_answer_and_ringing_as_sound_then_the_200()
    {
        Decide(v => v with { AnswerMode = AnswerMode.EarlyMedia });
        _w.Invite();
        Assert.Equal([100, 183], _w.InviteStatuses);
        string early = _w.Sent.Last(m => m.StartsWith("SIP/2.0 183", StringComparison.Ordinal));
        Assert.Contains("m=audio", early, StringComparison.Ordinal);
        Assert.DoesNotContain("RSeq", early, StringComparison.Ordinal);
        Assert.Equal((4, true), (_w.Playing, IsDeaf));
        Assert.Equal((TimeSpan.Zero, TimeSpan.Zero), (LastAudio.MediaTimeout, LastAudio.MediaTimeoutInitial));
        _w.Room.Join();
        _w.Advance(TimeSpan.FromSeconds(5));
        Assert.DoesNotContain(_w.Sent, m => m.StartsWith("SIP/2.0 180", StringComparison.Ordinal));
        _w.Room.PublishAgent();
        _w.Poke();
        Assert.Equal([100, 183, 200], _w.InviteStatuses);
        Assert.Equal((0, false), (_w.Playing, IsDeaf));
        Assert.Equal(_w.Limits.MediaTimeout, LastAudio.MediaTimeout);
        Assert.Equal(1, _w.Media.Commands.Count(c => c.Command.Kind == CallCommandKind.StartSip));
    }

    [Fact]
    public void Early_media_is_reliable_where_the_caller_can_and_the_200_waits_for_the_prack()
    {
        Decide(v => v with { AnswerMode = AnswerMode.EarlyMedia });
        _w.Invite(extra: "Supported: 100rel\r\n");
        string early = _w.Sent.Last(m => m.StartsWith("SIP/2.0 183", StringComparison.Ordinal));
        Assert.Contains("Require: 100rel", early, StringComparison.Ordinal);
        string rseq = early.Split("\r\n").First(l => l.StartsWith("RSeq: ", StringComparison.Ordinal))[6..];
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        Assert.DoesNotContain(200, _w.InviteStatuses);
        _w.InDialog("PRACK", 2, "p", "", $"RAck: {rseq} 1 INVITE\r\n");
        Assert.Contains(200, _w.InviteStatuses);
    }

    [Fact]
    public void Early_media_without_an_offer_is_plain_ringing_for_who_sends_no_prack()
    {
        Decide(v => v with { AnswerMode = AnswerMode.EarlyMedia });
        _w.Invite("");
        Assert.Equal([100, 180], _w.InviteStatuses);
    }

    [Fact]
    public void Early_media_that_nobody_answers_ends_with_480_and_cancel_with_487()
    {
        Decide(v => v with { AnswerMode = AnswerMode.EarlyMedia, RingingTimeout = TimeSpan.FromSeconds(70) });
        _w.Invite();
        _w.Room.Join();
        _w.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(2, _w.Sent.Count(m => m.StartsWith("SIP/2.0 183", StringComparison.Ordinal)));
        _w.Advance(TimeSpan.FromSeconds(11));
        Assert.Contains(480, _w.InviteStatuses);
        _w.Invite();
        _w.Cancel();
        Assert.Contains(487, _w.InviteStatuses);
        _w.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((0, 0, 0), (_w.Calls.Count, _w.Media.Out, _w.Calls.Seats));
    }

    [Theory]
    [InlineData(RoomEnd.Unauthorized)]
    [InlineData(RoomEnd.RoomNotFound)]
    [InlineData(RoomEnd.Unreachable)]
    public void A_join_that_fails_goes_into_the_fallback_room_once(RoomEnd end)
    {
        Decide(v => v with { FallbackRoom = "lobby" });
        _w.Invite();
        _w.Room.End(end, "no");
        _w.Poke();
        Assert.Equal(["room", "lobby"], _w.Rooms.Legs.Select(l => l.Request!.Room));
        Assert.Equal([100, 180], _w.InviteStatuses);
        Assert.Equal(["lobby"], _w.Entered);
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        Assert.Contains(200, _w.InviteStatuses);
        _w.Ack();
        _w.InDialog("BYE", 2, "b");
        _w.Farewell();
        Assert.Equal(("lobby", 1, 0), (_w.Record.Room, _w.Record.Flags.Count(f => f == "fallback_room"), _w.Calls.Seats));
    }

    [Fact]
    public void A_fallback_that_fails_too_refuses_the_call()
    {
        Decide(v => v with { FallbackRoom = "lobby" });
        _w.Invite();
        _w.Room.End(RoomEnd.RoomNotFound, "no such room");
        _w.Poke();
        _w.Room.End(RoomEnd.RoomNotFound, "no lobby");
        _w.Poke();
        Assert.Equal(("join_failed", "no lobby", 503), (_w.Record.Code, _w.Record.Sentence, _w.Record.SipStatus));
        Assert.Equal(2, _w.Rooms.Legs.Count);
    }

    [Fact]
    public void What_a_room_that_failed_still_says_is_not_heard()
    {
        Decide(v => v with { FallbackRoom = "lobby" });
        _w.Invite();
        FakeRoom first = _w.Room;
        first.End(RoomEnd.JoinTimeout, "slow");
        _w.Poke();
        _w.Calls.HandleMedia(_w.Media.Commands[^1].Call, new CallEvent(CallEventKind.Peer, 1, default(Proxy.WebRtc.PeerEvent)), _w.Now);
        Assert.Equal(0, _w.Room.PeerEvents);
        _w.Calls.HandleMedia(_w.Media.Commands[^1].Call, new CallEvent(CallEventKind.Peer, 2, default(Proxy.WebRtc.PeerEvent)), _w.Now);
        Assert.Equal(1, _w.Room.PeerEvents);
    }

    [Fact]
    public void The_trunks_headers_go_out_as_livekit_sends_them()
    {
        Decide(v => v with
        {
            Headers = [new("X-Static", "abc"), new("Via", "evil"), new("Content-Length", "7")],
            AttributesToHeaders = [new("foo", "X-Foo"), new("sip.callStatus", "X-Status"), new("sip.callID", "X-LK-Call"), new("missing", "X-Missing"), new("odd", "X-Odd"), new("foo", "From")],
            Attributes = [new("foo", "rule-foo"), new("sip.callID", "SCL_1"), new("odd", "a\r\nEvil: 1")],
        });
        _w.Invite();
        _w.Room.Join();
        _w.Room.PublishAgent();
        _w.Poke();
        string ok = _w.Sent.Last(m => m.StartsWith("SIP/2.0 200", StringComparison.Ordinal));
        Assert.Contains("X-Static: abc\r\n", ok, StringComparison.Ordinal);
        Assert.Contains("X-Foo: rule-foo\r\n", ok, StringComparison.Ordinal);
        Assert.Contains("X-Status: ringing\r\n", ok, StringComparison.Ordinal);
        Assert.Contains("X-LK-Call: SCL_1\r\n", ok, StringComparison.Ordinal);
        Assert.Contains("X-Odd: a  Evil: 1\r\n", ok, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Missing", ok, StringComparison.Ordinal);
        Assert.DoesNotContain("Via: evil", ok, StringComparison.Ordinal);
        Assert.DoesNotContain("From: rule-foo", ok, StringComparison.Ordinal);
        _w.Ack();
        _w.MediaEvent(CallEventKind.FirstPacket);
        _w.Room.ChangeAttributes(("foo", "changed-foo"), ("sip.callStatus", "ringing"));
        _w.Room.End(RoomEnd.Removed, "removed");
        _w.Poke();
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        Assert.Contains("X-Foo: changed-foo\r\n", _w.LastRequest, StringComparison.Ordinal);
        Assert.Contains("X-Status: active\r\n", _w.LastRequest, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Static", _w.LastRequest, StringComparison.Ordinal);
        Assert.DoesNotContain("X-LK-Call", _w.LastRequest, StringComparison.Ordinal);
    }

    [Fact]
    public void Headers_too_many_for_a_message_are_left_out_and_the_call_is_answered()
    {
        Decide(v => v with { Headers = [.. Enumerable.Range(0, 40).Select(i => System.Collections.Generic.KeyValuePair.Create("X-H" + i, new string('x', 900)))] });
        _w.Connect();
        Assert.Contains(200, _w.InviteStatuses);
        Assert.Contains("X-H0: xxx", _w.Sent.Last(m => m.StartsWith("SIP/2.0 200", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_trunks_media_timeout_is_the_shards()
    {
        Decide(v => v with { Media = new MediaPolicy { MediaTimeout = TimeSpan.FromSeconds(7) } });
        _w.Connect();
        Assert.Equal((TimeSpan.FromSeconds(7), _w.Limits.MediaTimeoutInitial), (LastAudio.MediaTimeout, LastAudio.MediaTimeoutInitial));
    }

    [Fact]
    public void The_rules_room_config_and_preset_reach_the_join()
    {
        Decide(v => v with { RoomConfigJson = "{\"emptyTimeout\":5}", RoomPreset = "phone", Metadata = "m" });
        _w.Invite();
        Assert.Equal(("{\"emptyTimeout\":5}", "phone", "m"), (_w.Room.Request!.RoomConfigJson, _w.Room.Request.RoomPreset, _w.Room.Request.Metadata));
    }

    [Fact]
    public void The_same_caller_twice_in_one_room_sits_beside_itself()
    {
        _w.Connect();
        _w.Media.All[^1].SetHeard(_w.Now);
        _w.Connect();
        _w.Connect();
        Assert.Equal(["sip_1", "sip_1_2", "sip_1_3"], _w.Rooms.Legs.Select(l => l.Request!.Identity));
        Assert.Empty(_w.Records);
        Assert.Equal(3, _w.Calls.Seats);
    }

    [Fact]
    public void A_dead_leg_is_replaced()
    {
        _w.Connect();
        _w.Advance(TimeSpan.FromSeconds(6));
        _w.Connect();
        Assert.Equal("sip_1", _w.Room.Request!.Identity);
        _w.Farewell();
        Assert.Equal(("replaced", "us"), (_w.Record.Code, _w.Record.EndedBy));
        Assert.Contains(_w.Sent, m => m.StartsWith("BYE ", StringComparison.Ordinal));
        Assert.Equal((1, 1), (_w.Calls.Count, _w.Calls.Seats));
    }

    [Theory]
    [InlineData("inactive")]
    [InlineData("sendonly")]
    public void A_leg_that_is_heard_or_held_is_not_dead(string hold)
    {
        _w.Connect();
        _w.Advance(TimeSpan.FromSeconds(6));
        _w.Media.All[^1].SetHeard(_w.Now);
        _w.Advance(TimeSpan.FromSeconds(4));
        _w.Connect();
        Assert.Equal("sip_1_2", _w.Room.Request!.Identity);
        _w.InDialog("INVITE", 2, "h", CallWorld.Offer(hold, version: 2));
        _w.Advance(TimeSpan.FromSeconds(20));
        _w.Media.All[0].SetHeard(_w.Now);
        _w.Connect();
        Assert.Equal("sip_1_3", _w.Room.Request!.Identity);
    }

    [Fact]
    public void A_seat_is_free_again_after_the_call()
    {
        _w.Connect();
        _w.InDialog("BYE", 2, "b");
        _w.Farewell();
        _w.Connect();
        Assert.Equal("sip_1", _w.Room.Request!.Identity);
        Assert.Equal("hangup", _w.Record.Code);
    }

    private bool IsDeaf => (bool)_w.Media.Commands.Last(c => c.Command.Kind == CallCommandKind.Deafen).Command.Payload!;

    private void Decide(Func<Verdict, Verdict> change)
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = f => change(join(f));
    }
}
