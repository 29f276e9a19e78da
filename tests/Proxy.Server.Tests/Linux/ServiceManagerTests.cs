using System;
using System.IO;
using System.Net.Sockets;
using System.Text;
using Proxy.Server.Linux;
using Xunit;

namespace Proxy.Server.Tests.Linux;

public sealed class ServiceManagerTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Systemd_is_told_when_calls_are_taken_and_when_no_more_are(bool isAbstract)
    {
        string name = Path.Combine(Path.GetTempPath(), $"siproom-notify-{Guid.NewGuid():N}");
        using var systemd = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        systemd.Bind(new UnixDomainSocketEndPoint(isAbstract ? '\0' + name : name));
        var manager = new ServiceManager(isAbstract ? '@' + name : name);
        manager.Ready("ready sip=udp");
        manager.Stopping("draining");
        Assert.Equal("READY=1\nSTATUS=ready sip=udp", Next(systemd));
        Assert.Equal("STOPPING=1\nSTATUS=draining", Next(systemd));
        File.Delete(name);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("vsock:2:1234")]
    [InlineData("/nowhere/notify")]
    public void A_manager_that_is_not_there_harms_nobody(string? address)
    {
        var manager = new ServiceManager(address);
        manager.Ready("ready");
        manager.Stopping("draining");
    }

    private static string Next(Socket socket)
    {
        byte[] text = new byte[512];
        return Encoding.UTF8.GetString(text, 0, socket.Receive(text));
    }
}
