using System;
using System.Linq;
using System.Text;
using Google.Protobuf;
using Proxy.Core.Time;
using Proxy.DevRoom.DemoAgent;
using Proxy.LiveKit.Protocol;
using Proxy.Rtp.Packets;
using Xunit;

namespace Proxy.DevRoom.Tests.Rooms;

public sealed class RoomLifeTests
{
    private const string Admin = "\"roomAdmin\":true,\"room\":\"r\"";

    private static (RoomWorld World, RoomClient A, RoomClient B) Two()
    {
        RoomWorld world = new();
        RoomClient a = world.Client("r", "a");
        a.Join();
        a.Connect();
        RoomClient b = world.Client("r", "b");
        b.Join();
        b.Connect();
        return (world, a, b);
    }

    [Fact]
    public void Leave_is_echoed_closed_with_1000_and_told_to_the_others()
    {
        (_, RoomClient a, RoomClient b) = Two();
        a.SendOffer("111 0 8", 1);
        Assert.Single(a.Last(SignalResponse.MessageOneofCase.Answer).Answer.MidToTrackId);
        b.Send(new SignalRequest { Leave = new LeaveRequest { Reason = DisconnectReason.ClientInitiated } });
        Assert.Equal(DisconnectReason.ClientInitiated, b.Frames[^1].Leave.Reason);
        Assert.Equal((ushort)1000, b.CloseCode);
        Assert.True(b.Transport!.IsClosed);
        ParticipantInfo gone = a.Last(SignalResponse.MessageOneofCase.Update).Update.Participants.Single();
        Assert.Equal((ParticipantInfo.Types.State.Disconnected, DisconnectReason.ClientInitiated), (gone.State, gone.DisconnectReason));
        Assert.Empty(gone.Tracks);
        Assert.Contains("MediaSectionsRequirement", a.Kinds);
        a.SendOffer("111 0 8", 1);
        Assert.Contains("a=inactive", a.Last(SignalResponse.MessageOneofCase.Answer).Answer.Sdp, StringComparison.Ordinal);
    }

    [Fact]
    public void Coming_and_going_is_noted_for_the_log()
    {
        (RoomWorld world, _, RoomClient b) = Two();
        b.Send(new SignalRequest { Leave = new LeaveRequest() });
        Assert.Equal(["a joined room r", "a is connected to room r", "b joined room r", "b is connected to room r", "b left room r: ClientInitiated"], world.Notices());
    }

    [Fact]
    public void Same_identity_again_ends_the_first_session()
    {
        (RoomWorld world, RoomClient a, _) = Two();
        RoomClient again = world.Client("r", "a");
        Assert.True(again.Join().IsUpgrade);
        Assert.Equal(DisconnectReason.DuplicateIdentity, a.Frames[^1].Leave.Reason);
        Assert.NotEqual(a.Sid, again.Sid);
    }

    [Fact]
    public void Removed_participant_and_deleted_room_are_told_why()
    {
        (RoomWorld world, RoomClient a, RoomClient b) = Two();
        Assert.Equal(200, world.Api("RemoveParticipant", new RoomParticipantIdentity { Room = "r", Identity = "b" }, Admin).Status);
        Assert.Equal(DisconnectReason.ParticipantRemoved, b.Frames[^1].Leave.Reason);
        Assert.Equal(200, world.Api("DeleteRoom", new DeleteRoomRequest { Room = "r" }, "\"roomCreate\":true").Status);
        Assert.Equal(DisconnectReason.RoomDeleted, a.Frames[^1].Leave.Reason);
        Assert.Equal(0, world.Server.RoomCount);
    }

    [Fact]
    public void Room_ends_after_its_departure_timeout_and_an_unused_one_after_its_empty_timeout()
    {
        RoomWorld world = new();
        RoomClient a = world.Client("r", "a");
        a.Join();
        a.Connect();
        a.Send(new SignalRequest { Leave = new LeaveRequest() });
        world.Advance(19_000);
        Assert.Equal(1, world.Server.RoomCount);
        world.Advance(3_000);
        Assert.Equal(0, world.Server.RoomCount);
        world.Api("CreateRoom", new CreateRoomRequest { Name = "e", EmptyTimeout = 5 }, "\"roomCreate\":true");
        world.Advance(7_000);
        Assert.Equal(0, world.Server.RoomCount);
    }

