using System;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Threading;
using Proxy.Core.Diagnostics;

namespace Proxy.Core.Collections;

/// <summary>What a full ring does with one more item; the caller of <see cref="Ring{T}.TryWrite"/> acts on it.</summary>
public enum RingFull
{
    /// <summary>The new item is lost and counted (media packets, statistics).</summary>
    DropNewest,

    /// <summary>The caller refuses or ends the call that the item belongs to.</summary>
    RejectCall,

    /// <summary>A full ring is our bug: its size is derived from the limits.</summary>
    Fail,
}

/// <summary>Many writers, one reader. A bounded queue between threads; nobody waits, nothing is allocated.</summary>
/// <remarks>A sequence number per cell (Vyukov's bounded queue): a writer claims a cell by compare-and-swap.</remarks>
public sealed class Ring<T>
{
    private readonly Cell[] _cells;
    private readonly int _mask;
    private Padded _head;
    private Padded _tail;
    private long _refused;

    /// <param name="capacity">Items; rounded up to a power of two.</param>
    /// <param name="full">What being full means.</param>
    public Ring(int capacity, RingFull full)
    {
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(capacity, 2));
        _cells = new Cell[size];
        _mask = size - 1;
        Full = full;
        for (int i = 0; i < size; i++)
        {
            _cells[i].Sequence = i;
        }
    }

    public RingFull Full { get; }

    public int Capacity => _cells.Length;

    /// <summary>Items that were refused because the ring was full.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Items waiting; exact only for the reader.</summary>
    public int Count => (int)(Volatile.Read(ref _tail.Value) - Volatile.Read(ref _head.Value));

    /// <summary>Any thread. Puts an item in.</summary>
    /// <returns>False when full; counted in <see cref="Refused"/>.</returns>
    [NoAlloc]
    public bool TryWrite(in T item)
    {
        long at = Volatile.Read(ref _tail.Value);
        while (true)
        {
            ref Cell cell = ref _cells[at & _mask];
            long lead = Volatile.Read(ref cell.Sequence) - at;
            if (lead == 0)
            {
                long seen = Interlocked.CompareExchange(ref _tail.Value, at + 1, at);
                if (seen == at)
                {
                    cell.Item = item;
                    Volatile.Write(ref cell.Sequence, at + 1);
                    return true;
                }
                at = seen;
            }
            else if (lead < 0)
            {
                Interlocked.Increment(ref _refused);
                if (Full == RingFull.Fail)
                {
                    Invariant.Fail("a ring sized by the limits is full");
                }
                return false;
            }
            else
            {
                at = Volatile.Read(ref _tail.Value);
            }
        }
    }

    /// <summary>Reader only. Takes the oldest item.</summary>
    /// <returns>False when empty.</returns>
    [NoAlloc]
    public bool TryRead(out T item)
    {
        long at = _head.Value;
        ref Cell cell = ref _cells[at & _mask];
        if (Volatile.Read(ref cell.Sequence) != at + 1)
        {
            item = default!;
            return false;
        }
        item = cell.Item;
        cell.Item = default!;
        Volatile.Write(ref cell.Sequence, at + _cells.Length);
        Volatile.Write(ref _head.Value, at + 1);
        return true;
    }

    private struct Cell
    {
        public long Sequence;
        public T Item;
    }
}

/// <summary>A counter alone on its cache lines, so that writers and reader do not disturb each other.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct Padded
{
    [FieldOffset(56)]
    public long Value;
}
