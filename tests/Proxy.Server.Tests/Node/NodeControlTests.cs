using System;
using System.IO;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.Server.Api;
using Proxy.Server.Commands;
using Proxy.Server.Config;
using Proxy.Server.Http;
using Proxy.Server.Node;
using Xunit;

namespace Proxy.Server.Tests.Node;

public sealed class NodeControlTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("siproom-control-").FullName;

    private string Socket => Path.Combine(_folder, "control.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static NodeControl Control(NodeRig rig)
    {
        var control = new NodeControl(rig.Node, new NodeReload(rig.Config, null, rig.Node, rig.Policy, _ => { }).RunAsync, TimeSpan.FromMinutes(1));
        control.Started();
        return control;
    }

    private async Task<HttpHost> HostAsync(NodeRig rig, NodeControl control)
    {
        (HttpHost? host, string error) = await ControlSocket.TryStartAsync(Socket, new HttpOptions(), [new ControlModule(control, new AdminGate(rig.Policy.Keys, isOpen: true))]);
        Assert.True(host is not null, error);
        return host;
    }

    [Fact]
    public async Task Draining_node_refuses_options_and_invites_with_retry_after_until_it_is_undone()
    {
        using var rig = new NodeRig();
        NodeControl control = Control(rig);
        Assert.Equal("", control.WhyNotReady);
        DrainState state = await control.DrainAsync(null, isLeaving: false);
        Assert.True(state.IsDraining);
        Assert.InRange(state.SecondsLeft, 59, 60);
        Assert.Equal("draining", control.WhyNotReady);
        await rig.SendAsync("OPTIONS");
        string options = await rig.ReceiveAsync();
        Assert.StartsWith("SIP/2.0 503", options, StringComparison.Ordinal);
        Assert.Contains("\r\nRetry-After: 5\r\n", options, StringComparison.Ordinal);
        string id = await rig.SendAsync("INVITE");
        string invite = await rig.ReceiveAsync();
        Assert.StartsWith("SIP/2.0 503", invite, StringComparison.Ordinal);
        Assert.Contains("\r\nRetry-After: 5\r\n", invite, StringComparison.Ordinal);
        Assert.True(rig.Records.TryDequeue(out var record));
        Assert.Equal((id, "draining", 503), (record.SipCallId, record.Code, record.SipStatus));
        Assert.False((await control.Undo()!).IsDraining);
        Assert.Equal("", control.WhyNotReady);
        await rig.SendAsync("OPTIONS");
        Assert.StartsWith("SIP/2.0 200", await rig.ReceiveAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drain_of_a_process_that_ends_is_not_undone_and_keeps_an_earlier_deadline()
    {
        using var rig = new NodeRig();
        NodeControl control = Control(rig);
        await control.DrainAsync(TimeSpan.FromSeconds(10), isLeaving: false);
        DrainState state = await control.DrainAsync(null, isLeaving: true);
        Assert.InRange(state.SecondsLeft, 5, 10);
        Assert.Null(control.Undo());
        Assert.Equal("draining", control.WhyNotReady);
    }

    [Fact]
    public async Task Ringing_call_is_refused_when_the_time_is_up()
    {
        using var rig = new NodeRig();
        NodeControl control = Control(rig);
        await rig.SendAsync("INVITE");
        Assert.StartsWith("SIP/2.0 180", await rig.ReceiveAsync(), StringComparison.Ordinal);
        Assert.Equal(1, (await control.DrainAsync(TimeSpan.Zero, isLeaving: false)).Calls);
        string last = await rig.ReceiveAsync();
        while (last.StartsWith("SIP/2.0 180", StringComparison.Ordinal))
        {
            last = await rig.ReceiveAsync();
        }
        Assert.StartsWith("SIP/2.0 503", last, StringComparison.Ordinal);
        Assert.Contains("\r\nRetry-After: ", last, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Control_socket_is_its_owners_alone_and_speaks_the_same_routes()
    {
        using var rig = new NodeRig();
        NodeControl control = Control(rig);
        HttpHost host = await HostAsync(rig, control);
#pragma warning disable CA1416 // tests run on Linux only
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Socket));
#pragma warning restore CA1416
        using (ControlClient client = ControlClient.OverSocket(Socket))
        {
            (int status, string text) = client.Send("POST", "node/drain?for_ms=5000");
            Assert.Equal(200, status);
            Assert.True(JsonDocument.Parse(text).RootElement.GetProperty("draining").GetBoolean());
            (status, text) = client.Send("POST", "node/drain?for_ms=soon");
            Assert.Equal(400, status);
            Assert.Equal("for_ms: 'soon' is not a number of milliseconds up to a week", client.Sentence(status, text));
            Assert.Equal(200, client.Send("DELETE", "node/drain").Status);
            Assert.Equal(200, client.Send("POST", "node/reload").Status);
            await control.DrainAsync(null, isLeaving: true);
            (status, text) = client.Send("DELETE", "node/drain");
            Assert.Equal(409, status);
            Assert.Contains("signal", client.Sentence(status, text), StringComparison.Ordinal);
        }
        await host.DisposeAsync();
        Assert.False(ControlSocket.IsAlive(Socket));
        using ControlClient gone = ControlClient.OverSocket(Socket);
        Assert.Equal(0, gone.Send("GET", "node").Status);
    }

    [Fact]
    public async Task Socket_of_a_node_that_runs_is_not_taken_and_one_that_was_left_behind_is()
    {
        using var rig = new NodeRig();
        HttpHost host = await HostAsync(rig, Control(rig));
        (HttpHost? second, string error) = await ControlSocket.TryStartAsync(Socket, new HttpOptions(), []);
        Assert.Null(second);
        Assert.Contains("belongs to a node that runs", error, StringComparison.Ordinal);
        await host.DisposeAsync();
        File.Delete(Socket);
        using (var left = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified))
        {
            left.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(Socket));
            (HttpHost? third, error) = await ControlSocket.TryStartAsync(Socket, new HttpOptions(), []);
            Assert.Equal("", error);
            await third!.DisposeAsync();
        }
    }

    [Fact]
    public async Task Over_http_a_token_is_asked_for()
    {
        using var rig = new NodeRig();
        HttpHost host = HttpHost.Build(new HttpOptions { Listen = rig.Config.Http }, [new ControlModule(Control(rig), new AdminGate(rig.Policy.Keys, isOpen: false))]);
        await using (host)
        {
            await host.StartAsync(CancellationToken.None);
            using var http = new HttpClient();
            Assert.Equal(401, (int)(await http.PostAsync($"http://{host.Local}/node/drain", null)).StatusCode);
            using ControlClient wrong = ControlClient.OverUrl(new Uri($"http://{host.Local}"), "devkey", "guessed");
            (int status, string text) = wrong.Send("GET", "node");
            Assert.Equal(401, status);
            Assert.Contains("LIVEKIT_API_SECRET", wrong.Sentence(status, text), StringComparison.Ordinal);
            using ControlClient right = ControlClient.OverUrl(new Uri($"http://{host.Local}"), "devkey", "secret");
            Assert.Equal((200, """{"draining":false,"calls":0}"""), right.Send("GET", "node"));
        }
    }

    [Theory]
    [InlineData(null, false, "/run/siproom/control.sock")]
    [InlineData("/somewhere/else.sock", false, "/somewhere/else.sock")]
    [InlineData("/somewhere/else.sock", true, "/somewhere/else.sock")]
    [InlineData("", false, "")]
    public void Path_is_the_usual_one_or_the_configured_one(string? configured, bool isDev, string path) =>
        Assert.Equal(path, ControlSocket.PathOf(new ServerConfig { ControlSocket = configured, IsDev = isDev }, default, _ => null));

    [Fact]
    public void Dev_nodes_have_a_socket_for_each_http_address()
    {
        Assert.True(NetEndPoint.TryParse("127.0.0.1:7880", out NetEndPoint http));
        string path = ControlSocket.PathOf(new ServerConfig { IsDev = true }, http, name => name == "XDG_RUNTIME_DIR" ? "/run/user/1000" : null);
        Assert.Contains(path, new[] { "/run/siproom/dev-127.0.0.1-7880.sock", "/run/user/1000/siproom/dev-127.0.0.1-7880.sock" });
    }
}
