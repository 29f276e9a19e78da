using System.Collections.Concurrent;
using System.Collections.Generic;
using Proxy.Bridge.Rooms;
using Proxy.DevRoom;

namespace Proxy.Server.Rooms;

/// <summary>
/// Room loop writes, signal thread looks. What became of the agents that were dispatched into the rooms of the built-in
/// room server; a room is forgotten when it closes.
/// </summary>
public sealed class AgentBoard : IAgentWatch
{
    private readonly ConcurrentDictionary<(string Room, string Agent), AgentSighting> _sightings = new();
    private readonly Dictionary<string, HashSet<string>> _agents = [];

    /// <summary>Room loop. Keeps what a notice says of an agent.</summary>
    public void Take(in RoomNotice notice)
    {
        switch (notice.Kind)
        {
            case RoomNoticeKind.JobTaken:
                Set(notice, AgentStage.Taken);
                break;
            case RoomNoticeKind.JobUntaken:
                Set(notice, AgentStage.Untaken);
                break;
            case RoomNoticeKind.AgentJoined:
                Set(notice, AgentStage.InRoom);
                break;
            case RoomNoticeKind.JobOver:
                Set(notice, AgentStage.Over);
                break;
            case RoomNoticeKind.RoomClosed when _agents.Remove(notice.Room, out HashSet<string>? agents):
                foreach (string agent in agents)
                {
                    _sightings.TryRemove((notice.Room, agent), out _);
                }
                break;
        }
    }

    public AgentSighting Look(string room, string agentName) => _sightings.GetValueOrDefault((room, agentName));

    private void Set(in RoomNotice notice, AgentStage stage)
    {
        if (!_agents.TryGetValue(notice.Room, out HashSet<string>? agents))
        {
            _agents[notice.Room] = agents = [];
        }
        agents.Add(notice.Agent);
        _sightings[(notice.Room, notice.Agent)] = new AgentSighting(stage, notice.Detail);
    }
}
