using System;
using System.Linq;
using Proxy.Bridge.Media;
using Proxy.Bridge.Tests.World;
using Proxy.Participant;
using Proxy.Policy;
using Proxy.Policy.Trunks;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>The same caller comes into a room through another node: the room server puts our leg out (DUPLICATE_IDENTITY).</summary>
public sealed class RejoinTests
{
    private readonly CallWorld _w = new();

    private void LoseIdentity()
    {
        _w.Room.End(RoomEnd.DuplicateIdentity, "another participant joined the room with our identity");
        _w.Poke();
    }

    [Fact]
    public void A_live_caller_comes_back_beside_the_other()
    {
        _w.Connect();
        _w.MediaEvent(CallEventKind.FirstPacket);
        int answers = _w.Sent.Count;
        LoseIdentity();
        Assert.Equal((2, "sip_1_2", "room"), (_w.Rooms.Legs.Count, _w.Room.Request!.Identity, _w.Room.Request.Room));
        Assert.Equal("active", _w.Room.Request.Attributes["sip.callStatus"]);
        _w.Room.Join(roomExisted: true);
        _w.Poke();
        Assert.Equal(CallPhase.Connected, Only.Phase);
        Assert.Equal(answers, _w.Sent.Count);
        Assert.Equal(0, _w.Playing);
        Assert.Equal([("sip_1", "sip_1_2")], _w.Rejoined);
        _w.InDialog("BYE", 2, "b");
        _w.Farewell();
        Assert.Equal(("hangup", "sip_1_2", "identity_taken"), (_w.Record.Code, _w.Record.Identity, _w.Record.Flags.Single()));
        Assert.Equal((0, 0, 0), (_w.Calls.Count, _w.Calls.Seats, _w.Media.Out));
    }

    [Fact]
    public void Nobody_has_to_speak_in_the_room_before_the_caller_is_back()
    {
        _w.Connect();
        _w.MediaEvent(CallEventKind.FirstPacket);
        LoseIdentity();
        Assert.False(_w.Room.HasRemoteAudio);
        _w.Room.Join();
        _w.Advance(_w.Limits.RingingTimeout + TimeSpan.FromSeconds(1));
        Assert.Equal(CallPhase.Connected, Only.Phase);
    }

    [Fact]
    public void Identities_of_others_in_the_room_are_passed_over()
    {
        _w.Connect();
        _w.Media.All[^1].SetHeard(_w.Now);
        _w.Room.AddPhone("sip_1_2");
        _w.Room.AddPhone("sip_1_4");
        _w.Poke();
        LoseIdentity();
        Assert.Equal("sip_1_3", _w.Room.Request!.Identity);
        LoseIdentity();
        Assert.Equal("sip_1_2", _w.Room.Request!.Identity);
        LoseIdentity();
        Assert.Equal("sip_1_4", _w.Room.Request!.Identity);
    }

    [Fact]
    public void Keys_pressed_meanwhile_reach_the_room()
    {
        _w.Connect();
        LoseIdentity();
        _w.Keys("7");
        Assert.Equal(['7'], _w.Room.Digits);
    }

    [Fact]
    public void What_an_agent_changed_of_the_caller_stays_changed()
    {
        _w.Connect();
        _w.Room.ChangeAttributes(("mood", "good"));
        _w.Poke();
        LoseIdentity();
        Assert.Equal("good", _w.Room.Request!.Attributes["mood"]);
    }

    [Fact]
    public void A_caller_who_still_rings_goes_on_ringing_and_is_answered_there()
    {
        _w.Invite();
        _w.Room.Join();
        _w.Poke();
        LoseIdentity();
        Assert.Equal(("sip_1_2", "ringing"), (_w.Room.Request!.Identity, _w.Room.Request.Attributes["sip.callStatus"]));
        _w.Room.Join();
        _w.Poke();
        Assert.Equal(CallPhase.Ringing, Only.Phase);
        _w.Room.PublishAgent();
        _w.Poke();
        Assert.Equal([180, 200], _w.InviteStatuses.Where(s => s > 100));
    }

    [Fact]
    public void Agents_are_dispatched_once()
    {
        var agents = new FakeAgents();
        var w = new CallWorld(agents: agents);
        Func<Proxy.Policy.CallFacts, Verdict> join = w.Decision;
        w.Decision = facts => join(facts) with { DispatchAgentsAlways = true, Agents = ["a"] };
        w.Invite();
        w.Room.Join(roomExisted: true);
        w.Poke();
        int asked = agents.Dispatched.Count;
        w.Room.End(RoomEnd.DuplicateIdentity, "another");
        w.Poke();
        w.Room.Join(roomExisted: true);
        w.Poke();
        Assert.Equal((1, 1), (asked, agents.Dispatched.Count));
    }

    [Fact]
    public void A_caller_who_is_not_heard_any_more_gives_way()
    {
        _w.Connect();
        _w.Advance(_w.Limits.DeadLegSilence + TimeSpan.FromSeconds(1));
        LoseIdentity();
        _w.Farewell();
        Assert.Equal((1, "duplicate_identity"), (_w.Rooms.Legs.Count, _w.Record.Code));
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_who_put_each_other_out_do_not_go_on_for_ever()
    {
        _w.Connect();
        for (int i = 0; i <= _w.Limits.RoomRejoins; i++)
        {
            Assert.Equal(i + 1, _w.Rooms.Legs.Count);
            LoseIdentity();
        }
        _w.Farewell();
        Assert.Equal((_w.Limits.RoomRejoins + 1, "duplicate_identity"), (_w.Rooms.Legs.Count, _w.Record.Code));
        Assert.Equal((0, 0), (_w.Calls.Count, _w.Calls.Seats));
    }

    [Fact]
    public void A_room_that_does_not_take_the_caller_back_ends_the_call()
    {
        _w.Connect();
        LoseIdentity();
        _w.Room.End(RoomEnd.Unreachable, "nobody listens there");
        _w.Advance(_w.Limits.Parting);
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        _w.Farewell();
        Assert.Equal("room_failed", _w.Record.Code);
        Assert.Equal(["identity_taken", "told_room_lost"], _w.Record.Flags);
    }

    private Call Only
    {
        get
        {
            Call? only = null;
            _w.Calls.Visit(call => only = call);
            return only!;
        }
    }
}
