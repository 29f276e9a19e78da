using System;
using System.Text;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;
using Xunit;

namespace Proxy.DevRoom.Tests.Agents;

/// <summary>The connection of a worker: who is let in, and which frames cut it.</summary>
public sealed class WorkerConnectionTests
{
    private readonly RoomWorld _world = new();

    [Theory]
    [InlineData("{\"iss\":\"devkey\",\"video\":{\"roomJoin\":true,\"room\":\"x\"}}", "secret", 401, "no permissions to access the room")]
    [InlineData("{\"iss\":\"devkey\"}", "secret", 401, "no permissions to access the room")]
    [InlineData("{\"iss\":\"other\",\"video\":{\"agent\":true}}", "secret", 401, "invalid API key: other")]
    [InlineData(TestWorker.Grant, "wrong", 401, "invalid token: error: token signature is invalid: signature is invalid")]
    public void Only_a_token_with_the_agent_grant_opens_the_door(string claims, string secret, int status, string body)
    {
        RoomHttpReply reply = _world.Worker().Open(token: RoomWorld.Sign(claims, secret));
        Assert.Equal((status, body), (reply.Status, Encoding.UTF8.GetString(reply.Body)));
    }

    [Fact]
    public void The_token_may_stand_in_the_query_and_a_plain_GET_finds_nothing()
    {
        Assert.Equal(101, _world.Server.OpenConnection(77, "/agent", "access_token=" + RoomWorld.Sign(TestWorker.Grant), null, true, _world.Now).Status);
        Assert.Equal(404, _world.Worker().Open(isWebSocket: false).Status);
        Assert.Equal(401, _world.Worker().Open(token: "abc").Status);
    }

    [Fact]
    public void Registration_is_answered_with_an_id_and_a_ping_with_both_times()
    {
        TestWorker worker = _world.Worker("x");
        Assert.StartsWith("AW_", worker.Id, StringComparison.Ordinal);
        worker.Send(new WorkerMessage { Ping = new WorkerPing { Timestamp = 77 } });
        Assert.Equal(77, worker.Messages[^1].Pong.LastTimestamp);
        Assert.True(worker.Messages[^1].Pong.Timestamp > 1_795_360_000_000);
    }

