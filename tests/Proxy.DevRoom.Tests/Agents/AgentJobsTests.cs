using System.Linq;
using System.Text;
using Proxy.Core.Memory;
using Proxy.LiveKit.Protocol;
using Xunit;

namespace Proxy.DevRoom.Tests.Agents;

/// <summary>From a dispatch to an agent in the room, and to its end.</summary>
public sealed class AgentJobsTests
{
    private const string Admin = "\"roomAdmin\":true,\"room\":\"r\"";
    private const string Config = ",\"roomConfig\":{\"agents\":[{\"agentName\":\"inbound\",\"metadata\":\"m\",\"attributes\":{\"k\":\"v\"}}]}";
    private readonly RoomWorld _world = new();

    private RoomClient Caller(string identity = "caller", string claims = Config)
    {
        RoomClient caller = _world.ClientWithToken(identity, RoomWorld.Token("r", identity, claims: claims));
        Assert.True(caller.Join().IsUpgrade);
        caller.Connect();
        return caller;
    }

    private AgentDispatch Create(string agentName = "inbound", string room = "r")
    {
        RoomHttpReply reply = _world.Api(
            "CreateDispatch", new CreateAgentDispatchRequest { AgentName = agentName, Room = room }, Admin.Replace("\"r\"", $"\"{room}\"", System.StringComparison.Ordinal), "AgentDispatchService");
        Assert.True(reply.Status == 200, Encoding.UTF8.GetString(reply.Body));
        return AgentDispatch.Parser.ParseFrom(reply.Body);
    }

    private AgentDispatch[] List() => [.. ListAgentDispatchResponse.Parser.ParseFrom(
        _world.Api("ListDispatch", new ListAgentDispatchRequest { Room = "r" }, Admin, "AgentDispatchService").Body).AgentDispatches];

    private void Delete(AgentDispatch dispatch) =>
        Assert.Equal(200, _world.Api("DeleteDispatch", new DeleteAgentDispatchRequest { Room = "r", DispatchId = dispatch.Id }, Admin, "AgentDispatchService").Status);

    [Fact]
    public void The_join_that_makes_the_room_calls_the_agents_of_its_token()
    {
        TestWorker worker = _world.Worker("inbound");
        RoomClient caller = Caller();
        Job offer = Assert.Single(worker.Offers);
        Assert.Equal(("r", "inbound", "m", "v"), (offer.Room.Name, offer.AgentName, offer.Metadata, offer.Attributes["k"]));
        worker.Accept();
        RoomClient agent = worker.Enter();
        ParticipantInfo seen = caller.Last(SignalResponse.MessageOneofCase.Update).Update.Participants.Single();
        Assert.Equal((agent.Sid, ParticipantInfo.Types.Kind.Agent, "inbound"), (seen.Sid, seen.Kind, seen.Attributes["lk.agent_name"]));
        Assert.Single(seen.Tracks);
        Caller("second");
        Assert.Single(worker.Offers);
    }

    [Fact]
    public void A_room_that_names_no_agent_gets_an_unnamed_worker()
    {
        TestWorker named = _world.Worker("inbound");
        TestWorker unnamed = _world.Worker("");
        Caller(claims: "");
        Assert.Empty(named.Offers);
        Assert.Single(unnamed.Offers);
    }

    [Fact]
    public void A_room_that_exists_is_not_dispatched_again_by_CreateRoom()
    {
        TestWorker worker = _world.Worker("inbound");
        CreateRoomRequest request = new() { Name = "r", Agents = { new RoomAgentDispatch { AgentName = "inbound" } } };
        _world.Api("CreateRoom", request, "\"roomCreate\":true");
        _world.Api("CreateRoom", request, "\"roomCreate\":true");
        Caller();
        Assert.Single(worker.Offers);
    }

