using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Proxy.Core.Net;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using Proxy.Server.Http;
using Proxy.Server.Rooms;
using Proxy.Server.Tests.Http;
using Xunit;

namespace Proxy.Server.Tests.Rooms;

/// <summary>The room server behind real sockets: its thread, its mux, its routes.</summary>
public sealed class RoomsModuleTests
{
    private static readonly NetEndPoint s_loopback = new(NetAddress.FromV4(0x7F000001), 0);

    private static RoomLoop Start()
    {
        RoomLoop? loop = RoomLoop.TryCreate(new RoomLoopOptions { Ice = s_loopback }, (what, e) => throw new InvalidOperationException(what, e), out string error);
        Assert.True(loop is not null, error);
        loop.Start();
        return loop;
    }

    private static string Token(VideoGrant grant) =>
        AccessToken.Mint(new AccessClaims { ApiKey = "devkey", Identity = "me", Video = grant }, "secret"u8);

    private static Uri JoinUrl(HttpHost host, string token)
    {
        WrappedJoinRequest wrapped = new() { JoinRequest = new JoinRequest { ClientInfo = new ClientInfo { Protocol = 16 } }.ToByteString() };
        string request = Convert.ToBase64String(wrapped.ToByteArray()).Replace('+', '-').Replace('/', '_');
        return new Uri($"ws://{host.Local}/rtc/v1?access_token={token}&join_request={Uri.EscapeDataString(request)}");
    }

    private static async Task<SignalResponse> ReadAsync(ClientWebSocket socket)
    {
        byte[] buffer = new byte[16 * 1024];
        ValueWebSocketReceiveResult result = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
        return SignalResponse.Parser.ParseFrom(buffer.AsSpan(0, result.Count));
    }

    [Fact]
    public async Task Client_joins_pings_is_listed_and_leaves()
    {
        using RoomLoop loop = Start();
        await using HttpHost host = await HttpHostTests.StartAsync(new RoomsModule(loop));
        using ClientWebSocket socket = new();
        await socket.ConnectAsync(JoinUrl(host, Token(new VideoGrant { RoomJoin = true, Room = "r" })), CancellationToken.None);
        SignalResponse join = await ReadAsync(socket);
        Assert.Equal("me", join.Join.Participant.Identity);
        Assert.NotEmpty((await ReadAsync(socket)).RefreshToken);
        await socket.SendAsync(new SignalRequest { PingReq = new Ping { Timestamp = 3 } }.ToByteArray(), WebSocketMessageType.Binary, true, CancellationToken.None);
        Assert.Equal(3, (await ReadAsync(socket)).PongResp.LastPingTimestamp);

        using HttpClient client = new() { BaseAddress = new Uri($"http://{host.Local}") };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token(new VideoGrant { RoomAdmin = true, Room = "r" }));
        using HttpResponseMessage listed = await client.PostAsync(
            "/twirp/livekit.RoomService/ListParticipants", new StringContent("{\"room\":\"r\"}", Encoding.UTF8, "application/json"));
        Assert.Contains("\"identity\":\"me\"", (await listed.Content.ReadAsStringAsync()).Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);

        await socket.SendAsync(new SignalRequest { Leave = new LeaveRequest { Reason = DisconnectReason.ClientInitiated } }.ToByteArray(), WebSocketMessageType.Binary, true, CancellationToken.None);
        Assert.Equal(DisconnectReason.ClientInitiated, (await ReadAsync(socket)).Leave.Reason);
        byte[] end = new byte[16];
        Assert.Equal(WebSocketMessageType.Close, (await socket.ReceiveAsync(end.AsMemory(), CancellationToken.None)).MessageType);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
    }

    [Fact]
    public async Task Agents_worker_registers_is_dispatched_and_cut_without_a_close_frame_for_a_wrong_message()
    {
        using RoomLoop loop = Start();
        await using HttpHost host = await HttpHostTests.StartAsync(new RoomsModule(loop));
        using ClientWebSocket socket = new();
        socket.Options.SetRequestHeader("Authorization", "Bearer " + Token(new VideoGrant { Agent = true }));
        await socket.ConnectAsync(new Uri($"ws://{host.Local}/agent"), CancellationToken.None);
        byte[] register = new WorkerMessage { Register = new RegisterWorkerRequest { AgentName = "inbound" } }.ToByteArray();
        await socket.SendAsync(register, WebSocketMessageType.Binary, true, CancellationToken.None);
        Assert.StartsWith("AW_", (await ReadMessageAsync(socket)).Register.WorkerId, StringComparison.Ordinal);

        using HttpClient client = new() { BaseAddress = new Uri($"http://{host.Local}") };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token(new VideoGrant { RoomAdmin = true, Room = "r" }));
        using HttpResponseMessage made = await client.PostAsync(
            "/twirp/livekit.AgentDispatchService/CreateDispatch", new StringContent("{\"room\":\"r\",\"agent_name\":\"inbound\"}", Encoding.UTF8, "application/json"));
        Assert.Contains("\"AD_", await made.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("r", (await ReadMessageAsync(socket)).Availability.Job.Room.Name);

        await socket.SendAsync(register, WebSocketMessageType.Binary, true, CancellationToken.None);
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ReceiveAsync(new byte[16].AsMemory(), CancellationToken.None).AsTask());
        Assert.Null(socket.CloseStatus);
    }

    private static async Task<ServerMessage> ReadMessageAsync(ClientWebSocket socket)
    {
        byte[] buffer = new byte[16 * 1024];
        ValueWebSocketReceiveResult result = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
        return ServerMessage.Parser.ParseFrom(buffer.AsSpan(0, result.Count));
    }

    [Fact]
    public async Task Refusals_are_plain_HTTP_before_any_upgrade()
    {
        using RoomLoop loop = Start();
        await using HttpHost host = await HttpHostTests.StartAsync(new RoomsModule(loop));
        using HttpClient client = new() { BaseAddress = new Uri($"http://{host.Local}") };
        foreach ((string path, HttpStatusCode status) in new Dictionary<string, HttpStatusCode>
        {
            ["/rtc"] = HttpStatusCode.NotFound,
            ["/rtc/v1"] = HttpStatusCode.Unauthorized,
            ["/agent"] = HttpStatusCode.Unauthorized,
            ["/rtc/v1/validate?access_token=x"] = HttpStatusCode.Unauthorized,
            ["/rtc/v1/validate?access_token=" + Token(new VideoGrant { RoomJoin = true, Room = "r" })] = HttpStatusCode.OK,
        })
        {
            using HttpResponseMessage response = await client.GetAsync(path);
            Assert.Equal((path, status), (path, response.StatusCode));
        }
        using ClientWebSocket socket = new();
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(JoinUrl(host, "x"), CancellationToken.None));
        Assert.Equal(HttpStatusCode.Unauthorized, socket.HttpStatusCode);
    }
}
