using System;
using System.Buffers.Text;
using System.IO;
using Microsoft.Win32.SafeHandles;
using Proxy.Core.Time;

namespace Proxy.Server.Linux;

/// <summary>One owner. How busy the machine and this process are, for admission and metrics. Sampled about once a second.</summary>
public sealed class CpuMeter : IDisposable
{
    private readonly SafeFileHandle? _stat;
    private readonly byte[] _buffer = new byte[512];
    private MonoTime _last;
    private long _lastProcess;
    private long _lastBusy;
    private long _lastTotal;

    public CpuMeter()
    {
        Cores = Environment.ProcessorCount;
        try
        {
            _stat = File.OpenHandle("/proc/stat");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A chroot without /proc: the process's own share is all there is.
            _stat = null;
        }
        _lastProcess = Clock.ProcessCpuMicros();
        _last = Clock.Now();
        ReadMachine(out _lastBusy, out _lastTotal);
    }

    public int Cores { get; }

    /// <summary>0–1 of all cores, by everything on the machine; the process's share where the machine's is not known.</summary>
    public double MachineShare { get; private set; }

    /// <summary>0–1 of all cores, by this process.</summary>
    public double ProcessShare { get; private set; }

    /// <summary>Looks again; nothing changes within 200 ms of the last look.</summary>
    public void Sample(MonoTime now)
    {
        long span = now.Micros - _last.Micros;
        if (span < 200_000)
        {
            return;
        }
        _last = now;
        long process = Clock.ProcessCpuMicros();
        ProcessShare = Math.Clamp((process - _lastProcess) / (double)(span * Cores), 0, 1);
        _lastProcess = process;
        if (!ReadMachine(out long busy, out long total))
        {
            MachineShare = ProcessShare;
            return;
        }
        if (total > _lastTotal)
        {
            MachineShare = Math.Clamp((busy - _lastBusy) / (double)(total - _lastTotal), 0, 1);
        }
        _lastBusy = busy;
        _lastTotal = total;
    }

    public void Dispose() => _stat?.Dispose();

    // The first line of /proc/stat: cpu user nice system idle iowait irq softirq steal …, in ticks since the start.
    private bool ReadMachine(out long busy, out long total)
    {
        busy = 0;
        total = 0;
        if (_stat is null)
        {
            return false;
        }
        ReadOnlySpan<byte> line = _buffer.AsSpan(0, RandomAccess.Read(_stat, _buffer, 0));
        int end = line.IndexOf((byte)'\n');
        if (end < 0 || !line.StartsWith("cpu "u8))
        {
            return false;
        }
        line = line[4..end];
        for (int field = 0; field < 8 && !line.IsEmpty; field++)
        {
            line = line.TrimStart((byte)' ');
            if (!Utf8Parser.TryParse(line, out long ticks, out int used))
            {
                break;
            }
            line = line[used..];
            total += ticks;
            busy += field is 3 or 4 ? 0 : ticks;
        }
        return total > 0;
    }
}
