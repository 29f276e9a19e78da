using System;
using System.Diagnostics.CodeAnalysis;

namespace Proxy.Core.Collections;

/// <summary>Any thread. A place in a <see cref="SlotMap{T}"/>; it stays invalid for ever once freed.</summary>
/// <param name="Index">0-based place.</param>
/// <param name="Generation">Odd while the place is taken.</param>
public readonly record struct SlotId(int Index, uint Generation)
{
    public static SlotId None => new(-1, 0);

    public bool IsNone => Index < 0;
}

/// <summary>One owner. A bounded table whose handles know when what they pointed at is gone.</summary>
public sealed class SlotMap<T>
    where T : class
{
    private readonly T?[] _items;
    private readonly uint[] _generations;
    private readonly int[] _free;
    private int _freeCount;

    /// <param name="capacity">The most items it ever holds.</param>
    public SlotMap(int capacity)
    {
        _items = new T?[capacity];
        _generations = new uint[capacity];
        _free = new int[capacity];
        for (int i = 0; i < capacity; i++)
        {
            _free[i] = capacity - 1 - i;
        }
        _freeCount = capacity;
    }

    public int Capacity => _items.Length;

    public int Count => _items.Length - _freeCount;

    /// <returns>False when full.</returns>
    public bool TryAdd(T item, out SlotId id)
    {
        if (_freeCount == 0)
        {
            id = SlotId.None;
            return false;
        }
        int index = _free[--_freeCount];
        _items[index] = item;
        id = new SlotId(index, ++_generations[index]);
        return true;
    }

    /// <returns>False when the item is gone or was never there.</returns>
    public bool TryGet(SlotId id, [NotNullWhen(true)] out T? item)
    {
        item = (uint)id.Index < (uint)_items.Length && _generations[id.Index] == id.Generation ? _items[id.Index] : null;
        return item is not null;
    }

    /// <summary>The item in a place, or null; for walking over all.</summary>
    public T? At(int index) => _items[index];

    /// <returns>False when it was gone already.</returns>
    public bool Remove(SlotId id)
    {
        if (!TryGet(id, out _))
        {
            return false;
        }
        _items[id.Index] = null;
        _generations[id.Index]++;
        _free[_freeCount++] = id.Index;
        return true;
    }
}
