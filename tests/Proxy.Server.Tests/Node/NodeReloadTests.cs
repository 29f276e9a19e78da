using System;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Threading.Tasks;
using Proxy.Server.Config;
using Proxy.Server.Node;
using Proxy.Server.Tests.Signal;
using Xunit;

namespace Proxy.Server.Tests.Node;

public sealed class NodeReloadTests : IDisposable
{
    private readonly TestCertificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    private NodeRig Rig() => new(config => config with { Tls = new TlsConfig { PortListen = 0, PortAnnounced = 0, Certificates = [_certificates.Make("sip.test", "sip")] } });

    private static async Task<string> SerialAsync(NodeRig rig)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, rig.Node.TlsLocal.Port);
        using var secure = new SslStream(client.GetStream(), false, (_, _, _, _) => true);
        await secure.AuthenticateAsClientAsync("sip.test");
        return secure.RemoteCertificate!.GetSerialNumberString();
    }

    [Fact]
    public async Task Reload_takes_new_certificates_and_says_what_needs_a_restart()
    {
        using NodeRig rig = Rig();
        ServerConfig? applied = null;
        var reload = new NodeReload(rig.Config, () => new ConfigResult(rig.Config with { RtpPorts = new PortSpan(1, 2), LogLevel = "debug" }, [], []), rig.Node, rig.Policy, c => applied = c);
        string old = await SerialAsync(rig);
        Assert.Equal(old, await SerialAsync(rig));
        _certificates.Make("sip.test", "sip");
        ReloadReport report = await reload.RunAsync(default);
        Assert.Empty(report.Problems);
        Assert.Equal(["rtp_port changed: it takes effect with the next start"], report.Notices);
        Assert.NotEqual(old, await SerialAsync(rig));
        Assert.Equal("debug", applied?.LogLevel);
    }

    [Fact]
    public async Task Bad_configuration_or_certificate_changes_nothing_and_is_told()
    {
        using NodeRig rig = Rig();
        string old = await SerialAsync(rig);
        ConfigResult next = new(null, ["siproom.yaml:3: nonsense"], []);
        int applied = 0;
        var reload = new NodeReload(rig.Config, () => next, rig.Node, rig.Policy, _ => applied++);
        Assert.Equal(["siproom.yaml:3: nonsense"], (await reload.RunAsync(default)).Problems);
        (string cert, string key) = _certificates.Make("sip.test", "other");
        next = new ConfigResult(rig.Config with { Tls = new TlsConfig { Certificates = [(key, cert)] } }, [], []);
        Assert.StartsWith("tls.certs: ", Assert.Single((await reload.RunAsync(default)).Problems), StringComparison.Ordinal);
        Assert.Equal((0, old), (applied, await SerialAsync(rig)));
    }
}
