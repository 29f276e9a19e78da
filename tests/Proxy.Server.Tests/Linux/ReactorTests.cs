using System;
using System.Threading;
using Proxy.Core.Collections;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Server.Linux;
using Xunit;

namespace Proxy.Server.Tests.Linux;

public sealed class ReactorTests
{
    private static readonly NetEndPoint s_loopback = new(NetAddress.FromV4(0x7F000001), 0);

    [Fact]
    public void Deadline_ends_the_sleep_and_not_before()
    {
        using Reactor reactor = new();
        MonoTime start = Clock.Now();
        MonoTime deadline = start.AddMicros(3500);
        int ready = 0;
        // A signal may interrupt a sleep: the loop comes round.
        for (int turns = 0; turns < 100 && Clock.Now() < deadline; turns++)
        {
            ready += reactor.Wait(deadline, Clock.Now());
        }
        Assert.Equal(0, ready);
        Assert.True(Clock.Now() >= deadline);
    }

    [Fact]
    public void Past_deadline_does_not_sleep_and_a_later_one_is_armed_again()
    {
        using Reactor reactor = new();
        MonoTime now = Clock.Now();
        Assert.Equal(0, reactor.Wait(now, now));
        for (int i = 0; i < 5; i++)
        {
            MonoTime deadline = Clock.Now().AddMicros(500);
            while (Clock.Now() < deadline)
            {
                reactor.Wait(deadline, Clock.Now());
            }
        }
    }

    [Fact]
    public void Nap_is_not_ended_by_a_packet_and_takes_it_afterwards()
    {
        using Reactor reactor = new();
        Assert.True(UdpSocket.TryBind(s_loopback, default, out UdpSocket? a, out _));
        using (a)
        {
            reactor.Watch(a.Fd, 7);
            Assert.Equal(SendResult.Sent, a.Send("x"u8, a.Local));
            MonoTime moment = Clock.Now().AddMicros(3500);
            Assert.Equal(1, reactor.Nap(moment));
            Assert.True(Clock.Now() >= moment);
            Assert.Equal(7ul, reactor.Ready(0));
        }
    }

    [Fact]
    public void Deadline_that_came_is_reported_once_and_without_another_one_not_again()
    {
        using Reactor reactor = new();
        MonoTime deadline = Clock.Now().AddMicros(500);
        while (Clock.Now() < deadline)
        {
            reactor.Wait(deadline, Clock.Now());
        }
        Assert.True(UdpSocket.TryBind(s_loopback, default, out UdpSocket? a, out _));
        using (a)
        {
            reactor.Watch(a.Fd, 7);
            Thread sender = new(() => a.Send("x"u8, a.Local));
            sender.Start();
            // An expiry that nobody cleared would end this sleep before the packet does.
            int ready = reactor.Wait(MonoTime.Never, Clock.Now());
            sender.Join();
            Assert.Equal(1, ready);
        }
    }

    [Fact]
    public void Mailbox_of_another_thread_ends_the_sleep_and_keeps_order()
    {
        using Reactor reactor = new();
        Mailbox<int> mailbox = new(1024, RingFull.Fail, reactor.Waker);
        Thread writer = new(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                Assert.True(mailbox.TryPost(i));
            }
        });
        writer.Start();
        int next = 0;
        while (next < 1000)
        {
            reactor.Wait(MonoTime.Never, Clock.Now());
            while (mailbox.TryRead(out int value))
            {
                Assert.Equal(next++, value);
            }
        }
        writer.Join();
    }

    [Fact]
    public void Ready_socket_is_reported_by_its_token_until_it_is_drained()
    {
        using Reactor reactor = new();
        Assert.True(UdpSocket.TryBind(s_loopback, default, out UdpSocket? a, out _));
        Assert.True(UdpSocket.TryBind(s_loopback, default, out UdpSocket? b, out _));
        using (a)
        using (b)
        {
            reactor.Watch(a.Fd, 7);
            Assert.Equal(SendResult.Sent, b.Send("x"u8, a.Local));
            Assert.Equal(1, reactor.Wait(Clock.Now().AddMillis(2000), Clock.Now()));
            Assert.Equal(7ul, reactor.Ready(0));
            Assert.Equal(1, reactor.Wait(Clock.Now().AddMillis(2000), Clock.Now()));
            Span<byte> buffer = stackalloc byte[16];
            Assert.True(a.TryReceive(buffer, out int length, out NetEndPoint from));
            Assert.Equal(1, length);
            Assert.Equal(b.Local, from);
            Assert.Equal(0, reactor.Wait(Clock.Now(), Clock.Now()));
            reactor.Forget(a.Fd);
            Assert.Equal(0, reactor.Watched);
        }
    }
}
