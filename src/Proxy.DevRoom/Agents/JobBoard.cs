using System;
using System.Collections.Generic;
using Proxy.Core.Time;
using Proxy.DevRoom.DemoAgent;
using Proxy.DevRoom.Rooms;
using Proxy.LiveKit.Protocol;
using Room = Proxy.DevRoom.Rooms.Room;

namespace Proxy.DevRoom.Agents;

/// <summary>
/// Room loop. Dispatches become jobs, jobs are offered to workers one after the other until one takes them, and end with
/// their agent's stay in the room.
/// </summary>
/// <remarks>
/// As the stock server: a job that nobody takes is not tried again, and a worker that comes later gets nothing of it.
/// Deviation: a worker that goes away between taking a job and its agent's arrival loses it to the next worker.
/// </remarks>
internal sealed class JobBoard(RoomServer server, RoomEnvironment environment, WorkerTable workers)
{
    /// <summary>A worker's time to say whether it is available (measured).</summary>
    private const int AnswerTimeoutMs = 10_000;

    /// <summary>An agent's time to leave after its dispatch was deleted (measured).</summary>
    private const int LeaveTimeoutMs = 3_000;

    /// <summary>Jobs that are not over; more are not made.</summary>
    private const int JobsMax = 4_000;
    private const int DispatchesPerRoomMax = 100;
    private readonly Dictionary<string, AgentJob> _jobs = [];
    private readonly PriorityQueue<AgentJob, long> _deadlines = new();

    public MonoTime NextDeadline => _deadlines.TryPeek(out _, out long micros) ? new MonoTime(micros) : MonoTime.Never;

    /// <summary>A room was made: it gets the agents that were asked for, or a worker without a name.</summary>
    public void RoomMade(Room room, IReadOnlyList<RoomAgentDispatch> wishes, MonoTime now)
    {
        foreach (RoomAgentDispatch wish in wishes)
        {
            Dispatch(room, wish, now);
        }
        if (wishes.Count == 0)
        {
            Dispatch(room, new RoomAgentDispatch(), now);
        }
    }

    /// <returns>Null when the room has too many.</returns>
    public RoomDispatch? Dispatch(Room room, RoomAgentDispatch wish, MonoTime now)
    {
        if (room.Dispatches.Count >= DispatchesPerRoomMax)
        {
            return null;
        }
        RoomDispatch dispatch = new(environment.NewSid("AD_"), room, wish, UnixNanos(now));
        room.Dispatches.Add(dispatch);
        if (wish.AgentName == DemoAgentOptions.AgentName)
        {
            server.AddAgent(room, DemoAgentOptions.Parse(wish.Metadata), now);
            return dispatch;
        }
        Launch(dispatch, JobType.JtRoom, null, now);
        foreach (Participant participant in room.Participants)
        {
            if (!participant.IsDependent)
            {
                Launch(dispatch, JobType.JtParticipant, participant, now);
            }
            if (!participant.IsDependent && participant.Info.IsPublisher)
            {
                Launch(dispatch, JobType.JtPublisher, participant, now);
            }
        }
        return dispatch;
    }

    private void Launch(RoomDispatch dispatch, JobType type, Participant? participant, MonoTime now)
    {
        if (!workers.Serves(dispatch.Info, type) || _jobs.Count >= JobsMax)
        {
            if (type == JobType.JtRoom && dispatch.AgentName.Length > 0 && !workers.Serves(dispatch.Info, JobType.JtParticipant)
                && !workers.Serves(dispatch.Info, JobType.JtPublisher))
            {
                Tell(RoomNoticeKind.JobUntaken, dispatch.Room.Name, dispatch.AgentName, workers.DescribeLack(dispatch.Info, type));
            }
            return;
        }
        Job info = new()
        {
            Id = environment.NewSid("AJ_"),
            Type = type,
            Room = dispatch.Room.Info.Clone(),
            Participant = participant?.Snapshot(),
            AgentName = dispatch.AgentName,
            Metadata = dispatch.Info.Metadata,
            DispatchId = dispatch.Id,
            Deployment = dispatch.Info.Deployment,
            State = new JobState(),
        };
        RoomDispatch.Copy(dispatch.Info.Attributes, info.Attributes);
        AgentJob job = new(info, dispatch);
        _jobs[job.Id] = job;
        Offer(job, now);
    }

    /// <summary>A worker asks for a made-up job of its own; nobody else gets it.</summary>
    public void Simulate(AgentWorker worker, SimulateJobRequest request, MonoTime now)
    {
        if (_jobs.Count < JobsMax)
        {
            Job info = new()
            {
                Id = environment.NewSid("AJ_"),
                Type = request.Type,
                Room = request.Room ?? new(),
                Participant = request.Participant,
                AgentName = worker.AgentName,
                State = new JobState(),
            };
            AgentJob job = new(info, null);
            _jobs[job.Id] = job;
            Ask(job, worker, now);
        }
    }

