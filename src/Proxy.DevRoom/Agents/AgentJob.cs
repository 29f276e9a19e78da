using System.Collections.Generic;
using Proxy.Core.Time;
using Proxy.LiveKit.Protocol;

namespace Proxy.DevRoom.Agents;

/// <summary>How far a job is.</summary>
internal enum JobStage
{
    /// <summary>A worker was asked whether it is available.</summary>
    Offered,

    /// <summary>The worker has the token; its agent is not in the room yet.</summary>
    Assigned,

    /// <summary>The agent is in the room.</summary>
    InRoom,

    /// <summary>Termination was sent; the agent is removed if it does not go by itself.</summary>
    Ending,

    Over,
}

/// <summary>Room loop. One piece of work for one worker: offered to each that may do it until one takes it.</summary>
internal sealed class AgentJob(Job info, RoomDispatch? dispatch)
{
    /// <summary>As workers and ListDispatch see it; changed in place, sent as a copy.</summary>
    public Job Info => info;

    /// <summary>Null for a simulated job.</summary>
    public RoomDispatch? Dispatch => dispatch;

    public string Id => info.Id;

    public string RoomName => info.Room?.Name ?? "";

    public JobStage Stage { get; set; } = JobStage.Offered;

    /// <summary>Who was asked last; null when nobody is, or when its connection was lost.</summary>
    public AgentWorker? Worker { get; set; }

    /// <summary>Ids of the workers that were asked: each is asked once.</summary>
    public HashSet<string> Asked { get; } = [];

    /// <summary>Why the last worker did not take it.</summary>
    public string LastRefusal { get; set; } = "";

    /// <summary>End of the worker's time to answer, or of the agent's time to leave.</summary>
    public MonoTime Deadline { get; set; } = MonoTime.Never;

    /// <summary>The agent's identity in the room; empty until a worker took the job.</summary>
    public string Identity => info.State.ParticipantIdentity;

    public bool IsOf(string room, string identity) =>
        Stage is JobStage.Assigned or JobStage.InRoom or JobStage.Ending && identity.Length > 0 && Identity == identity && RoomName == room;
}
