using System;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.Server.Api;
using Proxy.Server.Commands;
using Proxy.Server.Config;
using Proxy.Server.Http;
using Proxy.Sip;
using Xunit;

namespace Proxy.Server.Tests.Node;

/// <summary>A node whose policy lists 192.0.2.1 and nobody else: the rig's caller on loopback is a stranger.</summary>
public sealed class BansTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("siproom-bans-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private NodeRig Rig(string addresses = "192.0.2.1", bool isHidden = false, string proxy = "192.0.2.2")
    {
        Directory.CreateDirectory(Path.Combine(_folder, "trunks"));
        File.WriteAllText(Path.Combine(_folder, "trunks", "ST_a.json"), $$"""{"numbers":["+15550100"],"allowed_addresses":["{{addresses}}"]}""");
        return new NodeRig(config => config with { IsDev = false, PolicyFolder = _folder, HideInboundPort = isHidden, TrustedProxies = [new SipSourceRange(At(proxy), 32)], RtpPorts = new PortSpan(30_000, 30_100), Limits = config.Limits with { AlikeAfter = 5, BanAfter = 20 } });
    }

    private static async Task<(HttpHost Host, ControlClient Client)> ServeAsync(NodeRig rig)
    {
        HttpHost host = HttpHost.Build(new HttpOptions { Listen = rig.Config.Http }, [new BansModule(rig.Node, new AdminGate(rig.Policy.Keys, isOpen: false))]);
        await host.StartAsync(CancellationToken.None);
        return (host, ControlClient.OverUrl(new Uri($"http://{host.Local}"), "devkey", "secret"));
    }

    private static async Task<string> RecordAsync(NodeRig rig, string sipCallId)
    {
        for (int i = 0; i < 2_000; i++)
        {
            if (rig.Records.FirstOrDefault(r => r.SipCallId == sipCallId) is { } record)
            {
                return record.Code;
            }
            await Task.Delay(5);
        }
        return "(no record)";
    }

    [Fact]
    public async Task Scanner_is_banned_recorded_and_forgiven_by_hand()
    {
        using NodeRig rig = Rig();
        (HttpHost host, ControlClient client) = await ServeAsync(rig);
        await using (host)
        {
            using (client)
            {
                for (int i = 0; i < 21; i++)
                {
                    await rig.SendAsync("REGISTER");
                    Assert.StartsWith("SIP/2.0 40", await rig.ReceiveAsync(), StringComparison.Ordinal);
                }
                for (int i = 0; i < 5; i++)
                {
                    // One refusal is forgotten each 30 s, and the machine may be slow; by now nothing is answered.
                    await rig.SendAsync("REGISTER");
                }
                Assert.Equal("banned", await RecordAsync(rig, await rig.SendAsync("INVITE", "+15550100")));
                (int status, string text) = client.Send("GET", "node/bans");
                Assert.Equal(200, status);
                Assert.Contains("\"address\":\"127.0.0.1\"", text, StringComparison.Ordinal);
                Assert.Equal(200, client.Send("DELETE", "node/bans?address=127.0.0.1").Status);
                Assert.Equal(404, client.Send("DELETE", "node/bans?address=127.0.0.1").Status);
                await rig.SendAsync("OPTIONS");
                Assert.StartsWith("SIP/2.0 200", await rig.ReceiveAsync(), StringComparison.Ordinal);
            }
        }
    }

    private static NetAddress At(string text) => NetAddress.TryParse(text, out NetAddress address) ? address : throw new ArgumentException(text);

    [Theory]
    [InlineData("127.0.0.0/8", "192.0.2.2")]
    [InlineData("192.0.2.1", "127.0.0.1")]
    public async Task Source_that_a_trunk_or_trusted_proxies_list_is_never_banned_and_a_stranger_can_be_by_hand(string addresses, string proxy)
    {
        using NodeRig rig = Rig(addresses, proxy: proxy);
        (HttpHost host, ControlClient client) = await ServeAsync(rig);
        await using (host)
        {
            using (client)
            {
                for (int i = 0; i < 150; i++)
                {
                    await rig.SendAsync("REGISTER");
                    Assert.StartsWith("SIP/2.0 405", await rig.ReceiveAsync(), StringComparison.Ordinal);
                }
                (int status, string text) = client.Send("POST", "node/bans?address=127.0.0.1");
                Assert.Equal((409, "127.0.0.1 is listed by a trunk, a trusted proxy or --dev: no ban is for it"), (status, client.Sentence(status, text)));
                Assert.Equal(200, client.Send("POST", "node/bans?address=198.51.100.7&for_ms=60000").Status);
                Assert.Contains("198.51.100.7", client.Send("GET", "node/bans").Text, StringComparison.Ordinal);
                Assert.Equal(400, client.Send("POST", "node/bans?address=nobody").Status);
            }
        }
    }

    [Fact]
    public async Task Hidden_port_answers_neither_options_nor_calls_of_strangers_and_records_the_calls()
    {
        using NodeRig rig = Rig(isHidden: true);
        await rig.SendAsync("OPTIONS");
        Assert.Equal("source_not_allowed", await RecordAsync(rig, await rig.SendAsync("INVITE", "+15550100")));
        Assert.Equal("hidden", await RecordAsync(rig, await rig.SendAsync("INVITE", "+15550100", "Require: rocket\r\n")));
        await Assert.ThrowsAnyAsync<Exception>(() => rig.ReceiveAsync(TimeSpan.FromMilliseconds(300)));
    }

    [Fact]
    public async Task Connection_of_a_banned_source_is_closed_at_once()
    {
        using NodeRig rig = Rig();
        await rig.Node.Ask((loop, now) => loop.Sip.Guard!.Ban(At("127.0.0.1"), TimeSpan.FromMinutes(1), now));
        for (int i = 0; i < 500; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", rig.Node.SipLocal.Port);
            client.ReceiveTimeout = 50;
            try
            {
                if (await client.GetStream().ReadAsync(new byte[1], new CancellationTokenSource(20).Token) == 0)
                {
                    return;
                }
            }
            catch (Exception e) when (e is IOException)
            {
                return;
            }
            catch (OperationCanceledException)
            {
                // The list reaches the sockets within a second.
            }
        }
        Assert.Fail("a banned source may still connect");
    }
}
