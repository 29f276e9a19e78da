using System;

namespace Proxy.Sip.Transactions;

/// <summary>One owner. First in, first out; grows by doubling up to a limit, then refuses.</summary>
internal sealed class BoundedQueue<T>(int limit)
{
    private T[] _items = new T[Math.Min(256, limit)];
    private int _head;

    public int Count { get; private set; }

    /// <returns>False when full.</returns>
    public bool TryAdd(in T item)
    {
        if (Count == _items.Length && !TryGrow())
        {
            return false;
        }
        _items[(_head + Count) % _items.Length] = item;
        Count++;
        return true;
    }

    public bool TryTake(out T item)
    {
        if (Count == 0)
        {
            item = default!;
            return false;
        }
        item = _items[_head];
        _items[_head] = default!;
        _head = (_head + 1) % _items.Length;
        Count--;
        return true;
    }

    private bool TryGrow()
    {
        if (_items.Length >= limit)
        {
            return false;
        }
        var grown = new T[Math.Min(_items.Length * 2, limit)];
        for (int i = 0; i < Count; i++)
        {
            grown[i] = _items[(_head + i) % _items.Length];
        }
        _items = grown;
        _head = 0;
        return true;
    }
}
