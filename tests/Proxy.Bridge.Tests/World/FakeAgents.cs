using System.Collections.Generic;
using Proxy.Bridge.Rooms;
using Proxy.Core.Collections;

namespace Proxy.Bridge.Tests.World;

/// <summary>Test double of what a room server knows of agents, and of its dispatch API.</summary>
internal sealed class FakeAgents : IAgentWatch, IAgentDispatcher
{
    public Dictionary<string, AgentSighting> Seen { get; } = [];

    public List<(SlotId Call, string Room, string Config)> Dispatched { get; } = [];

    public AgentSighting Look(string room, string agentName) => Seen.GetValueOrDefault(agentName);

    public void Dispatch(SlotId call, string callId, string room, string roomConfigJson) => Dispatched.Add((call, room, roomConfigJson));
}