    [Fact]
    public void Participant_whose_transport_never_comes_up_is_removed_after_15_s()
    {
        RoomWorld world = new();
        RoomClient a = world.Client("r", "a");
        a.Join();
        world.Advance(14_000);
        Assert.Null(a.CloseCode);
        world.Advance(3_000);
        Assert.Equal(DisconnectReason.ConnectionTimeout, a.Frames[^1].Leave.Reason);
        RoomClient b = world.Client("r", "b");
        b.Open(new JoinRequest { ClientInfo = new ClientInfo { Protocol = 16 } });
        world.Advance(62_000);
        Assert.Equal(DisconnectReason.JoinFailure, b.Frames[^1].Leave.Reason);
    }

    [Fact]
    public void Leave_that_comes_after_the_transports_goodbye_is_still_the_reason()
    {
        (RoomWorld world, RoomClient a, RoomClient b) = Two();
        a.EndTransport();
        b.EndTransport();
        b.Send(new SignalRequest { Leave = new LeaveRequest { Reason = DisconnectReason.ClientInitiated } });
        Assert.Equal(DisconnectReason.ClientInitiated, b.Frames[^1].Leave.Reason);
        world.Advance(4_000);
        Assert.Equal(DisconnectReason.ConnectionTimeout, a.Frames[^1].Leave.Reason);
    }

    [Fact]
    public void Lost_signalling_before_media_removes_and_after_it_does_not()
    {
        RoomWorld world = new();
        RoomClient a = world.Client("r", "a");
        a.Join();
        a.Connect();
        RoomClient b = world.Client("r", "b");
        b.Join();
        world.Server.ConnectionClosed(b.Connection, world.Now);
        world.Drain();
        Assert.Equal(ParticipantInfo.Types.State.Disconnected, a.Last(SignalResponse.MessageOneofCase.Update).Update.Participants.Single().State);
        world.Server.ConnectionClosed(a.Connection, world.Now);
        world.Advance(60_000);
        Assert.Equal(1, world.Server.RoomCount);
    }

    [Fact]
    public void Own_attributes_reach_everybody_and_are_confirmed()
    {
        (_, RoomClient a, RoomClient b) = Two();
        a.Send(new SignalRequest { UpdateMetadata = new UpdateParticipantMetadata { RequestId = 77, Attributes = { ["sip.callStatus"] = "active" } } });
        Assert.Equal("active", b.Last(SignalResponse.MessageOneofCase.Update).Update.Participants.Single().Attributes["sip.callStatus"]);
        RequestResponse response = a.Last(SignalResponse.MessageOneofCase.RequestResponse).RequestResponse;
        Assert.Equal((77u, RequestResponse.Types.Reason.Ok), (response.RequestId, response.Reason));
        Assert.Equal(["Update", "RefreshToken", "RequestResponse"], a.Kinds.TakeLast(3));
        a.Send(new SignalRequest { UpdateMetadata = new UpdateParticipantMetadata { Attributes = { ["sip.callStatus"] = "" } } });
        Assert.Empty(b.Last(SignalResponse.MessageOneofCase.Update).Update.Participants.Single().Attributes);
    }

    [Fact]
    public void Data_goes_to_everybody_or_to_those_named_with_the_senders_identity()
    {
        (RoomWorld world, RoomClient a, RoomClient b) = Two();
        RoomClient c = world.Client("r", "c");
        c.Join();
        c.Connect();
        a.RaiseData("_reliable", new DataPacket { SipDtmf = new SipDTMF { Code = 7, Digit = "7" }, Sequence = 1 });
        DataPacket got = DataPacket.Parser.ParseFrom(b.Transport!.Sent.Single().Payload);
        Assert.Equal(("a", a.Sid, "7", 1u), (got.ParticipantIdentity, got.ParticipantSid, got.SipDtmf.Digit, got.Sequence));
        Assert.Single(c.Transport!.Sent);
        a.RaiseData("_lossy", new DataPacket { User = new UserPacket { Payload = ByteString.CopyFromUtf8("x") }, DestinationIdentities = { "c" } });
        Assert.Single(b.Transport.Sent);
        Assert.Equal("_lossy", c.Transport.Sent[^1].Label);
        a.RaiseData("_reliable", new DataPacket { SipDtmf = new SipDTMF { Code = 7, Digit = "7" }, Sequence = 1 });
        Assert.Single(b.Transport.Sent);
    }

