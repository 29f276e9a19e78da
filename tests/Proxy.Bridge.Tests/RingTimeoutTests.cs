using System;
using Proxy.Bridge.Rooms;
using Proxy.Bridge.Tests.World;
using Proxy.Policy;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>What the record of a call says when nobody answered it: the rule, the agent, and how far it came.</summary>
public sealed class RingTimeoutTests
{
    private const string Dispatched = "rule SDR_1 dispatched agent 'support'; ";

    private static string Ring(FakeAgents? agents, bool roomExisted = false, bool isAlways = false, bool isJoined = true, string failure = "", params string[] names)
    {
        CallWorld w = new(agents: agents);
        Func<CallFacts, Verdict> join = w.Decision;
        w.Decision = f => join(f) with
        {
            Agents = names.Length > 0 ? names : ["support"],
            RoomConfigJson = "{\"agents\":[{\"agentName\":\"support\"}]}",
            DispatchAgentsAlways = isAlways,
            RingingTimeout = TimeSpan.FromSeconds(20),
        };
        w.Invite();
        if (isJoined)
        {
            w.Room.Join(roomExisted);
            w.Poke();
        }
        if (failure.Length > 0)
        {
            w.Calls.HandleDispatchFailure(Assert.Single(agents!.Dispatched).Call, failure);
        }
        w.Advance(TimeSpan.FromSeconds(21));
        w.Farewell();
        Assert.Contains(480, w.InviteStatuses);
        Assert.Equal(("ring_timeout", "us"), (w.Record.Code, w.Record.EndedBy));
        Assert.Equal(failure.Length > 0, w.Record.Flags.Contains("agents_not_dispatched"));
        return w.Record.Sentence;
    }

    private static FakeAgents Saw(AgentStage stage, string detail) => new() { Seen = { ["support"] = new AgentSighting(stage, detail) } };

    [Fact]
    public void Elsewhere_only_silence_is_known() =>
        Assert.Equal(Dispatched + "nobody published audio in 20.0 s", Ring(null));

    [Fact]
    public void In_this_process_the_room_server_knows_why_no_worker_took_the_job()
    {
        Assert.Equal(Dispatched + "no worker took the job in 20.0 s: none is registered under that name", Ring(Saw(AgentStage.Untaken, "none is registered under that name")));
        Assert.Equal(Dispatched + "no worker took the job in 20.0 s", Ring(new FakeAgents()));
    }

    [Fact]
    public void A_job_that_was_taken_tells_how_far_the_agent_came()
    {
        Assert.Equal(Dispatched + "worker AW_1 took the job, but its agent did not join the room in 20.0 s", Ring(Saw(AgentStage.Taken, "worker AW_1")));
        Assert.Equal(Dispatched + "agent-AJ_1 joined the room but published no audio in 20.0 s", Ring(Saw(AgentStage.InRoom, "agent-AJ_1")));
        Assert.Equal(
            Dispatched + "a worker took the job, and it failed before its agent joined the room; nobody published audio in 20.0 s", Ring(Saw(AgentStage.Over, "failed")));
    }

    [Fact]
    public void Of_several_agents_the_one_that_came_farthest_is_told()
    {
        FakeAgents agents = Saw(AgentStage.Untaken, "none is registered under that name");
        Assert.Equal(
            "rule SDR_1 dispatched agents 'support', 'sales'; no worker took the jobs in 20.0 s: none is registered under that name",
            Ring(agents, names: ["support", "sales"]));
        agents.Seen["sales"] = new AgentSighting(AgentStage.InRoom, "agent-2");
        Assert.Equal(
            "rule SDR_1 dispatched agents 'support', 'sales'; agent-2 joined the room but published no audio in 20.0 s", Ring(agents, names: ["support", "sales"]));
    }

    [Fact]
    public void A_room_that_existed_gets_no_agent_by_the_token()
    {
        FakeAgents agents = new();
        Assert.Equal(
            "rule SDR_1 dispatches agent 'support' only with the join that makes the room, and it existed already; nobody published audio in 20.0 s",
            Ring(agents, roomExisted: true));
        Assert.Empty(agents.Dispatched);
    }

    [Fact]
    public void A_rule_that_dispatches_on_every_call_asks_the_room_server_when_the_room_existed()
    {
        FakeAgents agents = Saw(AgentStage.Untaken, "every worker of that name is full");
        Assert.Equal(Dispatched + "no worker took the job in 20.0 s: every worker of that name is full", Ring(agents, roomExisted: true, isAlways: true));
        Assert.Equal(("room", "{\"agents\":[{\"agentName\":\"support\"}]}"), (agents.Dispatched[0].Room, agents.Dispatched[0].Config));
        FakeAgents fresh = new();
        Ring(fresh, isAlways: true);
        Assert.Empty(fresh.Dispatched);
    }

    [Fact]
    public void A_dispatch_that_failed_is_told_with_its_reason() =>
        Assert.Equal(
            "rule SDR_1 could not dispatch agent 'support': the room server answered 401; nobody published audio in 20.0 s",
            Ring(new FakeAgents(), roomExisted: true, isAlways: true, failure: "the room server answered 401"));

    [Fact]
    public void A_room_that_was_not_joined_is_told_as_that() =>
        Assert.Equal("rule SDR_1 dispatches agent 'support'; the room was not joined in 20.0 s", Ring(null, isJoined: false));
}
