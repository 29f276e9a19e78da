using System;
using System.Linq;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;
using Proxy.Testing;
using Xunit;

namespace Proxy.DevRoom.Tests.Signal;

public sealed class JoinTests
{
    [Fact]
    public void Frames_after_a_join_come_in_the_stock_servers_order()
    {
        RoomWorld world = new();
        RoomClient client = world.Client("r", "a");
        Assert.True(client.Join().IsUpgrade);
        Assert.Equal(["Join", "TrackPublished", "RefreshToken", "Answer", "Trickle"], client.Kinds);
        Assert.Equal(1u, client.Last(SignalResponse.MessageOneofCase.Answer).Answer.Id);
        Assert.True(client.Last(SignalResponse.MessageOneofCase.Trickle).Trickle.Final);
        JoinResponse join = client.Frames[0].Join;
        Assert.StartsWith("RM_", join.Room.Sid, StringComparison.Ordinal);
        Assert.StartsWith("PA_", join.Participant.Sid, StringComparison.Ordinal);
        Assert.Equal(5, join.PingInterval);
        client.Connect();
        ParticipantInfo self = client.Last(SignalResponse.MessageOneofCase.Update).Update.Participants.Single();
        Assert.Equal(ParticipantInfo.Types.State.Active, self.State);
        Assert.Equal("audio/opus", self.Tracks.Single().MimeType);
    }

    [Fact]
    public void Captured_join_request_of_the_lean_client_is_served_as_the_stock_server_did()
    {
        RoomWorld world = new();
        RoomClient client = world.Client("g-lean-v1", "client");
        string first = System.IO.File.ReadLines(TestData.Path("livekit-golden", "rtc", "signalling", "lean-v1.jsonl")).First();
        JoinRequest request = JoinRequest.Parser.ParseFrom(Convert.FromBase64String(JsonDocument.Parse(first).RootElement.GetProperty("joinRequestB64").GetString()!));
        Assert.True(client.Open(request).IsUpgrade);
        Assert.Equal(["Join", "TrackPublished", "RefreshToken", "Answer", "Trickle"], client.Kinds);
        TrackInfo announced = client.Frames[1].TrackPublished.Track;
        Assert.Equal("audio/pcmu", announced.Codecs.Single().MimeType);
        client.Connect();
        TrackInfo track = client.Last(SignalResponse.MessageOneofCase.Update).Update.Participants.Single().Tracks.Single();
        Assert.Equal(("audio/PCMU", "0", "cid-client"), (track.MimeType, track.Codecs.Single().Mid, track.Codecs.Single().Cid));
    }