    [Theory]
    [InlineData(0.1f, 0.6f, 692)]
    [InlineData(0.5f, 0.5f, 500)]
    [InlineData(0f, 1f, 1000)]
    [InlineData(1f, 1f, 500)]
    public void Workers_are_chosen_at_random_weighted_by_what_they_have_left(float first, float second, int expected)
    {
        RoomWorld world = new(random: new SeededRandom(42));
        TestWorker a = world.Worker("inbound", load: first);
        TestWorker b = world.Worker("inbound", load: second);
        for (int i = 0; i < 1000; i++)
        {
            string room = "r" + i;
            world.Api("CreateDispatch", new CreateAgentDispatchRequest { AgentName = "inbound", Room = room }, $"\"roomAdmin\":true,\"room\":\"{room}\"", "AgentDispatchService");
        }
        Assert.InRange(a.Offers.Count, expected - 50, expected + 50);
        Assert.Equal(1000, a.Offers.Count + b.Offers.Count);
    }

    [Fact]
    public void Full_workers_are_not_asked_and_the_job_is_not_tried_again()
    {
        TestWorker worker = _world.Worker("inbound");
        worker.Report(0.9f, isFull: true);
        _world.Notices();
        Create();
        worker.Report(0);
        _world.Worker("inbound");
        _world.Advance(30_000);
        Assert.Empty(worker.Offers);
        Assert.Empty(List().Single(d => d.AgentName == "inbound").State.Jobs);
        Assert.Contains("no worker takes the job of agent 'inbound' in room r: every worker of that name is full", _world.Notices());
    }

    [Fact]
    public void Without_a_worker_of_the_name_the_notice_says_who_is_there()
    {
        _world.Worker("other");
        _world.Worker("");
        _world.Notices();
        Create();
        Assert.Equal(["no worker takes the job of agent 'inbound' in room r: none is registered under that name (registered: 'other', a worker without a name)"], _world.Notices());
    }

    [Fact]
    public void A_worker_in_a_namespace_gets_no_job_and_the_notice_says_so()
    {
        TestWorker worker = _world.Worker();
        worker.Open();
        worker.Register(new RegisterWorkerRequest { AgentName = "inbound", Namespace = "blue" });
        _world.Notices();
        Create();
        Assert.Empty(worker.Offers);
        Assert.Contains("(registered: 'inbound' in a namespace, which no dispatch names)", _world.Notices().Single());
    }

    [Theory]
    [InlineData(JobStatus.JsFailed)]
    [InlineData(JobStatus.JsSuccess)]
    public void A_job_that_is_over_is_not_started_again(JobStatus status)
    {
        TestWorker worker = _world.Worker("inbound");
        Create();
        worker.Accept();
        _world.Worker("inbound");
        worker.Send(new WorkerMessage { UpdateJob = new UpdateJobStatus { JobId = worker.Offers[0].Id, Status = status } });
        _world.Advance(30_000);
        Assert.Single(worker.Offers);
        Assert.Equal(JobRestartPolicy.JrpOnFailure, List().Single(d => d.AgentName == "inbound").RestartPolicy);
        Assert.Equal(status, List().Single(d => d.AgentName == "inbound").State.Jobs.Single().State.Status);
    }

    [Fact]
    public void A_refusal_asks_the_next_worker_and_each_is_asked_once()
    {
        TestWorker a = _world.Worker("inbound");
        TestWorker b = _world.Worker("inbound");
        Create();
        (TestWorker first, TestWorker second) = a.Offers.Count > 0 ? (a, b) : (b, a);
        first.Refuse();
        Assert.Equal(first.Offers[0].Id, second.Offers.Single().Id);
        second.Refuse();
        Assert.Single(first.Offers);
        Assert.Contains($"no worker takes the job of agent 'inbound' in room r: worker {second.Id} refused it", _world.Notices());
        Create();
        Assert.Equal(3, a.Offers.Count + b.Offers.Count);
    }

    [Fact]
    public void A_refusal_with_terminate_asks_nobody_else_and_lists_the_job_as_done()
    {
        TestWorker a = _world.Worker("inbound");
        TestWorker b = _world.Worker("inbound");
        Create();
        (a.Offers.Count > 0 ? a : b).Refuse(terminate: true);
        Assert.Equal(1, a.Offers.Count + b.Offers.Count);
        Assert.Equal(JobStatus.JsSuccess, List().Single(d => d.AgentName == "inbound").State.Jobs.Single().State.Status);
    }

