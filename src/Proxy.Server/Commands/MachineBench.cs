using System;
using System.CommandLine;
using System.Globalization;
using System.Threading;
using Proxy.Core.Time;
using Proxy.Server.Linux;

namespace Proxy.Server.Commands;

/// <summary>
/// Main thread. <c>siproom bench machine</c>: whether this machine can be punctual at all. A thread on each core, before
/// all others, asks to be woken each millisecond; what it misses was taken by interrupts, the kernel or the hypervisor, and
/// no program on this machine could have kept it.
/// </summary>
internal sealed class MachineBench
{
    private const int Priority = 50;
    private const int MostGaps = 100_000;
    private const long GapMicros = 1_000;
    private static readonly long[] s_bounds = [100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, long.MaxValue];
    private readonly long[] _counts = new long[s_bounds.Length];
    private readonly (long EndMillis, long Micros)[] _gaps = new (long, long)[MostGaps];
    private readonly MonoTime _until;
    private int _gapCount;
    private long _longest;
    private bool _isFirst;

    private MachineBench(MonoTime until) => _until = until;

    public static Command Build()
    {
        Command command = new("machine", "How late the machine wakes a thread that comes before all others, on each core");
        Option<int> seconds = new("--seconds") { DefaultValueFactory = _ => 10 };
        Option<bool> each = new("--each") { Description = "Also each gap of over 1 ms: core, monotonic millisecond of its end, length in ms" };
        command.Options.Add(seconds);
        command.Options.Add(each);
        command.SetAction(result => Run(result.GetValue(seconds), result.GetValue(each)));
        return command;
    }

    private static int Run(int seconds, bool each)
    {
        MonoTime until = Clock.Now().AddMillis(seconds * 1000L);
        MachineBench[] cores = new MachineBench[Environment.ProcessorCount];
        Thread[] threads = new Thread[cores.Length];
        for (int core = 0; core < cores.Length; core++)
        {
            cores[core] = new MachineBench(until);
            threads[core] = LoopThread.Start($"core-{core}", core, cores[core].Watch, Priority);
        }
        Array.ForEach(threads, t => t.Join());
        if (each)
        {
            long from = (until.Micros / 1000) - (seconds * 1000L);
            System.Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"watched from={from} to={until.Micros / 1000}"));
        }
        if (!Array.TrueForAll(cores, c => c._isFirst))
        {
            System.Console.Out.WriteLine("no right to real-time threads: what follows holds the ordinary scheduler's share too");
        }
        for (int core = 0; core < cores.Length; core++)
        {
            MachineBench b = cores[core];
            for (int i = 0; each && i < b._gapCount; i++)
            {
                System.Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"gap core={core} end={b._gaps[i].EndMillis} ms={b._gaps[i].Micros / 1000.0:0.0}"));
            }
        }
        for (int core = 0; core < cores.Length; core++)
        {
            long[] n = cores[core]._counts;
            System.Console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"core {core}: longest {cores[core]._longest / 1000.0:0.0} ms; up to 0.1 ms {n[0]}, 0.5 {n[1]}, 1 {n[2]}, 2 {n[3]}, 5 {n[4]}, 10 {n[5]}, 20 {n[6]}, more {n[7]}"));
        }
        return ExitCode.Done;
    }

    private void Watch()
    {
        _isFirst = LoopThread.IsRealTime;
        MonoTime now = Clock.Now();
        while (now < _until)
        {
            MonoTime moment = new(((now.Micros / 1000) + 1) * 1000);
            Clock.SleepUntil(moment);
            now = Clock.Now();
            long late = now.Micros - moment.Micros;
            int bucket = 0;
            while (late > s_bounds[bucket])
            {
                bucket++;
            }
            _counts[bucket]++;
            _longest = Math.Max(_longest, late);
            if (late > GapMicros && _gapCount < MostGaps)
            {
                _gaps[_gapCount++] = (now.Micros / 1000, late);
            }
        }
    }
}