    [Fact]
    public void Text_frames_are_answered_with_text()
    {
        TestWorker worker = _world.Worker();
        worker.Open();
        worker.SendFrame("{\"register\":{\"type\":\"JT_ROOM\",\"agentName\":\"j\"}}"u8.ToArray(), isText: true);
        Assert.True(worker.WasText);
        Assert.StartsWith("AW_", worker.Id, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("4A00")]
    [InlineData("0A020809")]
    [InlineData("0A054A03615F62")]
    [InlineData("0A054A03612062")]
    [InlineData("")]
    [InlineData("FF")]
    [InlineData("1A00")]
    public void A_first_frame_that_is_no_registration_cuts_the_connection(string hex)
    {
        TestWorker worker = _world.Worker();
        worker.Open();
        worker.SendFrame(Convert.FromHexString(hex));
        Assert.True(worker.IsCut);
        Assert.Empty(worker.Messages);
    }

    [Fact]
    public void A_second_registration_and_an_empty_message_cut_the_connection()
    {
        TestWorker twice = _world.Worker("x");
        twice.Register(new RegisterWorkerRequest());
        Assert.True(twice.IsCut);
        TestWorker empty = _world.Worker("x");
        empty.SendFrame([]);
        Assert.True(empty.IsCut);
        empty.SendFrame([]);
    }

    [Fact]
    public void A_connection_that_does_not_register_is_cut_after_10_s()
    {
        TestWorker worker = _world.Worker();
        worker.Open();
        TestWorker registered = _world.Worker("x");
        _world.Advance(9_900);
        Assert.False(worker.IsCut);
        _world.Advance(200);
        Assert.True(worker.IsCut);
        Assert.False(registered.IsCut);
    }

    [Fact]
    public void Unknown_jobs_in_frames_are_nobodys()
    {
        TestWorker worker = _world.Worker("x");
        worker.Send(new WorkerMessage { Availability = new AvailabilityResponse { JobId = "AJ_x", Available = true } });
        worker.Send(new WorkerMessage { UpdateJob = new UpdateJobStatus { JobId = "AJ_x", Status = JobStatus.JsFailed } });
        worker.Send(new WorkerMessage { MigrateJob = new MigrateJobRequest { JobIds = { "AJ_x" } } });
        Assert.False(worker.IsCut);
        Assert.Single(worker.Messages);
    }

    [Fact]
    public void A_simulated_job_comes_back_to_the_worker_that_asked()
    {
        TestWorker worker = _world.Worker("x");
        TestWorker other = _world.Worker("x");
        worker.Send(new WorkerMessage { SimulateJob = new SimulateJobRequest { Room = new Room { Name = "sim" } } });
        Assert.Equal("sim", Assert.Single(worker.Offers).Room.Name);
        worker.Accept();
        worker.Enter();
        Assert.Equal(1, _world.Server.RoomCount);
        worker.Send(new WorkerMessage { SimulateJob = new SimulateJobRequest() });
        worker.Refuse();
        Assert.Empty(other.Offers);
    }

    [Fact]
    public void Another_worker_cannot_answer_for_the_one_that_was_asked()
    {
        TestWorker worker = _world.Worker("inbound");
        TestWorker thief = _world.Worker("other");
        _world.Api("CreateRoom", new CreateRoomRequest { Name = "r", Agents = { new RoomAgentDispatch { AgentName = "inbound" } } }, "\"roomCreate\":true");
        thief.Send(new WorkerMessage { Availability = new AvailabilityResponse { JobId = worker.Offers[0].Id, Available = true, ParticipantIdentity = "t" } });
        Assert.Empty(thief.Assignments);
        worker.Accept();
        Assert.Single(worker.Assignments);
    }

    [Fact]
    public void Mutated_frames_neither_throw_nor_stop_other_workers()
    {
        byte[][] seeds =
        [
            new WorkerMessage { Register = new RegisterWorkerRequest { AgentName = "inbound", AllowedPermissions = new ParticipantPermission { CanPublish = true } } }.ToByteArray(),
            new WorkerMessage { Availability = new AvailabilityResponse { JobId = "AJ_1", Available = true, ParticipantAttributes = { ["k"] = "v" } } }.ToByteArray(),
            new WorkerMessage { UpdateWorker = new UpdateWorkerStatus { Load = 0.5f, Status = WorkerStatus.WsFull, JobCount = 3 } }.ToByteArray(),
            new WorkerMessage { SimulateJob = new SimulateJobRequest { Room = new Room { Name = "s" } } }.ToByteArray(),
        ];
        Random random = new(5);
        for (int i = 0; i < 3_000; i++)
        {
            TestWorker worker = _world.Worker("inbound");
            byte[] frame = (byte[])seeds[i % seeds.Length].Clone();
            for (int n = random.Next(1, 5); n > 0; n--)
            {
                frame[random.Next(frame.Length)] = (byte)random.Next(256);
            }
            worker.SendFrame(frame, isText: i % 7 == 0);
            worker.Lose();
        }
        TestWorker sound = _world.Worker("sound");
        _world.Api("CreateRoom", new CreateRoomRequest { Name = "r", Agents = { new RoomAgentDispatch { AgentName = "sound" } } }, "\"roomCreate\":true");
        Assert.Single(sound.Offers);
    }

    [Fact]
    public void The_501st_worker_is_turned_away()
    {
        for (int i = 0; i < 500; i++)
        {
            Assert.Equal(101, _world.Worker().Open().Status);
        }
        Assert.Equal(503, _world.Worker().Open().Status);
    }
}
