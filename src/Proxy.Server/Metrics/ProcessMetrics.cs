using System;
using System.IO;
using System.Threading;
using Proxy.Server.Linux;

namespace Proxy.Server.Metrics;

/// <summary>Async world. Figures of the process as a whole: memory, CPU, descriptors, the collector.</summary>
public sealed class ProcessMetrics : IMetricsSource
{
    private static long s_longestPauseMicros;
    private readonly long _startedAt = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
    private readonly string _version;
    private long _lastAllocated;
    private long _lastAllocatedAt;

    public ProcessMetrics(string version)
    {
        _version = version;
        _lastAllocated = GC.GetTotalAllocatedBytes();
        _lastAllocatedAt = Clock.Now().Micros;
        _ = new PauseProbe();
    }

    /// <summary>Longest pause of the collector so far, microseconds.</summary>
    public static long LongestPauseMicros => Volatile.Read(ref s_longestPauseMicros);

    /// <summary>Open descriptors, or -1 where /proc is absent.</summary>
    public static int CountDescriptors()
    {
        try
        {
            return Directory.GetFileSystemEntries("/proc/self/fd").Length - 1;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return -1;
        }
    }

    public void Write(MetricsWriter writer)
    {
        long allocated = GC.GetTotalAllocatedBytes();
        long now = Clock.Now().Micros;
        double rate = (allocated - _lastAllocated) * 1e6 / Math.Max(now - _lastAllocatedAt, 1);
        _lastAllocated = allocated;
        _lastAllocatedAt = now;
        writer.Gauge("siproom_build_info", "Version of the binary.", MetricsWriter.Label("version", _version), 1);
        writer.Gauge("siproom_start_time_seconds", "Unix time of the start.", _startedAt);
        writer.Counter("siproom_process_cpu_seconds_total", "CPU time of the process.", Clock.ProcessCpuMicros() / 1e6);
        writer.Gauge("siproom_process_resident_bytes", "Resident memory.", Environment.WorkingSet);
        writer.Gauge("siproom_process_fds", "Open file descriptors.", CountDescriptors());
        writer.Gauge("siproom_process_threads_pool", "Threads of the pool.", ThreadPool.ThreadCount);
        writer.Gauge("siproom_gc_heap_bytes", "Managed heap after the last collection.", GC.GetTotalMemory(false));
        writer.Counter("siproom_gc_allocated_bytes_total", "Managed bytes allocated by all threads.", allocated);
        writer.Gauge("siproom_gc_allocated_bytes_per_second", "Managed bytes allocated a second since the last scrape.", rate);
        for (int generation = 0; generation <= 2; generation++)
        {
            string label = MetricsWriter.Label("generation", generation.ToString(System.Globalization.CultureInfo.InvariantCulture));
            writer.Counter("siproom_gc_collections_total", "Collections, older generations include the younger.", label, GC.CollectionCount(generation));
        }
        writer.Counter("siproom_gc_pause_seconds_total", "Time that all managed threads stood still for the collector.", GC.GetTotalPauseDuration().TotalSeconds);
        writer.Gauge("siproom_gc_longest_pause_seconds", "Longest such pause.", LongestPauseMicros / 1e6);
    }

    /// <summary>Dies in every collection, notes how long it took, and leaves a successor.</summary>
    private sealed class PauseProbe
    {
        ~PauseProbe()
        {
            foreach (TimeSpan pause in GC.GetGCMemoryInfo(GCKind.Any).PauseDurations)
            {
                long micros = pause.Ticks / 10;
                if (micros > Volatile.Read(ref s_longestPauseMicros))
                {
                    Volatile.Write(ref s_longestPauseMicros, micros);
                }
            }
            _ = new PauseProbe();
        }
    }
}
