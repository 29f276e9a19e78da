namespace Proxy.DevRoom;

/// <summary>What happened to a participant, a room, an agents worker or its job.</summary>
public enum RoomNoticeKind
{
    /// <summary>The signalling connection was accepted.</summary>
    Joined,

    /// <summary>ICE and DTLS are up.</summary>
    Active,

    /// <summary>Gone; the detail is the reason that the others were told.</summary>
    Left,

    /// <summary>The room is over; the detail is the reason.</summary>
    RoomClosed,

    /// <summary>A worker registered; the identity is its id.</summary>
    WorkerJoined,

    /// <summary>A worker's connection is gone.</summary>
    WorkerLeft,

    /// <summary>A worker took a job; the detail names it.</summary>
    JobTaken,

    /// <summary>No worker takes the job any more; the detail says why.</summary>
    JobUntaken,

    /// <summary>The job's agent is in the room; the detail is its identity.</summary>
    AgentJoined,

    /// <summary>A job that a worker took ended before its agent was in the room; the detail says how.</summary>
    JobOver,
}

/// <summary>Any thread. One line for the log of whoever runs the room server.</summary>
/// <param name="Room">Empty for a worker's own notices.</param>
/// <param name="Identity">Who, or empty.</param>
/// <param name="Detail">A reason as LiveKit names it, a clause, or empty.</param>
/// <param name="Agent">Name of the agent that was dispatched; empty for an unnamed one.</param>
public readonly record struct RoomNotice(RoomNoticeKind Kind, string Room, string Identity, string Detail, string Agent = "")
{
    public override string ToString() => Kind switch
    {
        RoomNoticeKind.RoomClosed => "room " + Room + " closed: " + Detail,
        RoomNoticeKind.Left => Identity + " left room " + Room + ": " + Detail,
        RoomNoticeKind.Active => Identity + " is connected to room " + Room,
        RoomNoticeKind.WorkerJoined => "worker " + Identity + " registered for " + WorkText,
        RoomNoticeKind.WorkerLeft => "worker " + Identity + " for " + WorkText + " is gone",
        RoomNoticeKind.JobTaken => Detail + " took the job of " + AgentText + " in room " + Room,
        RoomNoticeKind.JobUntaken => "no worker takes the job of " + AgentText + " in room " + Room + ": " + Detail,
        RoomNoticeKind.AgentJoined => AgentText + " is in room " + Room + " as " + Detail,
        RoomNoticeKind.JobOver => "the job of " + AgentText + " in room " + Room + " " + Detail + " before its agent was there",
        _ => Identity + " joined room " + Room,
    };

    private string AgentText => Agent.Length == 0 ? "the unnamed agent" : "agent '" + Agent + "'";

    private string WorkText => Agent.Length == 0 ? "every room without a named agent" : AgentText;
}
