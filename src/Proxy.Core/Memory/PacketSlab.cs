using System;
using System.Runtime.InteropServices;
using Proxy.Core.Diagnostics;

namespace Proxy.Core.Memory;

/// <summary>One owner. Fixed-size packet buffers in one block of native memory; renting and returning never allocate.</summary>
public sealed unsafe class PacketSlab : IDisposable
{
    private readonly byte* _memory;
    private readonly int[] _free;
    private int _freeCount;
    private bool _isDisposed;

    /// <param name="slots">Number of buffers.</param>
    /// <param name="slotSize">Bytes of each buffer.</param>
    public PacketSlab(int slots, int slotSize)
    {
        Slots = slots;
        SlotSize = slotSize;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)slots * (nuint)slotSize, 64);
        _free = new int[slots];
        for (int i = 0; i < slots; i++)
        {
            _free[i] = slots - 1 - i;
        }
        _freeCount = slots;
    }

    public int Slots { get; }

    public int SlotSize { get; }

    public int Available => _freeCount;

    /// <returns>A slot's number, or -1 when all are out.</returns>
    [NoAlloc]
    public int TryRent() => _freeCount == 0 ? -1 : _free[--_freeCount];

    [NoAlloc]
    public void Return(int slot)
    {
        Invariant.Holds((uint)slot < (uint)Slots && _freeCount < Slots, "a packet slot is returned once");
        _free[_freeCount++] = slot;
    }

    /// <summary>The whole buffer of a rented slot; its content is undefined.</summary>
    [NoAlloc]
    public Span<byte> Get(int slot)
    {
        Invariant.Holds((uint)slot < (uint)Slots, "a packet slot lies in its slab");
        return new Span<byte>(_memory + ((nint)slot * SlotSize), SlotSize);
    }

    /// <summary>The address of a slot, for system calls that take many buffers at once.</summary>
    public nint Address(int slot) => (nint)(_memory + ((nint)slot * SlotSize));

    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            NativeMemory.AlignedFree(_memory);
        }
    }
}
