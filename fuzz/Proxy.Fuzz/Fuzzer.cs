using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Runtime.InteropServices;
using Proxy.Fuzz.Coverage;

namespace Proxy.Fuzz;

/// <summary>One thread. Searches one target: keeps inputs that take a new edge, or an edge a new number of times.</summary>
internal sealed class Fuzzer
{
    private const int FindingsMax = 5;
    private const int LongestDistilled = 8_192;
    private readonly Mutator _mutator;
    private readonly List<byte[]> _kept = [];
    private readonly byte[] _seen = new byte[Edges.Size];
    private readonly HashSet<string> _whats = [];

    public Fuzzer(Target target, ulong seed)
    {
        Target = target;
        _mutator = new Mutator(seed, target.Words, target.LongestInput);
    }

    public Target Target { get; }

    public List<(string What, byte[] Input)> Findings { get; } = [];

    public long Runs { get; private set; }

    public int Kept => _kept.Count;

    public int EdgeCount => _seen.Count(b => b != 0);

    /// <summary>Runs the seeds and what was found before.</summary>
    public void Load(IEnumerable<byte[]> corpus)
    {
        foreach (byte[] input in Target.Seeds.Concat(corpus))
        {
            Try(input.Length <= Target.LongestInput ? input : input[..Target.LongestInput], isFirst: true);
        }
        if (_kept.Count == 0)
        {
            _kept.Add([]);
        }
    }

    public void Search(TimeSpan time)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time && Findings.Count < FindingsMax)
        {
            // Newer inputs more often: they lead on.
            int newest = Math.Min(_kept.Count, 32);
            int place = _mutator.Below(2) == 0 ? _kept.Count - 1 - _mutator.Below(newest) : _mutator.Below(_kept.Count);
            Try(_mutator.Make(_kept[place], _kept[_mutator.Below(_kept.Count)]), isFirst: false);
        }
    }

    /// <summary>Small inputs first, each kept only for an edge that no smaller one and no seed takes.</summary>
    public IEnumerable<byte[]> Distilled()
    {
        bool[] reached = new bool[Edges.Size];
        foreach (byte[] seed in Target.Seeds)
        {
            Reaches(seed, reached);
        }
        return [.. _kept.Where(i => i.Length <= LongestDistilled).OrderBy(i => i.Length).Where(i => Reaches(i, reached))];
    }

    /// <returns>Whether the input takes an edge that was not reached yet.</returns>
    private bool Reaches(byte[] input, bool[] reached)
    {
        Edges.Clear();
        Target.Run(input);
        bool isNew = false;
        for (int i = 0; i < reached.Length; i++)
        {
            isNew |= Edges.Map[i] != 0 && !reached[i];
            reached[i] |= Edges.Map[i] != 0;
        }
        return isNew;
    }

    private void Try(byte[] input, bool isFirst)
    {
        Runs++;
        Edges.Clear();
        long before = GC.GetAllocatedBytesForCurrentThread();
        long start = Stopwatch.GetTimestamp();
        try
        {
            Target.Run(input);
        }
#pragma warning disable CA1031 // Any exception that escapes is a finding.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Found(Describe(e), input);
            return;
        }
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        bool isNew = TakeNew();
        if (allocated > AllocationLimit(input))
        {
            CheckAllocation(input);
        }
        if (took > TimeLimit(input))
        {
            CheckTime(input);
        }
        if (isNew || (isFirst && _kept.Count == 0))
        {
            _kept.Add(input);
        }
    }

    private double AllocationLimit(byte[] input) => Target.AllocatesAtMost + (Target.AllocatesPerByte * input.Length);

    private TimeSpan TimeLimit(byte[] input) => Target.TimePer64K * Math.Max(1, input.Length / 65_536.0);

    /// <summary>Type initialisers allocate once; what counts is the second time.</summary>
    private void CheckAllocation(byte[] input)
    {
        long least = long.MaxValue;
        for (int i = 0; i < 3; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Target.Run(input);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        if (least > AllocationLimit(input))
        {
            Found($"allocates more than {Target.AllocatesAtMost} + {Target.AllocatesPerByte} a byte", input);
        }
    }

    /// <summary>The wall clock only suspects; the thread's CPU time, least of five, decides.</summary>
    private void CheckTime(byte[] input)
    {
        if (CpuTime(input) > TimeLimit(input))
        {
            Found($"takes more than {TimeLimit(input).TotalMilliseconds:0} ms", input);
        }
    }

    /// <summary>Least of five runs.</summary>
    public TimeSpan CpuTime(byte[] input)
    {
        TimeSpan least = TimeSpan.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            TimeSpan before = ThreadTime();
            Target.Run(input);
            TimeSpan took = ThreadTime() - before;
            least = took < least ? took : least;
        }
        return least;
    }

    private void Found(string what, byte[] input)
    {
        if (_whats.Add(what))
        {
            Findings.Add((what, input));
        }
    }

    private static string Describe(Exception e)
    {
        string? frame = e.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("Proxy.", StringComparison.Ordinal))?.Trim();
        return $"{e.GetType().Name}: {e.Message.Split('\n')[0]} {frame}";
    }

    /// <summary>Classes of counts as AFL has them: 1, 2, 3, 4–7, 8–15, 16–31, 32–127, more.</summary>
    private bool TakeNew()
    {
        bool isNew = false;
        ReadOnlySpan<byte> map = Edges.Map;
        for (int at = map.IndexOfAnyExcept((byte)0); at >= 0;)
        {
            byte group = map[at] switch
            {
                1 => 1,
                2 => 2,
                3 => 4,
                < 8 => 8,
                < 16 => 16,
                < 32 => 32,
                < 128 => 64,
                _ => 128,
            };
            isNew |= (_seen[at] & group) == 0;
            _seen[at] |= group;
            int next = map[(at + 1)..].IndexOfAnyExcept((byte)0);
            at = next < 0 ? -1 : at + 1 + next;
        }
        return isNew;
    }

    private static TimeSpan ThreadTime()
    {
        const int ThreadCpu = 3;
        _ = clock_gettime(ThreadCpu, out Timespec time);
        return TimeSpan.FromMicroseconds((time.Seconds * 1_000_000) + (time.Nanos / 1_000));
    }

    [DllImport("libc")]
    private static extern int clock_gettime(int clock, out Timespec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct Timespec
    {
        public long Seconds;
        public long Nanos;
    }
}
