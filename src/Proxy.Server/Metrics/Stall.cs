using System;
using Proxy.Core.Time;

namespace Proxy.Server.Metrics;

/// <summary>What kept a loop from its work.</summary>
public enum StallCause : byte
{
    /// <summary>The loop had its processor and did something long.</summary>
    Work,

    /// <summary>The garbage collector stopped all managed threads.</summary>
    Collection,

    /// <summary>Others had the processor: the kernel's scheduler, or the hypervisor beneath it.</summary>
    Scheduler,
}

/// <summary>Any thread. One stretch of time in which a loop served nothing.</summary>
/// <param name="Micros">Its length, at most 35 minutes.</param>
/// <param name="Cause">Why.</param>
/// <param name="End">When it ended, in whole milliseconds of the monotonic clock.</param>
public readonly record struct Stall(long Micros, StallCause Cause, MonoTime End)
{
    // From the top: the sign, 31 bits of microseconds, 2 of cause, 30 of milliseconds (they wrap after twelve days).
    private const int MicrosShift = 32;
    private const int CauseShift = 30;
    private const long MicrosMask = (1L << 31) - 1;
    private const long CauseMask = 3;
    private const long EndMask = (1L << 30) - 1;

    /// <summary>In one word, so that a loop can leave it and another thread take it; longer stalls are greater. 0 is none.</summary>
    public long Packed => (Math.Min(Micros, MicrosMask) << MicrosShift) | ((long)Cause << CauseShift) | (End.Micros / 1000 & EndMask);

    public static Stall Unpack(long packed) => new(packed >> MicrosShift, (StallCause)(packed >> CauseShift & CauseMask), MonoTime.FromMillis(packed & EndMask));
}