    private void Offer(AgentJob job, MonoTime now)
    {
        if (job.Dispatch is not null && workers.Pick(job) is { } worker)
        {
            Ask(job, worker, now);
            return;
        }
        if (job.Dispatch is { } dispatch)
        {
            string why = job.LastRefusal.Length > 0 ? job.LastRefusal : workers.DescribeLack(dispatch.Info, job.Info.Type);
            Tell(RoomNoticeKind.JobUntaken, job.RoomName, dispatch.AgentName, why);
        }
        End(job, JobStatus.JsFailed, now);
    }

    private void Ask(AgentJob job, AgentWorker worker, MonoTime now)
    {
        job.Asked.Add(worker.Id);
        job.Worker = worker;
        job.Stage = JobStage.Offered;
        long nanos = UnixNanos(now);
        job.Info.State = new JobState { Status = JobStatus.JsRunning, StartedAt = nanos, UpdatedAt = nanos, WorkerId = worker.Id };
        SetDeadline(job, now.AddMillis(AnswerTimeoutMs));
        Send(worker, new ServerMessage { Availability = new AvailabilityRequest { Job = job.Info.Clone() } });
    }

    /// <summary>A worker's answer to an offer; one that comes too late is nobody's.</summary>
    public void Answer(AgentWorker worker, AvailabilityResponse answer, MonoTime now)
    {
        if (!_jobs.TryGetValue(answer.JobId, out AgentJob? job) || job.Worker != worker || job.Stage != JobStage.Offered)
        {
            return;
        }
        job.Deadline = MonoTime.Never;
        if (answer.Available)
        {
            Assign(job, worker, answer, now);
        }
        else if (answer.Terminate)
        {
            job.Dispatch?.List(job);
            Tell(RoomNoticeKind.JobUntaken, job.RoomName, job.Info.AgentName, "worker " + worker.Id + " refused it for all (terminate)");
            End(job, JobStatus.JsSuccess, now);
        }
        else
        {
            job.LastRefusal = "worker " + worker.Id + " refused it";
            Offer(job, now);
        }
    }

    private void Assign(AgentJob job, AgentWorker worker, AvailabilityResponse answer, MonoTime now)
    {
        job.Stage = JobStage.Assigned;
        job.Info.State.ParticipantIdentity = answer.ParticipantIdentity;
        job.Dispatch?.List(job);
        string token = AgentToken.Mint(environment, job, worker, answer, now);
        Send(worker, new ServerMessage { Assignment = new JobAssignment { Job = job.Info.Clone(), Token = token } });
        Tell(RoomNoticeKind.JobTaken, job.RoomName, job.Info.AgentName, "worker " + worker.Id);
    }

    /// <summary>A worker tells how a job goes; it may be the last word on it.</summary>
    public void Update(UpdateJobStatus update, MonoTime now)
    {
        if (!_jobs.TryGetValue(update.JobId, out AgentJob? job) || job.Stage == JobStage.Offered)
        {
            return;
        }
        job.Info.State.Status = update.Status;
        job.Info.State.Error = update.Error;
        job.Info.State.UpdatedAt = UnixNanos(now);
        if (update.Status is JobStatus.JsSuccess or JobStatus.JsFailed)
        {
            job.Info.State.EndedAt = UnixNanos(now);
            if (job.Stage == JobStage.Assigned)
            {
                Tell(RoomNoticeKind.JobOver, job.RoomName, job.Info.AgentName, update.Status == JobStatus.JsFailed ? "failed" : "ended");
                End(job, update.Status, now);
            }
        }
    }

    /// <summary>A worker that came back with its jobs: it gets their terminations again (the stock server ignores this).</summary>
    public void Migrate(AgentWorker worker, IEnumerable<string> jobIds)
    {
        foreach (string id in jobIds)
        {
            if (_jobs.TryGetValue(id, out AgentJob? job) && job.Worker is null && job.Info.AgentName == worker.AgentName)
            {
                job.Worker = worker;
                job.Info.State.WorkerId = worker.Id;
            }
        }
    }

    /// <summary>What it was asked goes to others, and so does what its agent has not begun; agents in rooms stay there.</summary>
    public void WorkerGone(AgentWorker worker, MonoTime now)
    {
        foreach (AgentJob job in Matching(job => job.Worker == worker))
        {
            job.Worker = null;
            if (job.Stage is JobStage.Offered or JobStage.Assigned)
            {
                job.LastRefusal = "worker " + worker.Id + " went away";
                Offer(job, now);
            }
        }
    }

    public void ParticipantJoined(Participant participant, MonoTime now)
    {
        foreach (AgentJob job in Matching(job => job.IsOf(participant.Room.Name, participant.Identity)))
        {
            job.Stage = job.Stage == JobStage.Assigned ? JobStage.InRoom : job.Stage;
            Tell(RoomNoticeKind.AgentJoined, job.RoomName, job.Info.AgentName, participant.Identity);
        }
        if (!participant.IsDependent)
        {
            LaunchFor(participant, JobType.JtParticipant, now);
        }
    }

