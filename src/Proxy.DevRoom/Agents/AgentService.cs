using System;
using Google.Protobuf;
using Proxy.Core.Time;
using Proxy.DevRoom.Rooms;
using Proxy.DevRoom.Signal;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;

namespace Proxy.DevRoom.Agents;

/// <summary>Room loop. The agents workers' side of the server: connections of <c>/agent</c> and what their frames do.</summary>
/// <remarks>
/// A frame that the protocol does not allow cuts the connection without a close frame, as the stock server does: workers
/// then come again, where a close frame would end them.
/// </remarks>
internal sealed class AgentService
{
    /// <summary>A connection's time to register (measured).</summary>
    private const int RegisterTimeoutMs = 10_000;
    private const int WorkersMax = 500;
    private const int MigratedJobsMax = 1_000;
    private readonly RoomServer _server;
    private readonly RoomEnvironment _environment;
    private readonly WorkerTable _workers;
    private readonly System.Collections.Generic.Queue<AgentWorker> _unregistered = new();

    public AgentService(RoomServer server, RoomEnvironment environment)
    {
        _server = server;
        _environment = environment;
        _workers = new WorkerTable(environment.Random);
        Jobs = new JobBoard(server, environment, _workers);
    }

    /// <summary>Dispatches and their jobs.</summary>
    public JobBoard Jobs { get; }

    public MonoTime NextDeadline =>
        MonoTime.Min(Jobs.NextDeadline, _unregistered.TryPeek(out AgentWorker? first) ? first.RegisterDeadline : MonoTime.Never);

    public bool Owns(long connection) => _workers.TryGet(connection, out _);

    /// <summary>Answers a GET of <c>/agent</c>, with the stock server's words.</summary>
    public RoomHttpReply Open(long connection, string query, string? bearerToken, bool isWebSocket, MonoTime now)
    {
        string? jwt = bearerToken ?? QueryString.Get(query, "access_token");
        if (string.IsNullOrEmpty(jwt))
        {
            return RoomHttpReply.Text(401, "no permissions to access the room");
        }
        if (TokenCheck.Verify(jwt, _environment.Keys, _environment.UnixSeconds(now), out string refusal) is not { } claims)
        {
            return RoomHttpReply.Text(401, refusal);
        }
        if (claims.Video is not { Agent: true })
        {
            return RoomHttpReply.Text(401, "no permissions to access the room");
        }
        if (!isWebSocket)
        {
            return RoomHttpReply.Text(404, "");
        }
        if (_workers.Count >= WorkersMax)
        {
            return RoomHttpReply.Text(503, "the development room server has as many agents workers as it may");
        }
        AgentWorker worker = new(connection) { RegisterDeadline = now.AddMillis(RegisterTimeoutMs) };
        _workers.Add(worker);
        _unregistered.Enqueue(worker);
        return RoomHttpReply.Upgrade;
    }

    public void FrameReceived(long connection, ReadOnlySpan<byte> frame, bool isText, MonoTime now)
    {
        if (!_workers.TryGet(connection, out AgentWorker worker))
        {
            return;
        }
        worker.UsesJson = isText;
        if (!TryParse(frame, isText, out WorkerMessage message) || !TryHandle(worker, message, now))
        {
            _environment.Outbox.Abort(connection);
            Gone(worker, now);
        }
    }

    public void Closed(long connection, MonoTime now)
    {
        if (_workers.TryGet(connection, out AgentWorker worker))
        {
            Gone(worker, now);
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        while (_unregistered.TryPeek(out AgentWorker? worker) && (worker.IsRegistered || worker.IsGone || worker.RegisterDeadline <= now))
        {
            _unregistered.Dequeue();
            if (!worker.IsRegistered && !worker.IsGone)
            {
                _environment.Outbox.Abort(worker.Connection);
                Gone(worker, now);
            }
        }
        Jobs.HandleTimeout(now);
    }

    private static bool TryParse(ReadOnlySpan<byte> frame, bool isText, out WorkerMessage message)
    {
        if (isText)
        {
            return ProtoJson.TryRead(frame, ProtoJsonRules.Api, out message, out _);
        }
        message = new WorkerMessage();
        try
        {
            message.MergeFrom(frame);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    /// <returns>False when the protocol does not allow the message now.</returns>
    private bool TryHandle(AgentWorker worker, WorkerMessage message, MonoTime now)
    {
        bool isRegister = message.MessageCase == WorkerMessage.MessageOneofCase.Register;
        if (isRegister == worker.IsRegistered)
        {
            return false;
        }
        switch (message.MessageCase)
        {
            case WorkerMessage.MessageOneofCase.Register:
                return TryRegister(worker, message.Register);
            case WorkerMessage.MessageOneofCase.Availability:
                Jobs.Answer(worker, message.Availability, now);
                return true;
            case WorkerMessage.MessageOneofCase.UpdateWorker:
                worker.Report(message.UpdateWorker);
                return true;
            case WorkerMessage.MessageOneofCase.UpdateJob:
                Jobs.Update(message.UpdateJob, now);
                return true;
            case WorkerMessage.MessageOneofCase.Ping:
                long millis = _environment.UnixMicros(now) / 1000;
                Send(worker, new ServerMessage { Pong = new WorkerPong { LastTimestamp = message.Ping.Timestamp, Timestamp = millis } });
                return true;
            case WorkerMessage.MessageOneofCase.SimulateJob:
                Jobs.Simulate(worker, message.SimulateJob, now);
                return true;
            case WorkerMessage.MessageOneofCase.MigrateJob when message.MigrateJob.JobIds.Count <= MigratedJobsMax:
                Jobs.Migrate(worker, message.MigrateJob.JobIds);
                return true;
            default:
                return false;
        }
    }

    private bool TryRegister(AgentWorker worker, RegisterWorkerRequest registration)
    {
        if (!Enum.IsDefined(registration.Type) || registration.AgentName.Length > Deployment.LengthMax || !Deployment.IsValid(registration.Deployment, out _))
        {
            return false;
        }
        worker.Register(_environment.NewSid("AW_"), registration);
        Send(worker, new ServerMessage { Register = new RegisterWorkerResponse { WorkerId = worker.Id, ServerInfo = RoomServer.ServerInfo() } });
        _server.Note(new RoomNotice(RoomNoticeKind.WorkerJoined, "", worker.Id, "", worker.AgentName));
        return true;
    }

    private void Gone(AgentWorker worker, MonoTime now)
    {
        worker.IsGone = true;
        _workers.Remove(worker);
        if (worker.IsRegistered)
        {
            _server.Note(new RoomNotice(RoomNoticeKind.WorkerLeft, "", worker.Id, "", worker.AgentName));
            Jobs.WorkerGone(worker, now);
        }
    }

    private void Send(AgentWorker worker, ServerMessage message) => _environment.Outbox.Send(worker.Connection, message, worker.UsesJson);
}
