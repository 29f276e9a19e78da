using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Proxy.Load;

/// <summary>What another process cost between two moments: CPU of the process and of each of its threads, memory, and how busy the cores were.</summary>
/// <remarks>CPU of the process is that of /proc/PID/stat (ticks of 10 ms); of the threads that of schedstat, which is finer.</remarks>
internal sealed class ProcessWatch(int pid)
{
    private const double MillisPerTick = 10;
    private Look _first;
    private Look _last;

    public void Start() => _first = Now();

    public void Stop() => _last = Now();

    /// <summary>A JSON object.</summary>
    public string Json()
    {
        double seconds = Stopwatch.GetElapsedTime(_first.At, _last.At).TotalSeconds;
        var threads = _last.Threads
            .Select(t => (t.Value.Name, Ms: (t.Value.Nanos - (_first.Threads.TryGetValue(t.Key, out (string Name, long Nanos) old) ? old.Nanos : 0)) / 1e6))
            .GroupBy(t => t.Name)
            .Select(g => (Name: g.Key, Ms: g.Sum(t => t.Ms)))
            .Where(t => t.Ms >= 0.5)
            .OrderByDescending(t => t.Ms);
        IEnumerable<double> busy = _last.Cores.Zip(_first.Cores, (b, a) => b.Total > a.Total ? (double)(b.Busy - a.Busy) / (b.Total - a.Total) : 0);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"seconds\":{seconds:0.###},\"userMs\":{(_last.User - _first.User) * MillisPerTick:0},\"systemMs\":{(_last.System - _first.System) * MillisPerTick:0},")
            + string.Create(CultureInfo.InvariantCulture, $"\"rssKb\":{_last.RssKb},")
            + "\"coresBusy\":[" + string.Join(",", busy.Select(b => b.ToString("0.###", CultureInfo.InvariantCulture))) + "],"
            + "\"threadsMs\":{" + string.Join(",", threads.Select(t => $"\"{t.Name}\":{t.Ms.ToString("0", CultureInfo.InvariantCulture)}")) + "}}";
    }

    private Look Now()
    {
        (_, long user, long system) = ReadStat(File.ReadAllText($"/proc/{pid}/stat"));
        var threads = new Dictionary<string, (string, long)>();
        foreach (string task in Directory.GetDirectories($"/proc/{pid}/task"))
        {
            try
            {
                (string name, _, _) = ReadStat(File.ReadAllText(task + "/stat"));
                threads[task] = (name, long.Parse(File.ReadAllText(task + "/schedstat").Split(' ')[0], CultureInfo.InvariantCulture));
            }
            catch (IOException)
            {
                // The thread ended between the listing and the look.
            }
        }
        string rss = File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return new Look(
            Stopwatch.GetTimestamp(), user, system, long.Parse(rss.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture), threads, Cores());
    }

    private static (string Name, long User, long System) ReadStat(string line)
    {
        int open = line.IndexOf('(', StringComparison.Ordinal);
        int close = line.LastIndexOf(')');
        // Behind the name come state, ppid, … ; utime and stime are fields 14 and 15 of proc(5), counted from 1.
        string[] rest = line[(close + 2)..].Split(' ');
        return (line[(open + 1)..close], long.Parse(rest[11], CultureInfo.InvariantCulture), long.Parse(rest[12], CultureInfo.InvariantCulture));
    }

    private static (long Busy, long Total)[] Cores() =>
        [.. File.ReadLines("/proc/stat").Where(l => l.StartsWith("cpu", StringComparison.Ordinal) && char.IsAsciiDigit(l[3])).Select(l =>
        {
            long[] ticks = [.. l.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(8).Select(t => long.Parse(t, CultureInfo.InvariantCulture))];
            return (ticks.Sum() - ticks[3] - ticks[4], ticks.Sum());
        })];

    private readonly record struct Look(
        long At, long User, long System, long RssKb, Dictionary<string, (string Name, long Nanos)> Threads, (long Busy, long Total)[] Cores);
}
