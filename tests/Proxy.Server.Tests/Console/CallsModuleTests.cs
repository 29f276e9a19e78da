using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Text.Json;
using System.Threading.Tasks;
using Proxy.Server.Api;
using Proxy.Server.Console;
using Proxy.Server.Http;
using Proxy.Server.Node;
using Proxy.Server.Tests.Http;
using Proxy.Server.Tests.Node;
using Xunit;

namespace Proxy.Server.Tests.Console;

public sealed class CallsModuleTests
{
    private static HttpClient Client(HttpHost host) => new() { BaseAddress = new Uri($"http://{host.Local}") };

    private static CallsModule Empty(bool isDev) =>
        new(() => Task.FromResult<IReadOnlyList<LiveCall>>([]), ConsoleModuleTests.Access(isDev));

    [Fact]
    public async Task Call_that_a_phone_made_is_listed_by_the_running_node()
    {
        // A room server that never says a word: the call stays in its first state.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var rig = new NodeRig(config => config with { WsUrls = [$"ws://{silent.LocalEndpoint}"] });
        await using HttpHost host = await HttpHostTests.StartAsync(new CallsModule(() => rig.Node.Ask(LiveCalls.Copy), ConsoleModuleTests.Access(isDev: true)));
        using HttpClient client = Client(host);
        Assert.Equal("{\"calls\":[]}", await client.GetStringAsync("/calls"));
        string id = await rig.SendAsync("INVITE", "room-lobby");
        Assert.StartsWith("SIP/2.0 180", await rig.ReceiveAsync(), StringComparison.Ordinal);
        using JsonDocument answer = JsonDocument.Parse(await client.GetStringAsync("/calls"));
        JsonElement call = Assert.Single(answer.RootElement.GetProperty("calls").EnumerateArray());
        Assert.StartsWith("SCL_", call.GetProperty("call_id").GetString(), StringComparison.Ordinal);
        Assert.Equal(id, call.GetProperty("sip_call_id").GetString());
        Assert.Equal("+15550199", call.GetProperty("from").GetString());
        Assert.Equal("room-lobby", call.GetProperty("to").GetString());
        Assert.Equal("lobby", call.GetProperty("room").GetString());
        Assert.Equal("joining", call.GetProperty("state").GetString());
        Assert.Equal(rig.Caller.ToString(), call.GetProperty("source").GetString());
        Assert.Equal(0, call.GetProperty("talked_seconds").GetDouble());
    }

    [Fact]
    public async Task Calls_are_shown_without_a_token_only_to_this_machine_and_only_with_dev()
    {
        await using HttpHost dev = await HttpHostTests.StartAsync(Empty(isDev: true));
        using HttpClient client = Client(dev);
        using HttpResponseMessage here = await client.GetAsync("/calls");
        Assert.Equal(HttpStatusCode.OK, here.StatusCode);
        Assert.Equal("no-store", here.Headers.CacheControl?.ToString());
        // What a browser sends for a foreign name that points at 127.0.0.1.
        client.DefaultRequestHeaders.Host = "rebound.example.com";
        using HttpResponseMessage rebound = await client.GetAsync("/calls");
        Assert.Equal(HttpStatusCode.Unauthorized, rebound.StatusCode);

        await using HttpHost plain = await HttpHostTests.StartAsync(Empty(isDev: false));
        using HttpClient stranger = Client(plain);
        using HttpResponseMessage refused = await stranger.GetAsync("/calls");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        stranger.DefaultRequestHeaders.Authorization = ConsoleModuleTests.Bearer(new Proxy.LiveKit.Tokens.SipGrant(Admin: true, Call: false));
        Assert.Equal("{\"calls\":[]}", await stranger.GetStringAsync("/calls"));
    }

    [Fact]
    public async Task Owner_that_takes_no_questions_is_answered_with_503()
    {
        var module = new CallsModule(() => Task.FromException<IReadOnlyList<LiveCall>>(new InvalidOperationException("full")), ConsoleModuleTests.Access(isDev: true));
        await using HttpHost host = await HttpHostTests.StartAsync(module);
        using HttpClient client = Client(host);
        using HttpResponseMessage response = await client.GetAsync("/calls");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }
}
