using System;

namespace Proxy.Server.Shards;

/// <summary>A shard's thread. The slots that tick in one phase of the grid; add and remove cost nothing worth naming.</summary>
internal sealed class PhaseList(int capacity)
{
    private int[] _items = new int[Math.Min(capacity, 64)];

    public int Count { get; private set; }

    public int this[int index] => _items[index];

    public void Add(int slot)
    {
        if (Count == _items.Length)
        {
            Array.Resize(ref _items, Count * 2);
        }
        _items[Count++] = slot;
    }

    public void Remove(int slot)
    {
        int at = Array.IndexOf(_items, slot, 0, Count);
        if (at >= 0)
        {
            _items[at] = _items[--Count];
        }
    }
}
