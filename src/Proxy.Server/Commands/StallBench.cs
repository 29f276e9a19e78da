using System;
using System.CommandLine;
using System.Globalization;
using System.Threading;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;

namespace Proxy.Server.Commands;

/// <summary>
/// Main thread. <c>siproom bench stall</c>: a loop echoes UDP on the loopback while another thread allocates; prints how long
/// the loop was kept from its work. The figures of ADR 0010.
/// </summary>
internal sealed class StallBench
{
    private const int PacketBytes = 172;
    private readonly LoopMeter _meter = new("shard", 0);
    private readonly UdpSocket _echo;
    private readonly UdpSocket _sender;
    private volatile bool _isStopping;
    private long _echoed;
    private long _sent;
    private long _returned;
    private long _allocated;

    private StallBench(UdpSocket echo, UdpSocket sender)
    {
        _echo = echo;
        _sender = sender;
    }

    public static Command Build()
    {
        Command command = new("stall", "A UDP echo loop beside a thread that allocates");
        Option<int> seconds = new("--seconds") { DefaultValueFactory = _ => 6 };
        Option<int> rate = new("--rate") { Description = "Packets a second", DefaultValueFactory = _ => 5000 };
        Option<int> megabytes = new("--allocate") { Description = "MB a second that another thread allocates", DefaultValueFactory = _ => 10 };
        Option<int> swap = new("--swap") { Description = "Instead, swaps policies of so many numbers, 100 a trunk, as they come from Redis" };
        Option<int> keep = new("--keep") { Description = "Every N-th object lives on, in a heap of some 60 MB; 0: none", DefaultValueFactory = _ => 64 };
        command.Options.Add(seconds);
        command.Options.Add(rate);
        command.Options.Add(megabytes);
        command.Options.Add(keep);
        command.Options.Add(swap);
        command.SetAction(result => Run(result.GetValue(rate), bench => result.GetValue(swap) is > 0 and int numbers
            ? bench.Swap(numbers)
            : bench.Collect(result.GetValue(seconds), result.GetValue(megabytes), result.GetValue(keep))));
        return command;
    }

    private static int Run(int rate, Func<StallBench, string> measure)
    {
        NetEndPoint loopback = new(NetAddress.FromV4(0x7F000001), 0);
        UdpOptions options = new() { ReceiveBytes = 1 << 20, SendBytes = 1 << 20 };
        if (!UdpSocket.TryBind(loopback, options, out UdpSocket? echo, out string error) || !UdpSocket.TryBind(loopback, options, out UdpSocket? sender, out error))
        {
            return Terminal.Fail(ExitCode.Failed, error);
        }
        StallBench bench = new(echo, sender);
        Thread[] threads = [LoopThread.Start("echo", -1, bench.Echo), LoopThread.Start("sender", -1, () => bench.SendPaced(rate))];
        string result = measure(bench);
        bench._isStopping = true;
        System.Console.Out.WriteLine(result);
        foreach (Thread thread in threads)
        {
            thread.Join(2000);
        }
        return ExitCode.Done;
    }

    private string Swap(int numbers)
    {
        new SwapLoad(numbers).Run(_meter);
        return $"echoed {_echoed}, lost {_sent - _returned}";
    }

    private string Collect(int seconds, int megabytes, int keep)
    {
        var allocating = new Thread(() => Allocate(megabytes, keep)) { IsBackground = true };
        allocating.Start();
        Thread.Sleep(1000);
        _meter.ResetPeak();
        (int collections, TimeSpan paused, long allocated, long packets) = (GC.CollectionCount(0), GC.GetTotalPauseDuration(), _meter.AllocatedBytes, _echoed);
        Thread.Sleep(seconds * 1000);
        long stall = _meter.LongestStallMicros;
        collections = GC.CollectionCount(0) - collections;
        paused = GC.GetTotalPauseDuration() - paused;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"echoed {_echoed - packets} in {seconds} s, loop allocated {_meter.AllocatedBytes - allocated} B, others {_allocated / 1_000_000 / (seconds + 1)} MB/s, {collections} collections, mean pause {(collections == 0 ? 0 : paused.TotalMilliseconds / collections):0.00} ms, longest stall {stall / 1000.0:0.00} ms, lost {_sent - _returned}");
    }

    private void Echo()
    {
        using Reactor reactor = new();
        reactor.Watch(_echo.Fd, 0);
        Span<byte> buffer = stackalloc byte[1500];
        MonoTime now = Clock.Now();
        MonoTime deadline = now;
        while (!_isStopping)
        {
            // The 20 ms grid of a shard, in its 1 ms phases: the stall is measured against it.
            deadline = deadline <= now ? new MonoTime(((now.Micros / 1000) + 1) * 1000) : deadline;
            reactor.Wait(deadline, now);
            now = Clock.Now();
            _meter.TurnStarted(deadline, now);
            while (_echo.TryReceive(buffer, out int length, out NetEndPoint from))
            {
                _echo.Send(buffer[..length], from);
                _echoed++;
            }
            _meter.TurnEnded(Clock.Now());
        }
    }

    private void SendPaced(int rate)
    {
        using Reactor reactor = new();
        Span<byte> packet = stackalloc byte[PacketBytes];
        packet.Clear();
        MonoTime start = Clock.Now();
        while (!_isStopping)
        {
            MonoTime now = Clock.Now();
            long due = (now.Micros - start.Micros) * rate / 1_000_000;
            for (; _sent < due; _sent++)
            {
                _sender.Send(packet, _echo.Local);
            }
            while (_sender.TryReceive(packet, out _, out _))
            {
                _returned++;
            }
            reactor.Wait(now.AddMillis(1), now);
        }
    }

    private void Allocate(int megabytes, int keep)
    {
        object[] kept = new object[60_000];
        int at = 0;
        Random random = new(1);
        MonoTime start = Clock.Now();
        while (!_isStopping)
        {
            long due = (Clock.Now().Micros - start.Micros) * megabytes;
            for (int n = 0; _allocated < due && !_isStopping; n++)
            {
                byte[] item = new byte[random.Next(64, 2000)];
                _allocated += item.Length + 24;
                if (keep > 0 && n % keep == 0)
                {
                    kept[at++ % kept.Length] = item;
                }
            }
            Thread.Sleep(1);
        }
    }
}
