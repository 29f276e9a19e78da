using System;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Server.Linux;
using Xunit;

namespace Proxy.Server.Tests.Linux;

public sealed class UdpSocketTests
{
    private static readonly NetEndPoint s_loopback = new(NetAddress.FromV4(0x7F000001), 0);

    private static UdpSocket Open(NetEndPoint local, UdpOptions options = default)
    {
        Assert.True(UdpSocket.TryBind(local, options, out UdpSocket? socket, out string error), error);
        return socket;
    }

    [Fact]
    public void Datagram_goes_there_and_names_its_sender()
    {
        using UdpSocket a = Open(s_loopback, new UdpOptions { ReceiveBytes = 65_536, SendBytes = 65_536, Dscp = 46 });
        using UdpSocket b = Open(s_loopback);
        Assert.NotEqual(0, a.Local.Port);
        Assert.Equal(SendResult.Sent, a.Send("hello"u8, b.Local));
        byte[] buffer = new byte[64];
        Assert.True(b.TryReceive(buffer, out int length, out NetEndPoint from));
        Assert.Equal("hello"u8, buffer.AsSpan(0, length));
        Assert.Equal(a.Local, from);
        Assert.False(b.TryReceive(buffer, out _, out _));
    }

    [Fact]
    public void Oversized_datagram_is_dropped_and_counted_and_the_next_one_is_read()
    {
        using UdpSocket a = Open(s_loopback);
        using UdpSocket b = Open(s_loopback);
        a.Send(new byte[100], b.Local);
        a.Send(new byte[7], b.Local);
        Assert.True(b.TryReceive(new byte[50], out int length, out _));
        Assert.Equal(7, length);
        Assert.Equal(1, b.Oversized);
    }

    [Fact]
    public void Closed_peer_is_no_error()
    {
        using UdpSocket a = Open(s_loopback);
        UdpSocket gone = Open(s_loopback);
        NetEndPoint nobody = gone.Local;
        gone.Dispose();
        Assert.Equal(SendResult.Sent, a.Send("x"u8, nobody));
        Assert.Equal(SendResult.Sent, a.Send("x"u8, nobody));
        Assert.False(a.TryReceive(new byte[10], out _, out _));
    }

    [Fact]
    public void Wildcard_bind_tells_the_local_address_and_answers_from_it()
    {
        using UdpSocket wildcard = Open(new NetEndPoint(NetAddress.FromV4(0), 0), new UdpOptions { WantsLocalAddress = true });
        using UdpSocket caller = Open(s_loopback);
        Assert.True(NetAddress.TryParse("127.0.0.9", out NetAddress ninth));
        caller.Send("q"u8, new NetEndPoint(ninth, wildcard.Local.Port));
        byte[] buffer = new byte[16];
        Assert.True(wildcard.TryReceive(buffer, out int length, out NetEndPoint from, out NetAddress to));
        Assert.Equal(1, length);
        Assert.Equal(ninth, to);
        Assert.Equal(SendResult.Sent, wildcard.Send("a"u8, from, to));
        Assert.True(caller.TryReceive(buffer, out _, out NetEndPoint answerFrom));
        Assert.Equal(ninth, answerFrom.Address);
    }

    [Fact]
    public void IPv6_loopback_works_where_the_machine_has_it()
    {
        Assert.True(NetAddress.TryParse("::1", out NetAddress loopback));
        if (!UdpSocket.TryBind(new NetEndPoint(loopback, 0), default, out UdpSocket? a, out _))
        {
            return;
        }
        using (a)
        using (UdpSocket b = Open(new NetEndPoint(loopback, 0)))
        {
            Assert.Equal(SendResult.Sent, a.Send("x"u8, b.Local));
            Assert.True(b.TryReceive(new byte[4], out _, out NetEndPoint from));
            Assert.Equal(a.Local, from);
            Assert.Equal(SendResult.Unreachable, Open(s_loopback).Send("x"u8, b.Local));
        }
    }

    [Fact]
    public void Taken_port_is_refused_with_the_reason()
    {
        using UdpSocket a = Open(s_loopback);
        Assert.False(UdpSocket.TryBind(a.Local, default, out _, out string error));
        Assert.Contains("in use", error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Local_address_towards_a_loopback_peer_is_loopback()
    {
        Assert.True(UdpSocket.TryFindLocalAddress(NetAddress.FromV4(0x7F000001), out NetAddress local));
        Assert.True(local.IsLoopback);
    }

    [Fact]
    public void Batch_receives_into_the_slab_and_sends_from_it()
    {
        using UdpSocket a = Open(s_loopback);
        using UdpSocket b = Open(s_loopback);
        using PacketSlab slab = new(16, 64);
        using DatagramBatch batch = new(8);
        for (byte i = 0; i < 10; i++)
        {
            a.Send([i, i], b.Local);
        }
        Assert.Equal(8, batch.Receive(b, slab));
        Assert.Equal(8, slab.Available);
        DatagramBatch back = new(8);
        for (byte i = 0; i < 8; i++)
        {
            Assert.Equal(2, batch.Length(i));
            Assert.Equal(i, slab.Get(batch.Slot(i))[0]);
            Assert.Equal(a.Local, batch.From(i));
            Assert.True(back.TryAdd(b, slab.Address(batch.Slot(i)), 2, batch.From(i)));
        }
        Assert.Equal(8, back.Flush(b));
        back.Dispose();
        for (int i = 0; i < 8; i++)
        {
            slab.Return(batch.Slot(i));
        }
        Assert.Equal(2, batch.Receive(b, slab));
        slab.Return(batch.Slot(0));
        slab.Return(batch.Slot(1));
        Assert.Equal(0, batch.Receive(b, slab));
        Assert.Equal(16, slab.Available);
        int returned = 0;
        while (a.TryReceive(new byte[8], out _, out _))
        {
            returned++;
        }
        Assert.Equal(8, returned);
    }

    [Fact]
    public void Sending_and_receiving_allocate_nothing()
    {
        using UdpSocket a = Open(s_loopback);
        using UdpSocket b = Open(s_loopback);
        byte[] packet = new byte[172];
        byte[] buffer = new byte[1500];
        Assert.Equal(0, Allocation.LeastOf(5, () => Exchange(1000)));

        void Exchange(int count)
        {
            for (int i = 0; i < count; i++)
            {
                a.Send(packet, b.Local);
                b.TryReceive(buffer, out _, out NetEndPoint from);
                b.Send(packet, from, from.Address);
                a.TryReceive(buffer, out _, out _, out _);
            }
        }
    }
}
