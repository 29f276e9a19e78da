using System.Collections.Generic;
using Google.Protobuf.Collections;
using Proxy.LiveKit.Protocol;
using Room = Proxy.DevRoom.Rooms.Room;

namespace Proxy.DevRoom.Agents;

/// <summary>Room loop. One request for an agent in a room, and the jobs that came of it.</summary>
internal sealed class RoomDispatch
{
    /// <summary>Jobs listed of one dispatch; a long-lived room with participant jobs forgets the oldest that are over.</summary>
    private const int JobsMax = 100;
    private readonly List<AgentJob> _jobs = [];

    public RoomDispatch(string id, Room room, RoomAgentDispatch wish, long createdNanos)
    {
        Room = room;
        Info = new AgentDispatch
        {
            Id = id,
            Room = room.Name,
            AgentName = wish.AgentName,
            Metadata = wish.Metadata,
            RestartPolicy = wish.RestartPolicy,
            Deployment = wish.Deployment,
            State = new AgentDispatchState { CreatedAt = createdNanos },
        };
        Copy(wish.Attributes, Info.Attributes);
    }

    public Room Room { get; }

    /// <summary>Without jobs.</summary>
    public AgentDispatch Info { get; }

    public string Id => Info.Id;

    public string AgentName => Info.AgentName;

    /// <summary>A worker decided about the job: from now on it is listed.</summary>
    public void List(AgentJob job)
    {
        if (_jobs.Contains(job))
        {
            return;
        }
        if (_jobs.Count >= JobsMax)
        {
            int over = _jobs.FindIndex(old => old.Stage == JobStage.Over);
            _jobs.RemoveAt(over < 0 ? 0 : over);
        }
        _jobs.Add(job);
    }

    /// <summary>As ListDispatch shows it.</summary>
    public AgentDispatch Snapshot()
    {
        AgentDispatch info = Info.Clone();
        foreach (AgentJob job in _jobs)
        {
            info.State.Jobs.Add(job.Info.Clone());
        }
        return info;
    }

    internal static void Copy(MapField<string, string> from, MapField<string, string> to)
    {
        foreach (KeyValuePair<string, string> pair in from)
        {
            to[pair.Key] = pair.Value;
        }
    }
}
