using System;
using System.Threading;
using Proxy.Core.Time;

namespace Proxy.Server.Shards;

/// <summary>The shard's thread writes, any thread reads. Plain numbers, summed when somebody asks for metrics.</summary>
public sealed class ShardCounters
{
    private long _longestTurnMicros;
    private long _lateMicros;

    public long DatagramsIn { get; set; }

    public long DatagramsOut { get; set; }

    public long SendFailures { get; set; }

    public int Calls { get; set; }

    /// <summary>Calls ended by a fault of ours.</summary>
    public long Broken { get; set; }

    /// <summary>Ticks of 1 ms that a stall of over 100 ms swallowed.</summary>
    public long SkippedTicks { get; set; }

    /// <summary>Managed bytes allocated by this thread since it started.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Loop turns.</summary>
    public long Turns { get; private set; }

    /// <summary>Longest turn since the last <see cref="TakeLongestStall"/>, microseconds.</summary>
    public long LongestTurnMicros => Volatile.Read(ref _longestTurnMicros);

    /// <summary>Called by the loop at the end of each turn.</summary>
    public void NoteTurn(MonoTime woken, MonoTime end)
    {
        Turns++;
        AllocatedBytes = GC.GetAllocatedBytesForCurrentThread();
        long length = end.Micros - woken.Micros;
        if (length > _longestTurnMicros)
        {
            Volatile.Write(ref _longestTurnMicros, length);
        }
    }

    /// <summary>How late the grid ran at worst, noted by the loop.</summary>
    public void NoteLate(long micros)
    {
        if (micros > _lateMicros)
        {
            Volatile.Write(ref _lateMicros, micros);
        }
    }

    /// <summary>The worst stall since the last look: a long turn, or a tick that came late; microseconds.</summary>
    public long TakeLongestStall()
    {
        long worst = Math.Max(Interlocked.Exchange(ref _longestTurnMicros, 0), Interlocked.Exchange(ref _lateMicros, 0));
        return worst;
    }
}