    [Fact]
    public void A_worker_that_does_not_answer_within_10_s_loses_the_job_to_the_next()
    {
        TestWorker a = _world.Worker("inbound");
        TestWorker b = _world.Worker("inbound");
        Create();
        (TestWorker mute, TestWorker next) = a.Offers.Count > 0 ? (a, b) : (b, a);
        _world.Advance(9_900);
        Assert.Empty(next.Offers);
        _world.Advance(200);
        next.Accept();
        mute.Accept("late");
        Assert.Empty(mute.Assignments);
        Assert.Single(next.Assignments);
        _world.Advance(20_000);
        Assert.Single(next.Offers);
    }

    [Fact]
    public void A_worker_that_goes_before_its_agent_came_loses_the_job_to_the_next()
    {
        TestWorker a = _world.Worker("inbound");
        TestWorker b = _world.Worker("inbound");
        Create();
        (TestWorker first, TestWorker second) = a.Offers.Count > 0 ? (a, b) : (b, a);
        first.Accept();
        first.Lose();
        second.Accept("agent-2");
        second.Lose();
        Job job = List().Single(d => d.AgentName == "inbound").State.Jobs.Single();
        Assert.Equal(JobStatus.JsFailed, job.State.Status);
        Assert.Contains($"no worker takes the job of agent 'inbound' in room r: worker {second.Id} went away", _world.Notices());
    }

    [Fact]
    public void An_agent_in_its_room_outlives_its_workers_connection()
    {
        TestWorker worker = _world.Worker("inbound");
        TestWorker other = _world.Worker("inbound");
        AgentDispatch dispatch = Create();
        (TestWorker mine, TestWorker idle) = worker.Offers.Count > 0 ? (worker, other) : (other, worker);
        mine.Accept();
        RoomClient agent = mine.Enter();
        mine.Lose();
        Assert.Empty(idle.Offers);
        Assert.Null(agent.CloseCode);
        Delete(dispatch);
        _world.Advance(4_000);
        Assert.Equal(DisconnectReason.ParticipantRemoved, agent.Frames[^1].Leave.Reason);
    }

    [Fact]
    public void A_worker_that_comes_back_with_its_jobs_hears_of_their_end()
    {
        TestWorker worker = _world.Worker("inbound");
        Create();
        worker.Accept();
        worker.Enter();
        worker.Lose();
        TestWorker again = _world.Worker("inbound");
        again.Send(new WorkerMessage { MigrateJob = new MigrateJobRequest { JobIds = { worker.Offers[0].Id, "AJ_unknown" } } });
        _world.Api("DeleteRoom", new DeleteRoomRequest { Room = "r" }, "\"roomCreate\":true");
        Assert.Equal([worker.Offers[0].Id], again.Terminations);
    }

    [Fact]
    public void The_workers_hears_once_that_its_agent_left()
    {
        TestWorker worker = _world.Worker("inbound");
        Create();
        worker.Accept();
        RoomClient agent = worker.Enter();
        agent.Send(new SignalRequest { Leave = new LeaveRequest() });
        _world.Api("DeleteRoom", new DeleteRoomRequest { Room = "r" }, "\"roomCreate\":true");
        Assert.Equal([worker.Offers[0].Id], worker.Terminations);
    }

    [Fact]
    public void An_agent_that_joins_anew_under_its_identity_keeps_its_job()
    {
        TestWorker worker = _world.Worker("inbound");
        Create();
        worker.Accept();
        RoomClient first = worker.Enter();
        worker.Enter();
        Assert.Equal(DisconnectReason.DuplicateIdentity, first.Frames[^1].Leave.Reason);
        Assert.Empty(worker.Terminations);
    }

    [Fact]
    public void A_deleted_dispatch_ends_its_job_and_removes_the_agent_after_3_s()
    {
        TestWorker worker = _world.Worker("inbound");
        Caller(claims: "");
        AgentDispatch dispatch = Create();
        worker.Accept();
        RoomClient agent = worker.Enter();
        Delete(dispatch);
        Assert.Equal([worker.Offers[0].Id], worker.Terminations);
        Assert.DoesNotContain(List(), d => d.Id == dispatch.Id);
        _world.Advance(2_900);
        Assert.Null(agent.CloseCode);
        _world.Advance(200);
        Assert.Equal(DisconnectReason.ParticipantRemoved, agent.Frames[^1].Leave.Reason);
        Assert.Single(worker.Terminations);
    }

