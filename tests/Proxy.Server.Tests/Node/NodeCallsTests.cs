using System;
using System.Buffers;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Server.Api;
using Proxy.Server.Commands;
using Proxy.Server.Http;
using Proxy.Server.Node;
using Xunit;

namespace Proxy.Server.Tests.Node;

public sealed class NodeCallsTests
{
    private static async Task<(HttpHost Host, ControlClient Client)> ServeAsync(NodeRig rig)
    {
        HttpHost host = HttpHost.Build(new HttpOptions { Listen = rig.Config.Http }, [new NodeCallsModule(new NodeCalls(rig.Node, rig.Node.Archive), new AdminGate(rig.Policy.Keys, isOpen: false))]);
        await host.StartAsync(CancellationToken.None);
        return (host, ControlClient.OverUrl(new Uri($"http://{host.Local}"), "devkey", "secret"));
    }

    private static JsonElement Get(ControlClient client, string path)
    {
        (int status, string text) = client.Send("GET", path);
        Assert.True(status == 200, text);
        return JsonDocument.Parse(text).RootElement;
    }

    [Fact]
    public async Task Refused_call_is_listed_shown_and_its_messages_are_kept()
    {
        using var rig = new NodeRig();
        (HttpHost host, ControlClient client) = await ServeAsync(rig);
        await using (host)
        {
            using (client)
            {
                string id = await rig.SendAsync("INVITE", "nobody-here");
                Assert.StartsWith("SIP/2.0 404", await rig.ReceiveAsync(), StringComparison.Ordinal);
                JsonElement list = Get(client, "node/calls?refused=1&number=nobody-here&since_ms=60000");
                Assert.Equal(id, list.GetProperty("ended")[0].GetProperty("sip_call_id").GetString());
                Assert.Equal(0, list.GetProperty("more").GetInt32());
                Assert.Equal(0, Get(client, "node/calls?refused=1&number=somebody").GetProperty("ended").GetArrayLength());
                string ours = Get(client, "node/calls/show?id=" + Uri.EscapeDataString(id)).GetProperty("ended")[0].GetProperty("call_id").GetString()!;
                JsonElement messages = Get(client, "node/calls/sip?id=" + ours).GetProperty("messages");
                Assert.StartsWith("INVITE", messages[0].GetProperty("message").GetString(), StringComparison.Ordinal);
                Assert.Equal("sent", messages[messages.GetArrayLength() - 1].GetProperty("direction").GetString());
                (int status, string ladder) = client.Send("GET", "node/calls/sip?id=" + ours, accept: "text/plain");
                Assert.Equal(200, status);
                Assert.Contains("404 Not Found", ladder, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task Metrics_have_no_series_of_what_callers_write()
    {
        using var rig = new NodeRig();
        rig.Node.Start();
        async Task<string[]> SeriesAfterAsync(string user)
        {
            await rig.SendAsync("INVITE", user);
            Assert.StartsWith("SIP/2.0 404", await rig.ReceiveAsync(), StringComparison.Ordinal);
            ArrayBufferWriter<byte> text = new();
            rig.Node.Metrics.Scrape(text);
            Assert.DoesNotContain("nobody-", Encoding.UTF8.GetString(text.WrittenSpan), StringComparison.Ordinal);
            return [.. Encoding.UTF8.GetString(text.WrittenSpan).Split('\n').Where(l => !l.StartsWith('#') && l.Contains(' ')).Select(l => l[..l.LastIndexOf(' ')])];
        }
        string[] first = await SeriesAfterAsync("nobody-1");
        for (int i = 2; i < 20; i++)
        {
            Assert.Equal(first, await SeriesAfterAsync($"nobody-{i}"));
        }
    }

    [Fact]
    public async Task Unreadable_invite_is_seen_too()
    {
        using var rig = new NodeRig();
        (HttpHost host, ControlClient client) = await ServeAsync(rig);
        await using (host)
        {
            using (client)
            {
                string id = await rig.SendAsync("INVITE", extra: "Max-Forwards: many\r\n");
                Assert.StartsWith("SIP/2.0 400", await rig.ReceiveAsync(), StringComparison.Ordinal);
                JsonElement call = Get(client, "node/calls/show?id=" + Uri.EscapeDataString(id)).GetProperty("ended")[0];
                Assert.Equal("bad_request", call.GetProperty("code").GetString());
                Assert.Contains("cannot be read", call.GetProperty("sentence").GetString(), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task Live_call_is_listed_and_hung_up()
    {
        using var rig = new NodeRig();
        (HttpHost host, ControlClient client) = await ServeAsync(rig);
        await using (host)
        {
            using (client)
            {
                string id = await rig.SendAsync("INVITE");
                Assert.StartsWith("SIP/2.0 180", await rig.ReceiveAsync(), StringComparison.Ordinal);
                JsonElement live = Get(client, "node/calls?live=1").GetProperty("live");
                Assert.Equal((1, "joining"), (live.GetArrayLength(), live[0].GetProperty("state").GetString()));
                string ours = live[0].GetProperty("call_id").GetString()!;
                Assert.Equal(404, client.Send("POST", "node/calls/hangup?id=SCL_other").Status);
                (int status, string text) = client.Send("POST", "node/calls/hangup?id=" + Uri.EscapeDataString(id));
                Assert.Equal((200, $$"""{"call_id":"{{ours}}"}"""), (status, text));
                string last = await rig.ReceiveAsync();
                while (last.StartsWith("SIP/2.0 180", StringComparison.Ordinal))
                {
                    last = await rig.ReceiveAsync();
                }
                Assert.StartsWith("SIP/2.0 480", last, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("node/calls?limit=many", "limit: 'many' is not a number up to 10000")]
    [InlineData("node/calls?live=1&refused=1", "live excludes refused: keep one of the two")]
    public async Task Wrong_questions_are_told_what_is_wrong(string path, string sentence)
    {
        using var rig = new NodeRig();
        (HttpHost host, ControlClient client) = await ServeAsync(rig);
        await using (host)
        {
            using (client)
            {
                (int status, string text) = client.Send("GET", path);
                Assert.Equal((400, sentence), (status, client.Sentence(status, text)));
                Assert.Equal(404, client.Send("GET", "node/calls/show?id=SCL_x").Status);
                Assert.Equal(404, client.Send("GET", "node/calls/sip?id=SCL_x").Status);
            }
        }
    }
}
