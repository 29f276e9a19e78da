using System;
using System.Net;
using System.Net.Http;
using System.Text.Json;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.LiveKit.Tokens;
using Proxy.Server.Console;
using Proxy.Server.Http;
using Proxy.Server.Rooms;
using Proxy.Server.Tests.Http;
using Xunit;

namespace Proxy.Server.Tests.Console;

public sealed class DevModuleTests
{
    private static readonly DateTimeOffset s_now = DateTimeOffset.UtcNow;

    private static RoomLoop Start()
    {
        var options = new RoomLoopOptions { Ice = new NetEndPoint(NetAddress.FromV4(0x7F000001), 0) };
        RoomLoop? loop = RoomLoop.TryCreate(options, (what, e) => throw new InvalidOperationException(what, e), out string error);
        Assert.True(loop is not null, error);
        loop.Start();
        return loop;
    }

    private static DevModule Module(RoomLoop loop) => new(loop, new DevOptions("devkey", "secret", "127.0.0.1:5060", () => s_now));

    private static HttpClient Client(HttpHost host) => new() { BaseAddress = new Uri($"http://{host.Local}") };

    [Fact]
    public async Task Token_of_the_page_joins_one_room_for_ten_minutes_and_allows_nothing_else()
    {
        using RoomLoop loop = Start();
        await using HttpHost host = await HttpHostTests.StartAsync(Module(loop), new RoomsModule(loop));
        using HttpClient client = Client(host);
        using JsonDocument answer = JsonDocument.Parse(await client.GetStringAsync("/dev/token?room=caf%C3%A9&name=Ada"));
        string token = answer.RootElement.GetProperty("token").GetString()!;
        Assert.Equal(TokenVerdict.Ok, AccessToken.TryVerify(token, ConsoleModuleTests.Keys, s_now.ToUnixTimeSeconds(), out AccessClaims? claims));
        Assert.Equal("Ada", claims!.Name);
        Assert.Equal(answer.RootElement.GetProperty("identity").GetString(), claims.Identity);
        Assert.Equal(s_now.ToUnixTimeSeconds() + 600, claims.ExpiresAt);
        Assert.Null(claims.Sip);
        Assert.Equal(new VideoGrant { RoomJoin = true, Room = "café", CanPublish = true, CanSubscribe = true, CanPublishData = true, CanPublishSources = claims.Video!.CanPublishSources }, claims.Video);
        Assert.Equal("success", await client.GetStringAsync("/rtc/v1/validate?access_token=" + token));
        using JsonDocument other = JsonDocument.Parse(await client.GetStringAsync("/dev/token?room=r&name=Ada"));
        Assert.NotEqual(claims.Identity, other.RootElement.GetProperty("identity").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("?room=")]
    [InlineData("?room=r&name=0123456789012345678901234567890123456789012345678901234567890123x")]
    public async Task Token_for_no_room_or_a_long_name_is_refused_with_a_sentence(string query)
    {
        using RoomLoop loop = Start();
        await using HttpHost host = await HttpHostTests.StartAsync(Module(loop));
        using HttpClient client = Client(host);
        using HttpResponseMessage response = await client.GetAsync("/dev/token" + query);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("characters", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/dev/token?room=r")]
    [InlineData("/dev/rooms")]
    public async Task Foreign_site_that_points_its_name_at_this_machine_gets_nothing(string path)
    {
        using RoomLoop loop = Start();
        await using HttpHost host = await HttpHostTests.StartAsync(Module(loop));
        using HttpClient client = Client(host);
        client.DefaultRequestHeaders.Host = "rebound.example.com:7880";
        using HttpResponseMessage response = await client.GetAsync(path);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        client.DefaultRequestHeaders.Host = "localhost:7880";
        using HttpResponseMessage local = await client.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, local.StatusCode);
    }

    [Fact]
    public async Task Rooms_are_listed_with_how_many_are_in_them_and_where_to_call()
    {
        using RoomLoop loop = Start();
        await using HttpHost host = await HttpHostTests.StartAsync(Module(loop));
        using HttpClient client = Client(host);
        Assert.Equal("{\"sip\":\"127.0.0.1:5060\",\"rooms\":[]}", await client.GetStringAsync("/dev/rooms"));
        loop.AddDemoAgent("lobby", new Proxy.DevRoom.DemoAgent.DemoAgentOptions(Proxy.DevRoom.DemoAgentMode.Echo));
        string rooms = await client.GetStringAsync("/dev/rooms");
        Assert.StartsWith("{\"sip\":\"127.0.0.1:5060\",\"rooms\":[{\"name\":\"lobby\",\"participants\":", rooms, StringComparison.Ordinal);
    }
}
