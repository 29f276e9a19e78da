using Proxy.Core.Collections;

namespace Proxy.Bridge.Rooms;

/// <summary>How far an agent that was dispatched into a room came.</summary>
public enum AgentStage
{
    /// <summary>Nothing is known of such a dispatch, or a worker was asked and has not answered.</summary>
    Unknown,

    /// <summary>No worker takes it; the detail says why.</summary>
    Untaken,

    /// <summary>A worker took it, the agent is not in the room; the detail names the worker.</summary>
    Taken,

    /// <summary>The agent is, or was, in the room; the detail is its identity.</summary>
    InRoom,

    /// <summary>The job ended before the agent came; the detail says how.</summary>
    Over,
}

/// <summary>Any thread. What is known of one agent in one room.</summary>
/// <param name="Detail">A clause for people; may be empty.</param>
public readonly record struct AgentSighting(AgentStage Stage, string Detail);

/// <summary>Signal thread. Looks into a room server that runs in the same process; must not block.</summary>
public interface IAgentWatch
{
    AgentSighting Look(string room, string agentName);
}

/// <summary>Signal thread. Asks the room server for agents by its API; must not block.</summary>
public interface IAgentDispatcher
{
    /// <param name="callId">For the log.</param>
    /// <param name="roomConfigJson">Whose agents are meant.</param>
    void Dispatch(SlotId call, string callId, string room, string roomConfigJson);
}
