using System;
using Proxy.Core;
using Proxy.Core.Diagnostics;
using Proxy.Core.Memory;

namespace Proxy.Sip.Transactions;

/// <summary>
/// Signal thread. Counted copies of messages in native memory, in three sizes: a transaction keeps its request and its last
/// response here, and a send queue entry holds the same copy.
/// </summary>
internal sealed class MessagePool : IDisposable
{
    private const int ClassShift = 24;
    private const int SlotMask = (1 << ClassShift) - 1;
    private readonly PacketSlab[] _slabs;
    private readonly int[][] _references;
    private readonly int[][] _lengths;

    public MessagePool(Limits limits)
    {
        int small = (limits.SipTransactions * 2) + 1024;
        _slabs =
        [
            new PacketSlab(small, 2048),
            new PacketSlab((small / 8) + 64, 8192),
            new PacketSlab((small / 128) + 32, Math.Max(limits.SipMessageBytes, 8192)),
        ];
        _references = new int[_slabs.Length][];
        _lengths = new int[_slabs.Length][];
        for (int i = 0; i < _slabs.Length; i++)
        {
            _references[i] = new int[_slabs[i].Slots];
            _lengths[i] = new int[_slabs[i].Slots];
        }
    }

    /// <summary>Buffers that are out.</summary>
    public int Rented { get; private set; }

    /// <summary>A buffer of at least <paramref name="length"/> bytes with one reference, its length set.</summary>
    /// <returns>A handle, or -1 when none is left or the length is beyond the limit.</returns>
    public int TryRent(int length)
    {
        for (int i = 0; i < _slabs.Length; i++)
        {
            if (length > _slabs[i].SlotSize)
            {
                continue;
            }
            int slot = _slabs[i].TryRent();
            if (slot >= 0)
            {
                _references[i][slot] = 1;
                _lengths[i][slot] = length;
                Rented++;
                return (i << ClassShift) | slot;
            }
        }
        return -1;
    }

    /// <summary>A copy with one reference, or -1.</summary>
    public int TryCopy(ReadOnlySpan<byte> message)
    {
        int handle = TryRent(message.Length);
        if (handle >= 0)
        {
            message.CopyTo(Bytes(handle));
        }
        return handle;
    }

    public Span<byte> Bytes(int handle)
    {
        int size = handle >> ClassShift;
        int slot = handle & SlotMask;
        return _slabs[size].Get(slot)[.._lengths[size][slot]];
    }

    public void AddReference(int handle) => _references[handle >> ClassShift][handle & SlotMask]++;

    /// <summary>Gives one reference back; -1 is nothing.</summary>
    public void Release(int handle)
    {
        if (handle < 0)
        {
            return;
        }
        int size = handle >> ClassShift;
        int slot = handle & SlotMask;
        Invariant.Holds(_references[size][slot] > 0, "a message buffer is released once per reference");
        if (--_references[size][slot] == 0)
        {
            _slabs[size].Return(slot);
            Rented--;
        }
    }

    public void Dispose()
    {
        foreach (PacketSlab slab in _slabs)
        {
            slab.Dispose();
        }
    }
}
