using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Core.Time;

/// <summary>
/// One owner. Deadlines by small integer key (a slot index): at most one deadline a key, O(log n) to set, move and
/// cancel, no allocation while keys stay below the capacity.
/// </summary>
/// <remarks>An indexed four-way heap rather than a hashed wheel: exact order, exact next deadline, no tick.</remarks>
public sealed class TimerQueue
{
    private const int Arity = 4;
    private int[] _heap;
    private int[] _position;
    private MonoTime[] _deadline;

    /// <param name="capacity">Keys 0..capacity-1 are ready; a larger key grows the queue.</param>
    public TimerQueue(int capacity)
    {
        _heap = new int[Math.Max(capacity, 4)];
        _position = new int[_heap.Length];
        _deadline = new MonoTime[_heap.Length];
        Array.Fill(_position, -1);
    }

    /// <summary>Deadlines that are set.</summary>
    public int Count { get; private set; }

    /// <summary>The earliest deadline, or <see cref="MonoTime.Never"/>.</summary>
    public MonoTime NextDeadline => Count == 0 ? MonoTime.Never : _deadline[_heap[0]];

    /// <summary>Sets or moves the key's deadline; <see cref="MonoTime.Never"/> cancels it.</summary>
    [NoAlloc]
    public void Set(int key, MonoTime deadline)
    {
        if (deadline.IsNever)
        {
            Cancel(key);
            return;
        }
        if (key >= _position.Length)
        {
            Grow(key + 1);
        }
        _deadline[key] = deadline;
        int at = _position[key];
        if (at < 0)
        {
            at = Count++;
            _heap[at] = key;
            _position[key] = at;
        }
        SiftDown(SiftUp(at));
    }

    /// <summary>Removes the key's deadline; nothing happens when it has none.</summary>
    [NoAlloc]
    public void Cancel(int key)
    {
        if (key >= _position.Length || _position[key] < 0)
        {
            return;
        }
        int at = _position[key];
        _position[key] = -1;
        int last = _heap[--Count];
        if (at == Count)
        {
            return;
        }
        _heap[at] = last;
        _position[last] = at;
        SiftDown(SiftUp(at));
    }

    /// <summary>Takes the earliest key whose deadline is at or before <paramref name="now"/>; its deadline is then unset.</summary>
    /// <returns>False when none is due.</returns>
    [NoAlloc]
    public bool TryExpire(MonoTime now, out int key)
    {
        if (Count == 0 || _deadline[_heap[0]] > now)
        {
            key = -1;
            return false;
        }
        key = _heap[0];
        Cancel(key);
        return true;
    }

    private int SiftUp(int at)
    {
        int key = _heap[at];
        while (at > 0)
        {
            int parent = (at - 1) / Arity;
            if (_deadline[_heap[parent]] <= _deadline[key])
            {
                break;
            }
            Place(_heap[parent], at);
            at = parent;
        }
        Place(key, at);
        return at;
    }

    private void SiftDown(int at)
    {
        int key = _heap[at];
        while (true)
        {
            int first = (at * Arity) + 1;
            if (first >= Count)
            {
                break;
            }
            int least = first;
            int end = Math.Min(first + Arity, Count);
            for (int child = first + 1; child < end; child++)
            {
                if (_deadline[_heap[child]] < _deadline[_heap[least]])
                {
                    least = child;
                }
            }
            if (_deadline[_heap[least]] >= _deadline[key])
            {
                break;
            }
            Place(_heap[least], at);
            at = least;
        }
        Place(key, at);
    }

    private void Place(int key, int at)
    {
        _heap[at] = key;
        _position[key] = at;
    }

    private void Grow(int needed)
    {
        int old = _position.Length;
        int size = Math.Max(needed, old * 2);
        Array.Resize(ref _heap, size);
        Array.Resize(ref _position, size);
        Array.Resize(ref _deadline, size);
        Array.Fill(_position, -1, old, size - old);
    }
}
