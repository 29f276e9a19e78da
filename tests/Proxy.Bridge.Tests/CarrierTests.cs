using System;
using System.Globalization;
using System.Linq;
using Proxy.Bridge.Media;
using Proxy.Bridge.Tests.World;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>What docs/compared-with-livekit-sip.md promises of a whole call; each test fails on what livekit-sip does.</summary>
public sealed class CarrierTests
{
    private readonly CallWorld _w = new();

    [Theory]
    [InlineData(RefusalCode.NoTrunk, 404)]
    [InlineData(RefusalCode.NoRule, 404)]
    [InlineData(RefusalCode.SourceNotAllowed, 403)]
    [InlineData(RefusalCode.CallerNotAllowed, 403)]
    public void A_refused_call_never_rings_and_is_told_at_once(RefusalCode code, int status)
    {
        _w.Decision = _ => Verdict.Refuse(code, "no", Refusals.Default);
        _w.Invite();
        Assert.Equal([100, status], _w.InviteStatuses);
        _w.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal([100, status], _w.InviteStatuses);
    }

    [Fact]
    public void Media_starts_with_the_200_and_does_not_wait_for_the_ack()
    {
        Ring();
        _w.Room.PublishAgent();
        _w.Poke();
        Assert.Contains(200, _w.InviteStatuses);
        Assert.Single(_w.Media.Commands, c => c.Command.Kind == CallCommandKind.StartSip);
        Assert.Equal(CallPhase.Answered, Phase());
    }

    [Fact]
    public void The_200_waits_until_the_agents_track_is_wired_so_that_its_greeting_is_whole()
    {
        Ring();
        _w.Room.PublishAgent();
        _w.Room.HasRemoteAudio = false;
        _w.Poke();
        Assert.DoesNotContain(200, _w.InviteStatuses);
        _w.Room.HasRemoteAudio = true;
        _w.Poke();
        Assert.Contains(200, _w.InviteStatuses);
    }

    [Fact]
    public void A_reinvite_changes_codec_port_and_version_of_the_answer()
    {
        _w.Connect();
        string first = _w.Sent.Last(m => m.Contains("1 INVITE", StringComparison.Ordinal));
        _w.InDialog("INVITE", 2, "c", CallWorld.Offer(formats: "8 101", version: 2).Replace("m=audio 4000", "m=audio 4444", StringComparison.Ordinal));
        string second = _w.Sent.Last(m => m.Contains("2 INVITE", StringComparison.Ordinal));
        Assert.Contains("RTP/AVP 8 101", second, StringComparison.Ordinal);
        Assert.Equal(Version(first) + 1, Version(second));
        var audio = (SipAudio)_w.Media.Commands.Last(c => c.Command.Kind == CallCommandKind.Renegotiate).Command.Payload!;
        Assert.Equal((8, 4444), (audio.PayloadType, audio.Remote.Port));
    }

    [Fact]
    public void An_unanswered_bye_frees_media_and_ports_at_once_and_is_repeated_in_the_background()
    {
        _w.Connect();
        _w.Room.End(Participant.RoomEnd.Removed, "removed");
        _w.Poke();
        _w.Farewell();
        Assert.Equal((0, 0), (_w.Calls.Count, _w.Media.Out));
        Assert.Single(_w.Records);
        _w.Advance(TimeSpan.FromSeconds(40));
        Assert.InRange(_w.Sent.Count(m => m.StartsWith("BYE ", StringComparison.Ordinal)), 8, 12);
    }

    [Fact]
    public void A_call_that_everybody_left_stays_unless_the_rule_says_otherwise()
    {
        LeaveAlone(WhenAlone.Stay);
        _w.Advance(TimeSpan.FromMinutes(5));
        Assert.Empty(_w.Records);
    }

    [Fact]
    public void A_call_that_everybody_left_is_hung_up_after_the_time_of_the_rule()
    {
        LeaveAlone(WhenAlone.HangUp);
        _w.Advance(TimeSpan.FromSeconds(9));
        Assert.Empty(_w.Records);
        _w.Room.AddAgent();
        _w.Poke();
        _w.Advance(TimeSpan.FromSeconds(60));
        Assert.Empty(_w.Records);
        _w.Room.RemoveAgent();
        _w.Poke();
        _w.Advance(TimeSpan.FromSeconds(11));
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        Assert.Contains("cause=16", _w.LastRequest, StringComparison.Ordinal);
        Assert.Equal("alone", _w.Record.Code);
    }

    [Fact]
    public void A_call_whose_agent_left_asks_for_its_agents_again_and_hangs_up_when_none_comes()
    {
        FakeAgents agents = new();
        CallWorld w = new(agents: agents);
        LeaveAlone(WhenAlone.Dispatch, w);
        w.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal("room", Assert.Single(agents.Dispatched).Room);
        w.Room.AddAgent();
        w.Poke();
        w.Advance(TimeSpan.FromMinutes(5));
        Assert.Empty(w.Records);
        w.Room.RemoveAgent();
        w.Poke();
        w.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(2, agents.Dispatched.Count);
        w.Advance(w.Limits.RingingTimeout + TimeSpan.FromSeconds(1));
        Assert.Equal(2, agents.Dispatched.Count);
        Assert.Equal("alone", w.Record.Code);
    }

    [Fact]
    public void The_100_says_Processing_the_180_comes_each_second_and_the_answer_is_of_LiveKit()
    {
        Ring();
        _w.Advance(TimeSpan.FromMilliseconds(3_500));
        Assert.StartsWith("SIP/2.0 100 Processing\r\n", _w.Sent[0], StringComparison.Ordinal);
        Assert.Equal(4, _w.Sent.Count(m => m.StartsWith("SIP/2.0 180 ", StringComparison.Ordinal)));
        _w.Room.PublishAgent();
        _w.Poke();
        Assert.Contains("\r\ns=LiveKit\r\n", _w.Sent.Last(m => m.StartsWith("SIP/2.0 200", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_call_status_is_ringing_then_active_then_hangup()
    {
        Ring();
        Assert.Contains(_w.Room.Request!.Attributes, a => a.Key == "sip.callStatus" && a.Value == "ringing");
        _w.Room.PublishAgent();
        _w.Poke();
        _w.Ack();
        _w.Advance(TimeSpan.FromSeconds(2));
        _w.InDialog("BYE", 2, "b");
        _w.Farewell();
        Assert.Equal(["active", "hangup"], _w.Room.Statuses);
    }

    private CallPhase Phase()
    {
        CallPhase phase = default;
        _w.Calls.Visit(c => phase = c.Phase);
        return phase;
    }

    private static int Version(string message)
    {
        string origin = message.Split("\r\n").First(l => l.StartsWith("o=", StringComparison.Ordinal));
        return int.Parse(origin.Split(' ')[2], CultureInfo.InvariantCulture);
    }

    private void Ring()
    {
        _w.Invite();
        _w.Room.Join();
        _w.Poke();
    }

    private void LeaveAlone(WhenAlone what, CallWorld? world = null)
    {
        CallWorld w = world ?? _w;
        Func<CallFacts, Verdict> join = w.Decision;
        w.Decision = f => join(f) with { WhenAlone = what, AloneFor = TimeSpan.FromSeconds(10), Agents = ["a"], RoomConfigJson = "{}" };
        w.Invite();
        w.Room.Join();
        w.Room.AddAgent();
        w.Room.PublishAgent();
        w.Poke();
        w.Ack();
        w.Room.RemoveAgent();
        w.Poke();
    }
}
