using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.Server.Signal;
using Proxy.WebRtc.Stun;
using Xunit;

namespace Proxy.Server.Tests.Node;

public sealed class StunOnSipPortTests
{
    private static readonly byte[] s_id = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    private static readonly NetEndPoint s_from = new(NetAddress.FromV4(0xC0000207), 5062);

    /// <summary>As phones send it: nothing but the header.</summary>
    private static byte[] Bare => [0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, .. s_id];

    [Fact]
    public async Task Stun_on_the_sip_port_is_answered_with_the_address_it_came_from()
    {
        using NodeRig rig = new();
        using UdpClient phone = new(new IPEndPoint(IPAddress.Loopback, 0));
        await phone.SendAsync(Bare, new IPEndPoint(rig.Target.Address.ToIPAddress(), rig.Target.Port));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        byte[] answer = (await phone.ReceiveAsync(patience.Token)).Buffer;
        Assert.True(TryReadMapped(answer, out NetEndPoint mapped));
        Assert.Equal(((IPEndPoint)phone.Client.LocalEndPoint!).Port, mapped.Port);
    }

    [Fact]
    public void A_stranger_gets_no_more_bytes_than_it_sent()
    {
        Span<byte> answer = stackalloc byte[StunAnswers.MostBytes];
        Assert.Equal(0, StunAnswers.Write(Bare, s_from, isStranger: true, answer));
        Assert.Equal(40, StunAnswers.Write(Bare, s_from, isStranger: false, answer));
        // SOFTWARE of 16 letters: as long as the answer.
        byte[] longer = [0, 1, 0, 20, 0x21, 0x12, 0xA4, 0x42, .. s_id, 0x80, 0x22, 0, 16, .. "a phone of a man"u8];
        int length = StunAnswers.Write(longer, s_from, isStranger: true, answer);
        Assert.True(TryReadMapped(answer[..length], out NetEndPoint mapped));
        Assert.Equal(s_from, mapped);
    }

    [Fact]
    public void What_is_no_binding_request_gets_no_answer()
    {
        Span<byte> answer = stackalloc byte[StunAnswers.MostBytes];
        Assert.Equal(0, StunAnswers.Write([1, 1, .. Bare[2..]], s_from, isStranger: false, answer));
        Assert.Equal(0, StunAnswers.Write([0, 1, 0, 8, .. Bare[4..]], s_from, isStranger: false, answer));
        Assert.Equal(0, StunAnswers.Write([0, 1, 0, 4, 0x21, 0x12, 0xA4, 0x42, .. s_id, 0, 0x77, 0, 0], s_from, isStranger: false, answer));
    }

    private static bool TryReadMapped(ReadOnlySpan<byte> answer, out NetEndPoint mapped)
    {
        mapped = default;
        return StunView.TryParse(answer, out StunView view, out _) && view.Type == StunMessageType.BindingSuccess && view.TransactionId.SequenceEqual(s_id)
            && view.TryGetMappedAddress(out mapped);
    }
}
