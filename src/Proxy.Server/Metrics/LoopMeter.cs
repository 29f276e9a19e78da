using System;
using System.Threading;
using Proxy.Core.Diagnostics;
using Proxy.Core.Time;
using Proxy.Server.Linux;

namespace Proxy.Server.Metrics;

/// <summary>One loop writes, a scrape reads. What a loop's thread costs and how late it was.</summary>
/// <param name="world"><c>signal</c>, <c>shard</c>, <c>rooms</c>.</param>
/// <param name="index">0-based among the loops of that world.</param>
public sealed class LoopMeter(string world, int index) : IMetricsSource
{
    /// <summary>A stall that is counted by its cause and told: a quarter of a packet's 20 ms, what a jitter buffer hides without growing.</summary>
    public const long NotableMicros = 5_000;

    private const long PublishMicros = 250_000;
    private static readonly string[] s_causes = ["work", "collection", "scheduler"];
    private static readonly double[] s_bounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];
    private readonly string _labels = $"{MetricsWriter.Label("world", world)},{MetricsWriter.Label("loop", index.ToString(System.Globalization.CultureInfo.InvariantCulture))}";
    private readonly long[] _stalls = new long[9];
    private long _stallMicros;
    private long _longestStallMicros;
    private long _turns;
    private long _allocatedBytes;
    private long _cpuMicros;
    private readonly long[] _notable = new long[s_causes.Length];
    private long _worst;
    private int _collections;
    private long _busyMicros;
    private MonoTime _published;
    private MonoTime _turnStarted;
    private MonoTime _turnEnded;

    /// <summary>How often garbage was collected so far.</summary>
    public Func<int> Collections { get; init; } = static () => GC.CollectionCount(0);

    /// <summary>The loop's name in the log.</summary>
    public string Name { get; } = $"{world}-{index}";

    /// <summary>The cause's name in metrics and log.</summary>
    public static string NameOf(StallCause cause) => s_causes[(int)cause];

    /// <summary>Longest time that the loop was kept from its work since <see cref="ResetPeak"/>, microseconds.</summary>
    public long LongestStallMicros => _longestStallMicros;

    /// <summary>Managed bytes that the loop's thread has allocated, as of some 250 ms ago.</summary>
    public long AllocatedBytes => _allocatedBytes;

    public long Turns => _turns;

    /// <summary>CPU time of the loop's thread, microseconds, as of some 250 ms ago.</summary>
    public long CpuMicros => _cpuMicros;

    /// <summary>A turn begins: the loop has just read the clock after its sleep.</summary>
    /// <param name="deadline">What the loop wanted to be woken at.</param>
    /// <param name="now">What the clock says.</param>
    [NoAlloc]
    public void TurnStarted(MonoTime deadline, MonoTime now)
    {
        // What was already due when the last turn ended is late by that turn, which was counted.
        MonoTime from = deadline < _turnEnded ? _turnEnded : deadline;
        if (from < now && _turns > 0)
        {
            Note(now.Micros - from.Micros, StallCause.Scheduler, now);
        }
        _turns++;
        _turnStarted = now;
    }

    /// <summary>A turn ends. Its length counts as a stall: nothing else was served meanwhile.</summary>
    [NoAlloc]
    public void TurnEnded(MonoTime now)
    {
        _turnEnded = now;
        long length = now.Micros - _turnStarted.Micros;
        _busyMicros += length;
        Note(length, length > NotableMicros && WasTaken(length) ? StallCause.Scheduler : StallCause.Work, now);
        if (now.Micros - _published.Micros >= PublishMicros)
        {
            _published = now;
            _allocatedBytes = GC.GetAllocatedBytesForCurrentThread();
            _cpuMicros = Clock.ThreadCpuMicros();
            _busyMicros = 0;
        }
    }

    /// <summary>Any thread. Forgets the longest stall, for example before a measurement.</summary>
    public void ResetPeak() => _longestStallMicros = 0;

    /// <summary>Any thread, one at a time. The longest notable stall since the last call.</summary>
    /// <returns>False when there was none over <see cref="NotableMicros"/>.</returns>
    public bool TryTakeWorst(out Stall worst)
    {
        long packed = Interlocked.Exchange(ref _worst, 0);
        worst = Stall.Unpack(packed);
        return packed != 0;
    }

    public void Write(MetricsWriter writer)
    {
        writer.Counter("siproom_loop_turns_total", "Turns of a loop.", _labels, _turns);
        writer.Counter("siproom_loop_allocated_bytes_total", "Managed bytes that a loop's thread has allocated.", _labels, _allocatedBytes);
        writer.Counter("siproom_loop_cpu_seconds_total", "CPU time of a loop's thread.", _labels, _cpuMicros / 1e6);
        writer.Gauge("siproom_loop_longest_stall_seconds", "Longest time a loop was late or busy in one turn.", _labels, _longestStallMicros / 1e6);
        for (int cause = 0; cause < s_causes.Length; cause++)
        {
            writer.Counter("siproom_loop_stalls_total", "Stalls of over 5 ms, by what kept the loop from its work.",
                $"{_labels},{MetricsWriter.Label("cause", s_causes[cause])}", _notable[cause]);
        }
        writer.Histogram("siproom_loop_stall_seconds", "How late a loop woke, and how long its turns took.", _labels, s_bounds, _stalls, _stallMicros / 1e6);
    }

    /// <summary>Whether half of a long turn went by without the processor: the turns since the last publishing took so much longer than the
    /// CPU that was used in them. A turn reads no CPU clock, which is a system call, unless it was long.</summary>
    private bool WasTaken(long length) => _busyMicros - (Clock.ThreadCpuMicros() - _cpuMicros) > length / 2;

    private void Note(long micros, StallCause cause, MonoTime now)
    {
        int collections = Collections();
        bool hasCollected = collections != _collections;
        _collections = collections;
        if (micros > NotableMicros)
        {
            Stall stall = new(micros, hasCollected ? StallCause.Collection : cause, now);
            _notable[(int)stall.Cause]++;
            if (stall.Packed > Volatile.Read(ref _worst))
            {
                Volatile.Write(ref _worst, stall.Packed);
            }
        }
        int bucket = micros switch
        {
            <= 500 => 0,
            <= 1_000 => 1,
            <= 2_000 => 2,
            <= 5_000 => 3,
            <= 10_000 => 4,
            <= 20_000 => 5,
            <= 50_000 => 6,
            <= 100_000 => 7,
            _ => 8,
        };
        _stalls[bucket]++;
        _stallMicros += micros;
        if (micros > _longestStallMicros)
        {
            _longestStallMicros = micros;
        }
    }
}
