using System.Collections.Generic;
using System.Linq;
using Google.Protobuf;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;
using Xunit;

namespace Proxy.DevRoom.Tests;

/// <summary>One agents worker: what it sends, and what came back.</summary>
internal sealed class TestWorker
{
    public const string Grant = "{\"iss\":\"devkey\",\"video\":{\"agent\":true}}";
    private readonly RoomWorld _world;

    public TestWorker(RoomWorld world, long connection)
    {
        _world = world;
        Connection = connection;
        world.Workers[connection] = this;
    }

    public long Connection { get; }

    public List<ServerMessage> Messages { get; } = [];

    /// <summary>The last frame was text.</summary>
    public bool WasText { get; private set; }

    /// <summary>The server cut the connection without a close frame.</summary>
    public bool IsCut { get; private set; }

    public string Id => Messages.First(m => m.Register is not null).Register.WorkerId;

    /// <summary>Jobs that it was asked about, oldest first.</summary>
    public List<Job> Offers => [.. Messages.Where(m => m.Availability is not null).Select(m => m.Availability.Job)];

    public List<JobAssignment> Assignments => [.. Messages.Where(m => m.Assignment is not null).Select(m => m.Assignment)];

    public List<string> Terminations => [.. Messages.Where(m => m.Termination is not null).Select(m => m.Termination.JobId)];

    public RoomHttpReply Open(string query = "", string? token = null, bool isWebSocket = true)
    {
        RoomHttpReply reply = _world.Server.OpenConnection(Connection, "/agent", query, token ?? RoomWorld.Sign(Grant), isWebSocket, _world.Now);
        _world.Drain();
        return reply;
    }

    public void Take(SignalOutput output)
    {
        IsCut |= output.Kind == SignalOutputKind.Abort;
        if (output.Kind != SignalOutputKind.SendFrame)
        {
            return;
        }
        WasText = output.IsText;
        Messages.Add(Parse(output));
    }

    private static ServerMessage Parse(SignalOutput output)
    {
        if (!output.IsText)
        {
            return ServerMessage.Parser.ParseFrom(output.Frame);
        }
        Assert.True(ProtoJson.TryRead(output.Frame, ProtoJsonRules.Api, out ServerMessage message, out _));
        return message;
    }

    public void Register(RegisterWorkerRequest registration) => Send(new WorkerMessage { Register = registration });

    public void Report(float load, bool isFull = false) =>
        Send(new WorkerMessage { UpdateWorker = new UpdateWorkerStatus { Load = load, Status = isFull ? WorkerStatus.WsFull : WorkerStatus.WsAvailable } });

    /// <summary>Takes the last job that it was asked about.</summary>
    public void Accept(string identity = "agent") =>
        Send(new WorkerMessage { Availability = new AvailabilityResponse { JobId = Offers[^1].Id, Available = true, ParticipantIdentity = identity } });

    public void Refuse(bool terminate = false) =>
        Send(new WorkerMessage { Availability = new AvailabilityResponse { JobId = Offers[^1].Id, Terminate = terminate } });

    public void Send(WorkerMessage message) => SendFrame(message.ToByteArray());

    public void SendFrame(byte[] frame, bool isText = false)
    {
        _world.Server.FrameReceived(Connection, frame, isText, _world.Now);
        _world.Drain();
    }

    /// <summary>The TCP connection is gone.</summary>
    public void Lose()
    {
        _world.Server.ConnectionClosed(Connection, _world.Now);
        _world.Drain();
    }

    /// <summary>The agent of the last assignment joins its room and publishes.</summary>
    public RoomClient Enter(string identity = "agent")
    {
        RoomClient agent = _world.ClientWithToken(identity, Assignments[^1].Token);
        Assert.True(agent.Join().IsUpgrade);
        agent.Connect();
        return agent;
    }
}
