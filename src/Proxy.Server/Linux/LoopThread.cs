using System;
using System.Threading;

namespace Proxy.Server.Linux;

/// <summary>Any thread. Starts the threads that are loops: named, wanting a core and the scheduler's favour, working without either.</summary>
public static unsafe class LoopThread
{
    private const int PriorityOfThread = 0;
    private const int Nice = -10;
    private const int NiceOfOthers = -5;
    private const int RoundRobin = 2;
    private const int SetName = 15;
    private const int SetTimerSlack = 29;

    /// <param name="name">Up to 15 characters are seen in top and gdb.</param>
    /// <param name="core">0-based core to stay on, or -1.</param>
    /// <param name="body">Runs until it returns; it has the loop's one catch itself.</param>
    /// <param name="realTime">0, or the priority among real-time threads (sched(7), SCHED_RR), for loops that sleep most of the time.</param>
    public static Thread Start(string name, int core, Action body, int realTime = 0)
    {
        Thread thread = new(() =>
        {
            // All may be refused (container, no CAP_SYS_NICE): then the thread runs as any other.
            Pin(core);
            LibC.setpriority(PriorityOfThread, (uint)LibC.gettid(), Nice);
            if (realTime > 0)
            {
                BeRealTime(realTime);
            }
            Describe(name);
            body();
        })
        {
            Name = name,
            IsBackground = true,
        };
        thread.Start();
        return thread;
    }

    /// <summary>The calling thread, and those that it starts from now on, before other programs: the pool, too, can be the one that
    /// collects garbage while the loops wait for it.</summary>
    public static void FavourThisProcess() => LibC.setpriority(PriorityOfThread, (uint)LibC.gettid(), NiceOfOthers);

    /// <summary>Whether the calling thread comes before all ordinary ones.</summary>
    public static bool IsRealTime => LibC.sched_getscheduler(0) == RoundRobin;

    /// <summary>The runtime's own name does not reach the kernel in the native binary; and a sleep may end 1 µs late, not 50.</summary>
    private static void Describe(string name)
    {
        byte* text = stackalloc byte[16];
        Span<byte> bytes = new(text, 16);
        bytes.Clear();
        for (int i = 0; i < name.Length && i < 15; i++)
        {
            bytes[i] = (byte)name[i];
        }
        LibC.prctl(SetName, (nint)text, 0, 0, 0);
        LibC.prctl(SetTimerSlack, 1_000, 0, 0, 0);
    }

    private static void BeRealTime(int priority) => LibC.sched_setscheduler(0, RoundRobin, &priority);

    private static void Pin(int core)
    {
        if (core is < 0 or >= 1024)
        {
            return;
        }
        byte* mask = stackalloc byte[128];
        new Span<byte>(mask, 128).Clear();
        mask[core / 8] = (byte)(1 << (core % 8));
        LibC.sched_setaffinity(0, 128, mask);
    }
}