    [Fact]
    public void An_offer_of_a_deleted_dispatch_is_taken_back()
    {
        TestWorker worker = _world.Worker("inbound");
        AgentDispatch dispatch = Create();
        Delete(dispatch);
        worker.Accept();
        Assert.Empty(worker.Assignments);
    }

    [Fact]
    public void Participant_and_publisher_workers_get_a_job_for_each_caller_but_none_for_agents()
    {
        TestWorker joins = _world.Worker("inbound", JobType.JtParticipant);
        TestWorker speaks = _world.Worker("inbound", JobType.JtPublisher);
        RoomClient caller = _world.ClientWithToken("caller", RoomWorld.Token("r", "caller", claims: Config));
        caller.Join();
        Assert.Equal("caller", Assert.Single(joins.Offers).Participant.Identity);
        Assert.Empty(speaks.Offers);
        caller.Connect();
        Assert.Single(speaks.Offers.Single().Participant.Tracks);
        joins.Accept();
        joins.Enter();
        Assert.Single(joins.Offers);
        Assert.Single(speaks.Offers);
        Caller("second");
        Assert.Equal((2, 2), (joins.Offers.Count, speaks.Offers.Count));
        Assert.DoesNotContain(_world.Notices(), line => line.StartsWith("no worker", System.StringComparison.Ordinal));
    }

    [Fact]
    public void A_dispatch_for_a_room_with_people_in_it_reaches_workers_of_every_type()
    {
        Caller(claims: "");
        TestWorker joins = _world.Worker("late", JobType.JtParticipant);
        TestWorker speaks = _world.Worker("late", JobType.JtPublisher);
        Create("late");
        Assert.Equal((1, 1), (joins.Offers.Count, speaks.Offers.Count));
    }

    [Fact]
    public void A_job_that_fails_before_its_agent_came_is_told_and_not_tried_again()
    {
        TestWorker worker = _world.Worker("inbound");
        Create();
        worker.Accept();
        worker.Send(new WorkerMessage { UpdateJob = new UpdateJobStatus { JobId = worker.Offers[0].Id, Status = JobStatus.JsFailed, Error = "boom" } });
        Assert.Contains("the job of agent 'inbound' in room r failed before its agent was there", _world.Notices());
        Assert.Equal("boom", List().Single(d => d.AgentName == "inbound").State.Jobs.Single().State.Error);
        Assert.Single(worker.Offers);
    }

    [Fact]
    public void Agents_alone_do_not_keep_a_room()
    {
        TestWorker worker = _world.Worker("inbound");
        RoomClient caller = Caller();
        worker.Accept();
        RoomClient agent = worker.Enter();
        caller.Send(new SignalRequest { Leave = new LeaveRequest() });
        _world.Advance(22_000);
        Assert.Equal(DisconnectReason.RoomClosed, agent.Frames[^1].Leave.Reason);
        Assert.Single(worker.Terminations);
    }

    [Fact]
    public void What_happens_to_workers_and_jobs_is_noted_for_the_log()
    {
        TestWorker worker = _world.Worker("inbound");
        Create();
        worker.Accept();
        worker.Enter();
        worker.Lose();
        Assert.Equal(
            [
                $"worker {worker.Id} registered for agent 'inbound'",
                $"worker {worker.Id} took the job of agent 'inbound' in room r",
                "agent joined room r",
                "agent 'inbound' is in room r as agent",
                "agent is connected to room r",
                $"worker {worker.Id} for agent 'inbound' is gone",
            ],
            _world.Notices());
    }

    [Fact]
    public void A_room_takes_a_hundred_dispatches_and_no_more()
    {
        for (int i = 0; i < 99; i++)
        {
            Create("a" + i);
        }
        RoomHttpReply reply = _world.Api("CreateDispatch", new CreateAgentDispatchRequest { AgentName = "x", Room = "r" }, Admin, "AgentDispatchService");
        Assert.Equal(429, reply.Status);
    }

    [Fact]
    public void The_demo_agent_takes_the_dispatches_of_its_name()
    {
        RoomClient caller = Caller(claims: "");
        Create("demo");
        Assert.Equal("demo-agent", caller.Last(SignalResponse.MessageOneofCase.Update).Update.Participants.Single().Identity);
    }
}