    [Fact]
    public void Data_without_the_grant_and_rubbish_are_dropped()
    {
        RoomWorld world = new();
        RoomClient a = world.Client("r", "a", ",\"canPublishData\":false");
        a.Join();
        a.Connect();
        RoomClient b = world.Client("r", "b");
        b.Join();
        b.Connect();
        a.RaiseData("_reliable", new DataPacket { SipDtmf = new SipDTMF { Code = 1 } });
        b.Transport!.Raise(new Proxy.WebRtc.PeerEvent(Proxy.WebRtc.PeerEventKind.Data, "_reliable", [0xFF, 0xFF], null));
        b.Connect();
        Assert.Empty(a.Transport!.Sent);
        Assert.Empty(b.Transport.Sent);
    }

    [Fact]
    public void RoomService_asks_for_the_grants_and_answers_in_the_stock_servers_words()
    {
        (RoomWorld world, RoomClient a, _) = Two();
        Assert.Equal(401, world.Api("ListRooms", new ListRoomsRequest(), Admin).Status);
        Assert.Equal(401, world.Api("GetParticipant", new RoomParticipantIdentity { Room = "other", Identity = "a" }, Admin).Status);
        RoomHttpReply missing = world.Api("GetParticipant", new RoomParticipantIdentity { Room = "r", Identity = "x" }, Admin);
        Assert.Equal((404, "{\"code\":\"not_found\",\"msg\":\"twirp error unknown: participant does not exist\"}"), (missing.Status, Encoding.UTF8.GetString(missing.Body)));
        ListRoomsResponse rooms = ListRoomsResponse.Parser.ParseFrom(world.Api("ListRooms", new ListRoomsRequest(), "\"roomList\":true").Body);
        Assert.Equal(2u, rooms.Rooms.Single().NumParticipants);
        string sid = a.Last(SignalResponse.MessageOneofCase.TrackPublished).TrackPublished.Track.Sid;
        world.Api("MutePublishedTrack", new MuteRoomTrackRequest { Room = "r", Identity = "a", TrackSid = sid, Muted = true }, Admin);
        Assert.True(a.Last(SignalResponse.MessageOneofCase.Mute).Mute.Muted);
        world.Api("UpdateParticipant", new UpdateParticipantRequest { Room = "r", Identity = "a", Metadata = "m" }, Admin);
        Assert.Equal("m", a.Last(SignalResponse.MessageOneofCase.Update).Update.Participants.Single().Metadata);
        world.Api("SendData", new SendDataRequest { Room = "r", Data = ByteString.CopyFromUtf8("d") }, Admin);
        Assert.Equal("d", DataPacket.Parser.ParseFrom(a.Transport!.Sent.Single().Payload).User.Payload.ToStringUtf8());
        string token = RoomWorld.Sign("{\"iss\":\"devkey\",\"video\":{\"roomCreate\":true}}");
        RoomHttpReply json = world.Server.CallService("RoomService", "CreateRoom", "{\"name\":\"j\",\"emptyTimeout\":9}"u8, true, token, world.Now);
        Assert.Contains("\"empty_timeout\":9", Encoding.UTF8.GetString(json.Body).Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(400, world.Server.CallService("RoomService", "CreateRoom", "{"u8, true, token, world.Now).Status);
        Assert.Equal(404, world.Server.CallService("RoomService", "Nothing", "{}"u8, true, token, world.Now).Status);
    }

    [Fact]
    public void Demo_agent_greets_in_the_callers_codec_and_then_echoes()
    {
        RoomWorld world = new("call-");
        RoomClient caller = world.Client("call-1", "sip_1");
        caller.Join("0 111 8");
        caller.Connect();
        Assert.Contains(caller.Frames, frame => frame.Update?.Participants.Any(p => p.Identity == DemoAgentParticipant.Identity && p.Kind == ParticipantInfo.Types.Kind.Agent) == true);
        caller.SendOffer("0 111 8", 1);
        Assert.Single(caller.Last(SignalResponse.MessageOneofCase.Answer).Answer.MidToTrackId);
        world.Datagrams.Clear();
        world.Advance(2_100);
        byte[][] greeting = [.. world.Datagrams.Where(d => d.Bytes.Length == 172).Select(d => d.Bytes)];
        Assert.InRange(greeting.Length, 98, 101);
        caller.SendRtp(0, 500, 80_000, [.. Enumerable.Repeat((byte)0x55, 160)]);
        Assert.True(RtpView.TryParse(world.Datagrams[^1].Bytes, out RtpView echo, out _));
        Assert.Equal(0x55, echo.Payload[0]);
        Assert.True(RtpView.TryParse(greeting[^1], out RtpView last, out _));
        Assert.Equal((ushort)(last.SequenceNumber + 1), echo.SequenceNumber);
    }

    [Theory]
    [InlineData("111", 111, new byte[] { 0xF8, 1, 2 })]
    [InlineData("0", 0, new byte[] { 0x10, 0x90, 0x10 })]
    public void Sound_that_sets_in_at_an_echoing_agent_is_noted_in_any_codec(string send, byte payloadType, byte[] loud)
    {
        RoomWorld world = new("call-", DemoAgentMode.Echo);
        RoomClient caller = world.Client("call-1", "caller");
        caller.Join(send: send);
        caller.Connect();
        byte[] quiet = payloadType == 0 ? [0xFF, 0xFF, 0xFF] : loud;
        caller.SendRtp(payloadType, 1, 0, quiet, level: 127);
        world.Advance(20);
        caller.SendRtp(payloadType, 2, 960, loud, level: 18);
        MonoTime onset = world.Now;
        Assert.Equal(onset, world.Server.LastEchoOnset);
        world.Advance(20);
        caller.SendRtp(payloadType, 3, 1920, loud, level: 18);
        Assert.Equal(onset, world.Server.LastEchoOnset);
    }

    [Fact]
    public void Demo_agent_changes_its_codec_for_the_next_caller()
    {
        RoomWorld world = new("call-", DemoAgentMode.Echo);
        RoomClient first = world.Client("call-1", "a");
        first.Join("0 111 8");
        first.Connect();
        first.Send(new SignalRequest { Leave = new LeaveRequest() });
        RoomClient second = world.Client("call-1", "b");
        second.Join("111 0 8");
        second.Connect();
        second.SendOffer("111 0 8", 1);
        world.Datagrams.Clear();
        second.SendRtp(111, 1, 960, [7, 7, 7]);
        Assert.True(RtpView.TryParse(world.Datagrams[^1].Bytes, out RtpView echo, out _));
        Assert.Equal((111, 3), (echo.PayloadType, echo.Payload.Length));
    }

    [Fact]
    public void Demo_agent_asked_for_by_the_token_plays_a_tone_without_a_caller_and_answers_digits()
    {
        RoomWorld world = new();
        world.Api("CreateRoom", new CreateRoomRequest { Name = "r", Agents = { new RoomAgentDispatch { AgentName = "demo", Metadata = "tone,pcma,dtmf" } } }, "\"roomCreate\":true");
        RoomClient a = world.Client("r", "a");
        a.Join(null, 1);
        a.Connect();
        Assert.Equal("audio/PCMA", a.Frames[0].Join.OtherParticipants.Single().Tracks.Single().MimeType);
        world.Datagrams.Clear();
        world.Advance(1_000);
        Assert.InRange(world.Datagrams.Count(d => d.Bytes.Length == 172), 49, 51);
        a.RaiseData("_reliable", new DataPacket { SipDtmf = new SipDTMF { Code = 5, Digit = "5" } });
        Assert.Equal("5", DataPacket.Parser.ParseFrom(a.Transport!.Sent.Single().Payload).SipDtmf.Digit);
        a.Send(new SignalRequest { Leave = new LeaveRequest() });
        world.Advance(25_000);
        Assert.Equal(0, world.Server.RoomCount);
        Assert.True(world.Server.NextDeadline.IsNever);
    }
}