    /// <summary>Its first track is published.</summary>
    public void ParticipantPublished(Participant participant, MonoTime now)
    {
        if (!participant.IsDependent && !participant.HasPublished)
        {
            participant.HasPublished = true;
            LaunchFor(participant, JobType.JtPublisher, now);
        }
    }

    private void LaunchFor(Participant participant, JobType type, MonoTime now)
    {
        foreach (RoomDispatch dispatch in participant.Room.Dispatches)
        {
            if (dispatch.AgentName != DemoAgentOptions.AgentName)
            {
                Launch(dispatch, type, participant, now);
            }
        }
    }

    public void ParticipantLeft(Participant participant, DisconnectReason reason, MonoTime now)
    {
        // The same identity comes again in the same moment: a client that joins anew, not an agent that is done.
        if (reason == DisconnectReason.DuplicateIdentity)
        {
            return;
        }
        foreach (AgentJob job in Matching(job => job.IsOf(participant.Room.Name, participant.Identity)))
        {
            Terminate(job);
            End(job, JobStatus.JsSuccess, now);
        }
    }

    public void RoomClosed(Room room, MonoTime now)
    {
        foreach (AgentJob job in Matching(job => job.Dispatch?.Room == room))
        {
            Terminate(job);
            End(job, JobStatus.JsSuccess, now);
        }
        room.Dispatches.Clear();
    }

    /// <returns>The dispatch as it was, or null when the room has none of that id.</returns>
    public AgentDispatch? Delete(Room room, string id, MonoTime now)
    {
        int at = room.Dispatches.FindIndex(have => have.Id == id);
        if (at < 0)
        {
            return null;
        }
        RoomDispatch dispatch = room.Dispatches[at];
        room.Dispatches.RemoveAt(at);
        AgentDispatch info = dispatch.Snapshot();
        info.State.DeletedAt = UnixNanos(now);
        foreach (AgentJob job in Matching(job => job.Dispatch == dispatch))
        {
            Terminate(job);
            if (job.Stage == JobStage.Offered)
            {
                End(job, JobStatus.JsSuccess, now);
                continue;
            }
            job.Stage = JobStage.Ending;
            SetDeadline(job, now.AddMillis(LeaveTimeoutMs));
        }
        return info;
    }

    public void HandleTimeout(MonoTime now)
    {
        while (_deadlines.TryPeek(out AgentJob? job, out long micros) && micros <= now.Micros)
        {
            _deadlines.Dequeue();
            if (job.Deadline > now || job.Stage == JobStage.Over)
            {
                continue;
            }
            job.Deadline = MonoTime.Never;
            if (job.Stage == JobStage.Offered)
            {
                job.LastRefusal = "worker " + job.Worker?.Id + " did not answer within 10 s";
                Offer(job, now);
            }
            else if (job.Stage == JobStage.Ending)
            {
                // Its participant's departure ends the job; one that never came has none.
                End(job, JobStatus.JsSuccess, now);
                if (server.Rooms.TryGetValue(job.RoomName, out Room? room) && room.Find(job.Identity) is { } agent)
                {
                    server.Remove(agent, DisconnectReason.ParticipantRemoved, now);
                }
            }
        }
    }

    /// <summary>Once, and only to a worker that took the job.</summary>
    private void Terminate(AgentJob job)
    {
        if (job.Stage is JobStage.Assigned or JobStage.InRoom && job.Worker is { IsGone: false } worker)
        {
            Send(worker, new ServerMessage { Termination = new JobTermination { JobId = job.Id } });
        }
    }

    private void End(AgentJob job, JobStatus status, MonoTime now)
    {
        job.Stage = JobStage.Over;
        job.Deadline = MonoTime.Never;
        _jobs.Remove(job.Id);
        if (job.Info.State.EndedAt == 0)
        {
            job.Info.State.Status = status;
            job.Info.State.EndedAt = job.Info.State.UpdatedAt = UnixNanos(now);
        }
    }

    private List<AgentJob> Matching(Predicate<AgentJob> matches)
    {
        List<AgentJob> found = [];
        foreach (AgentJob job in _jobs.Values)
        {
            if (matches(job))
            {
                found.Add(job);
            }
        }
        return found;
    }

    private void SetDeadline(AgentJob job, MonoTime deadline)
    {
        job.Deadline = deadline;
        _deadlines.Enqueue(job, deadline.Micros);
    }

    private void Send(AgentWorker worker, ServerMessage message) => environment.Outbox.Send(worker.Connection, message, worker.UsesJson);

    private void Tell(RoomNoticeKind kind, string room, string agent, string detail) => server.Note(new RoomNotice(kind, room, "", detail, agent));

    private long UnixNanos(MonoTime now) => environment.UnixMicros(now) * 1000;
}
