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

    /// <param name="setCount">Number of sets.</param>
    /// <param name="pairs">Set and item, any order, repeats allowed; sorted in place.</param>
    public static FlatSets Build(int setCount, List<(int Set, int Item)> pairs)
    {
        pairs.Sort();
        var starts = new int[setCount + 1];
        var items = new int[pairs.Count];
        int used = 0;
        int at = 0;
        for (int set = 0; set < setCount; set++)
        {
            starts[set] = used;
            for (; at < pairs.Count && pairs[at].Set == set; at++)
            {
                if (used == starts[set] || items[used - 1] != pairs[at].Item)
                {
                    items[used++] = pairs[at].Item;
                }
            }
        }
        starts[setCount] = used;
        Array.Resize(ref items, used);
        return new FlatSets(starts, items);
    }
}
