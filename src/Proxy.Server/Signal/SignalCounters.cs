using System;
using System.Threading;
using Proxy.Core.Time;

namespace Proxy.Server.Signal;

/// <summary>The signal thread writes, any thread reads.</summary>
public sealed class SignalCounters
{
    private long _longestTurnMicros;

    public long SendFailures { get; set; }

    /// <summary>Faults of ours that the loop's catch took.</summary>
    public long Broken { get; set; }

    public long Turns { get; private set; }

    /// <summary>Managed bytes allocated by this thread since it started.</summary>
    public long AllocatedBytes { get; private set; }

    public void NoteTurn(MonoTime woken, MonoTime end)
    {
        Turns++;
        AllocatedBytes = GC.GetAllocatedBytesForCurrentThread();
        if (end.Micros - woken.Micros > _longestTurnMicros)
        {
            Volatile.Write(ref _longestTurnMicros, end.Micros - woken.Micros);
        }
    }

    /// <summary>The longest turn since the last look, microseconds.</summary>
    public long TakeLongestTurn() => Interlocked.Exchange(ref _longestTurnMicros, 0);
}
