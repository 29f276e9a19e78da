using Proxy.Core.Diagnostics;
using Proxy.Core.Time;

namespace Proxy.Server.Linux;

/// <summary>Any thread. Reads the machine's monotonic clock; a loop does so once a turn.</summary>
public static unsafe class Clock
{
    internal const int Monotonic = 1;
    internal const int ProcessCpu = 2;
    internal const int ThreadCpu = 3;
    private const int Absolute = 1;

    /// <summary>Microseconds of CLOCK_MONOTONIC, the clock that <see cref="Reactor"/> waits on.</summary>
    [NoAlloc]
    public static MonoTime Now() => new(Read(Monotonic));

    /// <summary>Sleeps until a moment of the same clock, or until a signal comes.</summary>
    [NoAlloc]
    internal static void SleepUntil(MonoTime moment)
    {
        TimeSpec until = new() { Seconds = moment.Micros / 1_000_000, Nanos = moment.Micros % 1_000_000 * 1000 };
        LibC.clock_nanosleep(Monotonic, Absolute, &until, null);
    }

    /// <summary>CPU time that this process has used, microseconds.</summary>
    public static long ProcessCpuMicros() => Read(ProcessCpu);

    /// <summary>CPU time that the calling thread has used, microseconds.</summary>
    [NoAlloc]
    public static long ThreadCpuMicros() => Read(ThreadCpu);

    private static long Read(int clock)
    {
        TimeSpec time;
        LibC.clock_gettime(clock, &time);
        return (time.Seconds * 1_000_000) + (time.Nanos / 1000);
    }
}
