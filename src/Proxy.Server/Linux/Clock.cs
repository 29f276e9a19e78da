using Proxy.Core.Diagnostics;
using Proxy.Core.Time;

namespace Proxy.Server.Linux;

/// <summary>Any thread. Reads the machine's monotonic clock; a loop does so once a turn.</summary>
public static unsafe class Clock
{
    internal const int Monotonic = 1;
    internal const int ProcessCpu = 2;
    internal const int ThreadCpu = 3;

    /// <summary>Microseconds of CLOCK_MONOTONIC, the clock that <see cref="Reactor"/> waits on.</summary>
    [NoAlloc]
    public static MonoTime Now() => new(Read(Monotonic));

    /// <summary>CPU time that this process has used, microseconds.</summary>
    public static long ProcessCpuMicros() => Read(ProcessCpu);

    /// <summary>CPU time that the calling thread has used, microseconds.</summary>
    public static long ThreadCpuMicros() => Read(ThreadCpu);

    private static long Read(int clock)
    {
        TimeSpec time;
        LibC.clock_gettime(clock, &time);
        return (time.Seconds * 1_000_000) + (time.Nanos / 1000);
    }
}
