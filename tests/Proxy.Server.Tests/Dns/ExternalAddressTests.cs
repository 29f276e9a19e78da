using System;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.Server.Config;
using Proxy.Server.Dns;
using Proxy.WebRtc.Stun;
using Xunit;

namespace Proxy.Server.Tests.Dns;

public sealed class ExternalAddressTests
{
    private static readonly NetAddress s_loopback = NetAddress.FromV4(0x7F000001);

    [Fact]
    public async Task Outside_address_is_what_the_first_answering_STUN_server_says()
    {
        using var silent = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        using var server = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        Task answering = AnswerAsync(server, new NetEndPoint(NetAddress.FromV4(0xCB007109), 4711));
        ServerConfig config = new()
        {
            SipListen = new NetEndPoint(s_loopback, 5060),
            UseExternalIp = true,
            MediaUseExternalIp = true,
            StunServers = [silent.Client.LocalEndPoint!.ToString()!, server.Client.LocalEndPoint!.ToString()!],
        };
        ServerConfig? filled = ExternalAddress.Fill(config, out string error);
        await answering;
        Assert.Equal("", error);
        Assert.Equal("203.0.113.9", filled!.SignalAddress.ToString());
        Assert.Equal("203.0.113.9", filled.MediaAddress.ToString());
    }

    [Fact]
    public void Silence_of_all_servers_is_one_sentence_that_names_the_way_out()
    {
        using var silent = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        ServerConfig config = new() { SipListen = new NetEndPoint(s_loopback, 5060), UseExternalIp = true, StunServers = [silent.Client.LocalEndPoint!.ToString()!] };
        Assert.Null(ExternalAddress.Fill(config, out string error));
        Assert.StartsWith("use_external_ip: no STUN server answered (127.0.0.1:", error, StringComparison.Ordinal);
        Assert.EndsWith("is silent); set nat_1_to_1_ip instead, or other stun_servers", error, StringComparison.Ordinal);
    }

    private static async Task AnswerAsync(UdpClient server, NetEndPoint mapped)
    {
        UdpReceiveResult request = await server.ReceiveAsync();
        byte[] answer = new byte[128];
        int length = Write(request.Buffer, mapped, answer);
        await server.SendAsync(answer.AsMemory(0, length), request.RemoteEndPoint);
    }

    private static int Write(byte[] request, NetEndPoint mapped, byte[] answer)
    {
        Assert.True(StunView.TryParse(request, out StunView view, out _));
        StunWriter writer = new(answer, StunMessageType.BindingSuccess, view.TransactionId);
        writer.XorMappedAddress(mapped);
        return writer.Finish(null);
    }
}
