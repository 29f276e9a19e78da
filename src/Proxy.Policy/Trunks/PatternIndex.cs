using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Core.Diagnostics;
using Proxy.Policy.Indexing;
using Proxy.Policy.Numbers;

namespace Proxy.Policy.Trunks;

/// <summary>
/// Any thread once built. Which trunks own a called number by a range or a prefix: ranges are cut into segments that do not overlap
/// and are searched by halving; prefixes are looked up by each length in use, the longest first.
/// </summary>
internal sealed class PatternIndex
{
    private readonly (int Digits, ulong First)[] _starts;
    private readonly FlatSets _segments;
    private readonly TextTable _prefixes;
    private readonly FlatSets _prefixOwners;
    private readonly int[] _lengths;

    public PatternIndex(CompiledTrunk[] trunks)
    {
        var ranges = new List<(int Digits, ulong First, ulong Last, int Trunk)>();
        var texts = new TextTable.Builder();
        var owners = new List<(int, int)>();
        var lengths = new SortedSet<int>();
        for (int i = 0; i < trunks.Length; i++)
        {
            foreach (NumberPattern pattern in trunks[i].Patterns)
            {
                if (pattern.Digits > 0)
                {
                    ranges.Add((pattern.Digits, pattern.First, pattern.Last, i));
                    continue;
                }
                owners.Add((texts.Add(pattern.Prefix), i));
                lengths.Add(pattern.Prefix.Length);
            }
        }
        (_starts, _segments) = Cut(ranges);
        _prefixes = texts.Build();
        _prefixOwners = FlatSets.Build(_prefixes.Count, owners);
        _lengths = [.. lengths.Reverse()];
    }

    /// <summary>Different prefix lengths in use.</summary>
    public int PrefixLengths => _lengths.Length;

    /// <param name="number">Normalised.</param>
    [NoAlloc]
    public ReadOnlySpan<int> OfRange(ReadOnlySpan<char> number)
    {
        if (_starts.Length == 0 || !NumberPattern.TryValue(number, out int digits, out ulong value))
        {
            return [];
        }
        int at = Array.BinarySearch(_starts, (digits, value));
        at = at < 0 ? ~at - 1 : at;
        return at >= 0 && _starts[at].Digits == digits ? _segments[at] : [];
    }

    /// <param name="number">Normalised.</param>
    /// <param name="rank">0 for the longest prefix length in use, up to <see cref="PrefixLengths"/>.</param>
    [NoAlloc]
    public ReadOnlySpan<int> OfPrefix(ReadOnlySpan<char> number, int rank)
    {
        int length = _lengths[rank];
        int text = number.Length >= length ? _prefixes.Find(number[..length]) : -1;
        return text < 0 ? [] : _prefixOwners[text];
    }

    /// <summary>Sweeps over the ends of all ranges; each stretch between two ends has one set of owners, an empty one too.</summary>
    private static ((int, ulong)[] Starts, FlatSets Owners) Cut(List<(int Digits, ulong First, ulong Last, int Trunk)> ranges)
    {
        var ends = new List<(int Digits, ulong At, bool IsStart, int Trunk)>();
        foreach ((int digits, ulong first, ulong last, int trunk) in ranges)
        {
            ends.Add((digits, first, true, trunk));
            ends.Add((digits, last + 1, false, trunk));
        }
        ends.Sort();
        var starts = new List<(int, ulong)>();
        var owners = new List<(int, int)>();
        var open = new Dictionary<int, int>();
        for (int i = 0; i < ends.Count; i++)
        {
            (int digits, ulong at, bool isStart, int trunk) = ends[i];
            open[trunk] = open.GetValueOrDefault(trunk) + (isStart ? 1 : -1);
            if (open[trunk] == 0)
            {
                open.Remove(trunk);
            }
            bool isLastHere = i + 1 == ends.Count || ends[i + 1].Digits != digits || ends[i + 1].At != at;
            if (isLastHere)
            {
                foreach (int owner in open.Keys)
                {
                    owners.Add((starts.Count, owner));
                }
                starts.Add((digits, at));
            }
        }
        return ([.. starts], FlatSets.Build(starts.Count, owners));
    }
}