    [Fact]
    public void Refusals_have_the_stock_servers_status_and_words()
    {
        using JsonDocument cases = JsonDocument.Parse(TestData.Bytes("livekit-golden", "rtc", "errors", "join-failures.json"));
        RoomWorld world = new();
        long unix = 1_795_360_001;
        foreach (JsonElement item in cases.RootElement.EnumerateArray().Where(item => item.TryGetProperty("path", out JsonElement path) && path.GetString() == "/rtc/v1"))
        {
            string name = item.GetProperty("name").GetString()!;
            (string? token, string? query) = name switch
            {
                "no token" => (null, ""),
                "garbage token" => ("garbage", ""),
                "bad signature" => (RoomWorld.Token("r", "u", secret: "other"), ""),
                "unknown api key" => (RoomWorld.Token("r", "u", key: "nokey"), ""),
                "expired 30 s ago (inside leeway)" => (RoomWorld.Token("r", "u", claims: $",\"exp\":{unix - 30}"), ""),
                "expired 2 min ago" => (RoomWorld.Token("r", "u", claims: $",\"exp\":{unix - 120}"), ""),
                "not yet valid (nbf +2 min)" => (RoomWorld.Token("r", "u", claims: $",\"nbf\":{unix + 120}"), ""),
                "no roomJoin grant" => (RoomWorld.Sign("{\"iss\":\"devkey\",\"sub\":\"u\",\"video\":{\"room\":\"r\"}}"), ""),
                "no video grant" => (RoomWorld.Sign("{\"iss\":\"devkey\",\"sub\":\"u\"}"), ""),
                "empty identity" => (RoomWorld.Token("r", ""), ""),
                "empty room" => (RoomWorld.Token("", "u"), ""),
                "long identity 257" => (RoomWorld.Token("r", new string('x', 257)), ""),
                "v1 without join_request" => (RoomWorld.Token("r", "u"), "x=1"),
                "v1 join_request base64url without padding" => (RoomWorld.Token("r", "u"), "join_request=EggKAhgQEgIIA"),
                "v1 garbage join_request" => (RoomWorld.Token("r", "u"), "join_request=AAAA"),
                "no exp claim" => (RoomWorld.Token("r", "u"), ""),
                _ => ((string?)null, (string?)null),
            };
            if (query is null)
            {
                continue;
            }
            JoinRequest request = new() { ClientInfo = new ClientInfo { Protocol = 16 } };
            RoomHttpReply reply = world.Server.OpenConnection(900, "/rtc/v1", query.Length == 0 ? RoomWorld.Query(request) : query, token, true, world.Now);
            Assert.Equal((name, item.GetProperty("status").GetInt32()), (name, reply.Status));
            string body = item.TryGetProperty("body", out JsonElement stock) && reply.Status != 101 ? stock.GetString()! : "";
            // The stock server repeats the whole token in its words; ours leaves it out.
            string expected = body.StartsWith("invalid token: ", StringComparison.Ordinal) ? "invalid token: " : body;
            Assert.StartsWith(expected, Encoding.UTF8.GetString(reply.Body), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Dual_connection_path_is_not_found_so_that_clients_use_the_single_one()
    {
        RoomWorld world = new();
        Assert.Equal(404, world.Server.OpenConnection(1, "/rtc", "", RoomWorld.Token("r", "u"), true, world.Now).Status);
        Assert.Equal(200, world.Server.OpenConnection(2, "/rtc/v1/validate", "", RoomWorld.Token("r", "u"), false, world.Now).Status);
    }

    [Fact]
    public void Second_participant_of_a_full_room_gets_500()
    {
        RoomWorld world = new();
        world.Api("CreateRoom", new CreateRoomRequest { Name = "r", MaxParticipants = 1 }, "\"roomCreate\":true");
        Assert.True(world.Client("r", "a").Join().IsUpgrade);
        RoomHttpReply reply = world.Client("r", "b").Join();
        Assert.Equal((500, "connection closed by media"), (reply.Status, Encoding.UTF8.GetString(reply.Body)));
    }

    [Fact]
    public void Track_announced_after_the_offer_is_bound_to_the_section_that_carries_it()
    {
        RoomWorld world = new();
        RoomClient client = world.Client("r", "a");
        client.Join("0 111 8", change: request => request.AddTrackRequests.Clear());
        client.Connect();
        client.Send(new SignalRequest { AddTrack = new AddTrackRequest { Cid = "mic-a", Source = TrackSource.Microphone } });
        TrackInfo track = client.Last(SignalResponse.MessageOneofCase.Update).Update.Participants.Single().Tracks.Single();
        Assert.Equal("audio/PCMU", track.MimeType);
    }

    [Fact]
    public void Resume_keeps_the_participant_and_its_media()
    {
        RoomWorld world = new();
        RoomClient client = world.Client("r", "a");
        client.Join();
        client.Connect();
        string sid = client.Sid;
        world.Server.ConnectionClosed(client.Connection, world.Now);
        client.MoveTo(77);
        Assert.True(client.Open(new JoinRequest { Reconnect = true, ParticipantSid = sid }).IsUpgrade);
        Assert.Equal(["Reconnect", "Update", "RoomUpdate", "RefreshToken"], client.Kinds.TakeLast(4));
        client.Send(new SignalRequest { PingReq = new Ping { Timestamp = 5 } });
        Assert.Equal(5, client.Last(SignalResponse.MessageOneofCase.PongResp).PongResp.LastPingTimestamp);
    }

    [Fact]
    public void Resume_of_an_unknown_participant_is_told_to_join_anew()
    {
        RoomWorld world = new();
        RoomClient client = world.Client("r", "a");
        Assert.True(client.Open(new JoinRequest { Reconnect = true, ParticipantSid = "PA_none" }).IsUpgrade);
        LeaveRequest leave = client.Frames.Single().Leave;
        Assert.Equal((DisconnectReason.StateMismatch, LeaveRequest.Types.Action.Reconnect), (leave.Reason, leave.Action));
        Assert.Equal((ushort)1000, client.CloseCode);
    }

    [Fact]
    public void Frames_that_are_no_signal_request_change_nothing()
    {
        RoomWorld world = new();
        RoomClient client = world.Client("r", "a");
        client.Join();
        int frames = client.Frames.Count;
        world.Server.FrameReceived(client.Connection, [0xFF, 0xFF, 0xFF], false, world.Now);
        world.Server.FrameReceived(client.Connection, "{\"nonsense\""u8, true, world.Now);
        world.Server.FrameReceived(4711, new SignalRequest { Ping = 1 }.ToByteArray(), false, world.Now);
        client.Send(new SignalRequest { Offer = new SessionDescription { Type = "offer", Sdp = "m=audio" } });
        Assert.Equal(frames, client.Frames.Count);
    }
}
