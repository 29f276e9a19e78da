using System;
using Proxy.Core.Net;

namespace Proxy.DevRoom.Forwarding;

/// <summary>Room loop. Datagrams that wait to be sent, in order; full: the newest is dropped and counted.</summary>
internal sealed class DatagramQueue
{
    /// <summary>Room of one slot, bytes: a full frame and the SRTP tag.</summary>
    public const int SlotBytes = 1_600;

    private readonly byte[] _memory;
    private readonly int[] _lengths;
    private readonly NetEndPoint[] _targets;
    private int _head;
    private int _count;

    /// <param name="capacity">Datagrams between two drains.</param>
    public DatagramQueue(int capacity)
    {
        _memory = GC.AllocateUninitializedArray<byte>(capacity * SlotBytes);
        _lengths = new int[capacity];
        _targets = new NetEndPoint[capacity];
    }

    public long Dropped { get; private set; }

    /// <summary>Room for the next datagram; it counts once <see cref="Commit"/> is called.</summary>
    /// <returns>Empty when the queue is full; that is counted.</returns>
    public Span<byte> Reserve()
    {
        if (_count == _lengths.Length)
        {
            Dropped++;
            return default;
        }
        int slot = (_head + _count) % _lengths.Length;
        return _memory.AsSpan(slot * SlotBytes, SlotBytes);
    }

    public void Commit(int length, in NetEndPoint to)
    {
        int slot = (_head + _count++) % _lengths.Length;
        _lengths[slot] = length;
        _targets[slot] = to;
    }

    /// <summary>The oldest datagram; the span is good until the next call on the queue.</summary>
    public bool TryTake(out ReadOnlySpan<byte> datagram, out NetEndPoint to)
    {
        if (_count == 0)
        {
            datagram = default;
            to = default;
            return false;
        }
        datagram = _memory.AsSpan(_head * SlotBytes, _lengths[_head]);
        to = _targets[_head];
        _head = (_head + 1) % _lengths.Length;
        _count--;
        return true;
    }
}
