using System;
using System.Collections.Generic;

namespace Proxy.Policy.Indexing;

/// <summary>Any thread once built. Many small sets of numbers in two arrays; each set is sorted.</summary>
internal sealed class FlatSets
{
    private readonly int[] _starts;
    private readonly int[] _items;

    private FlatSets(int[] starts, int[] items)
    {
        _starts = starts;
        _items = items;
    }

    /// <summary>Bytes held.</summary>
    public long Bytes => 4L * (_starts.Length + _items.Length);

    public ReadOnlySpan<int> this[int set] => _items.AsSpan(_starts[set], _starts[set + 1] - _starts[set]);

    public bool IsEmpty(int set) => _starts[set] == _starts[set + 1];

    public bool Contains(int set, int item) => item >= 0 && this[set].BinarySearch(item) >= 0;

    /// <summary>The same sets with other items: each by its new name, left out where that is negative.</summary>
    public FlatSets Renamed(ReadOnlySpan<int> names)
    {
        var starts = new int[_starts.Length];
        var items = new int[_items.Length];
        int used = 0;
        for (int set = 0; set < starts.Length - 1; set++)
        {
            starts[set] = used;
            foreach (int item in this[set])
            {
                if (names[item] >= 0)
                {
                    items[used++] = names[item];
                }
            }
            items.AsSpan(starts[set], used - starts[set]).Sort();
        }
        starts[^1] = used;
        return new FlatSets(starts, items);
    }

    /// <param name="setCount">Number of sets.</param>
    /// <param name="pairs">Set and item, neither negative, any order, repeats allowed.</param>
    public static FlatSets Build(int setCount, List<(int Set, int Item)> pairs)
    {
        // One number each: an order of magnitude faster to sort than pairs.
        var sorted = new long[pairs.Count];
        for (int i = 0; i < sorted.Length; i++)
        {
            sorted[i] = ((long)pairs[i].Set << 32) | (uint)pairs[i].Item;
        }
        Array.Sort(sorted);
        var starts = new int[setCount + 1];
        var items = new int[sorted.Length];
        int used = 0;
        int at = 0;
        for (int set = 0; set < setCount; set++)
        {
            starts[set] = used;
            for (; at < sorted.Length && sorted[at] >> 32 == set; at++)
            {
                if (at == 0 || sorted[at] != sorted[at - 1])
                {
                    items[used++] = (int)sorted[at];
                }
            }
        }
        starts[setCount] = used;
        Array.Resize(ref items, used);
        return new FlatSets(starts, items);
    }
}
