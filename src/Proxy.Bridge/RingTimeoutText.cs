using System;
using System.Globalization;
using Proxy.Bridge.Rooms;
using Proxy.Policy;

namespace Proxy.Bridge;

/// <summary>Signal thread. What a call knows when its ringing ends.</summary>
/// <param name="IsJoined">The room's media was up.</param>
/// <param name="RoomExisted">The room was there before the call.</param>
/// <param name="DispatchFailure">Why agents that the call asked for itself were not dispatched; empty when they were.</param>
/// <param name="Waited">Since the INVITE, or since the PIN.</param>
/// <param name="Agents">The room server in this process, or null.</param>
internal readonly record struct RingTimeoutFacts(bool IsJoined, bool RoomExisted, string DispatchFailure, TimeSpan Waited, IAgentWatch? Agents);

/// <summary>Signal thread. The sentence of a call that nobody answered: which rule, which agent, and how far it came.</summary>
internal static class RingTimeoutText
{
    public static string Describe(Verdict verdict, in RingTimeoutFacts facts)
    {
        string time = facts.Waited.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";
        if (verdict.Agents.Length == 0)
        {
            return facts.IsJoined ? $"nobody in the room published audio in {time}" : $"the room was not joined in {time}";
        }
        string who = verdict.RuleId.Length > 0 ? "rule " + verdict.RuleId : "the policy";
        string agents = (verdict.Agents.Length > 1 ? "agents '" : "agent '") + string.Join("', '", verdict.Agents) + "'";
        if (!facts.IsJoined)
        {
            return $"{who} dispatches {agents}; the room was not joined in {time}";
        }
        if (facts.RoomExisted && !verdict.DispatchAgentsAlways)
        {
            return $"{who} dispatches {agents} only with the join that makes the room, and it existed already; nobody published audio in {time}";
        }
        if (facts.DispatchFailure.Length > 0)
        {
            return $"{who} could not dispatch {agents}: {facts.DispatchFailure}; nobody published audio in {time}";
        }
        return $"{who} dispatched {agents}; {Came(verdict, facts, time)}";
    }

    /// <summary>The agent that came farthest speaks for all.</summary>
    private static string Came(Verdict verdict, in RingTimeoutFacts facts, string time)
    {
        if (facts.Agents is null)
        {
            return "nobody published audio in " + time;
        }
        AgentSighting best = default;
        foreach (string agent in verdict.Agents)
        {
            AgentSighting sighting = facts.Agents.Look(verdict.Room, agent);
            best = Rank(sighting.Stage) > Rank(best.Stage) ? sighting : best;
        }
        string jobs = verdict.Agents.Length > 1 ? "jobs" : "job";
        return best.Stage switch
        {
            AgentStage.InRoom => $"{best.Detail} joined the room but published no audio in {time}",
            AgentStage.Taken => $"{best.Detail} took the job, but its agent did not join the room in {time}",
            AgentStage.Over => $"a worker took the job, and it {best.Detail} before its agent joined the room; nobody published audio in {time}",
            AgentStage.Untaken => $"no worker took the {jobs} in {time}: {best.Detail}",
            _ => $"no worker took the {jobs} in {time}",
        };
    }

    private static int Rank(AgentStage stage) => stage switch
    {
        AgentStage.InRoom => 4,
        AgentStage.Taken => 3,
        AgentStage.Over => 2,
        AgentStage.Untaken => 1,
        _ => 0,
    };
}
