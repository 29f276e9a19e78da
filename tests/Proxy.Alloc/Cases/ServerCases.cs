using System;
using Proxy.Core.Collections;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Rigs;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

/// <summary>The runtime's loop and sockets, over loopback.</summary>
internal static class ServerCases
{
    public static void Add(CaseList list)
    {
        AddLoop(list);
        AddSocket(list);
        AddBatch(list);
    }

    private static void AddLoop(CaseList list)
    {
        list.Add(nameof(Clock), nameof(Clock.Now), () => Must(Clock.Now().Micros > 0 && Clock.ProcessCpuMicros() > 0 && Clock.ThreadCpuMicros() > 0)).Also(nameof(Clock), nameof(Clock.ThreadCpuMicros));
        Reactor reactor = new();
        Mailbox<object> mailbox = new(8, RingFull.DropNewest, reactor.Waker);
        object item = new();
        list.Add(nameof(Mailbox<object>), nameof(Mailbox<object>.TryPost), () =>
        {
            Must(mailbox.TryPost(item));
            reactor.Waker.Wake();
            MonoTime now = Clock.Now();
            reactor.Wait(now.AddMillis(1), now);
            Must(mailbox.TryRead(out _));
        }).Also(nameof(Mailbox<object>), nameof(Mailbox<object>.TryRead)).Also(nameof(Waker), nameof(Waker.Wake)).Also("Waker", "Acknowledge")
            .Also(nameof(Reactor), nameof(Reactor.Wait));
        UdpSocket socket = Bind();
        reactor.Watch(socket.Fd, 42);
        byte[] datagram = new byte[172];
        list.Add(nameof(Reactor), nameof(Reactor.Ready), () =>
        {
            Must(socket.Send(datagram, socket.Local) == SendResult.Sent);
            MonoTime now = Clock.Now();
            Must(reactor.Wait(now.AddMillis(100), now) > 0 && reactor.Ready(0) == 42);
            Must(socket.TryReceive(datagram, out _, out _));
        });
        list.Add(nameof(Reactor), nameof(Reactor.Nap), () =>
        {
            Must(socket.Send(datagram, socket.Local) == SendResult.Sent);
            Must(reactor.Nap(Clock.Now().AddMicros(20)) > 0 && reactor.Ready(0) == 42);
            Must(socket.TryReceive(datagram, out _, out _));
        }).Also(nameof(Clock), nameof(Clock.SleepUntil));
        PortRange ports = new(10_000, 10_100, 2, TimeSpan.FromMilliseconds(1), new SeededRandom(1));
        long at = 0;
        list.Add(nameof(PortRange), nameof(PortRange.TryTake), () =>
        {
            at += 5;
            Must(ports.TryTake(MonoTime.FromMillis(at), out ushort port));
            ports.Return(port, MonoTime.FromMillis(at));
        }).Also(nameof(PortRange), nameof(PortRange.Return));
        LoopMeter meter = new("shard", 0);
        list.Add(nameof(LoopMeter), nameof(LoopMeter.TurnStarted), () =>
        {
            at += 300;
            meter.TurnStarted(MonoTime.FromMillis(at), MonoTime.FromMillis(at + 1));
            meter.TurnEnded(MonoTime.FromMillis(at + 2));
        }).Also(nameof(LoopMeter), nameof(LoopMeter.TurnEnded));
    }

    private static void AddSocket(CaseList list)
    {
        UdpSocket socket = Bind();
        byte[] datagram = new byte[172];
        NetAddress here = socket.Local.Address;
        list.Add(nameof(UdpSocket), nameof(UdpSocket.Send), () =>
        {
            Must(socket.Send(datagram, socket.Local) == SendResult.Sent);
            Must(socket.TryReceive(datagram, out int length, out NetEndPoint from) && length == 172 && from == socket.Local);
            Must(socket.Send(datagram, socket.Local, here) == SendResult.Sent);
            Must(socket.TryReceive(datagram, out length, out from, out NetAddress to) && to == here);
            Must(!socket.TryReceive(datagram, out _, out _));
        }).Also(nameof(UdpSocket), nameof(UdpSocket.TryReceive));
    }

    private static void AddBatch(CaseList list)
    {
        UdpSocket socket = Bind();
        PacketSlab slab = new(64, 1_500);
        DatagramBatch sends = new(8);
        DatagramBatch receives = new(8);
        int slot = slab.TryRent();
        list.Add(nameof(DatagramBatch), nameof(DatagramBatch.Receive), () =>
        {
            Must(sends.TryAdd(socket, slab.Address(slot), 172, socket.Local) && sends.TryAdd(socket, slab.Address(slot), 20, socket.Local));
            sends.Flush(socket);
            int count = receives.Receive(socket, slab);
            Must(count == 2 && receives.Length(0) == 172 && receives.From(1) == socket.Local);
            for (int i = 0; i < count; i++)
            {
                slab.Return(receives.Slot(i));
            }
            receives.Clear();
        }).Also(nameof(DatagramBatch), nameof(DatagramBatch.TryAdd)).Also(nameof(DatagramBatch), nameof(DatagramBatch.Flush)).Also(nameof(DatagramBatch), nameof(DatagramBatch.Length))
            .Also(nameof(DatagramBatch), nameof(DatagramBatch.From)).Also(nameof(DatagramBatch), nameof(DatagramBatch.Slot));
    }

    private static UdpSocket Bind()
    {
        Must(UdpSocket.TryBind(CallRig.EndPoint("127.0.0.1:0"), new UdpOptions { WantsLocalAddress = true }, out UdpSocket? socket, out _));
        return socket!;
    }
}
