using System;
using System.Runtime.InteropServices;
using Proxy.Core.Diagnostics;
using Proxy.Core.Memory;
using Proxy.Core.Net;

namespace Proxy.Server.Linux;

/// <summary>One loop. Many datagrams of one socket in one system call (recvmmsg, sendmmsg), for sockets that many calls share.</summary>
/// <remarks>A batch either receives or sends at a time: both use the same headers.</remarks>
public sealed unsafe class DatagramBatch : IDisposable
{
    private readonly BatchHeader* _headers;
    private readonly IoVector* _vectors;
    private readonly byte* _names;
    private readonly int[] _slots;
    private int _count;
    private bool _isDisposed;

    /// <param name="capacity">Most datagrams a call; 32 to 64 pay off.</param>
    public DatagramBatch(int capacity = 64)
    {
        Capacity = capacity;
        _headers = (BatchHeader*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(BatchHeader));
        _vectors = (IoVector*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(IoVector));
        _names = (byte*)NativeMemory.AllocZeroed((nuint)capacity, SocketAddress.MaxBytes);
        _slots = new int[capacity];
    }

    public int Capacity { get; }

    /// <summary>Datagrams received, or put in and not yet sent.</summary>
    public int Count => _count;

    /// <summary>Datagrams that <see cref="Flush"/> could not send.</summary>
    public long Unsent { get; private set; }

    /// <summary>Receives what is waiting into slots of the slab. The caller returns every slot below the result.</summary>
    /// <returns>Number of datagrams; 0 when none waits or the slab is empty.</returns>
    [NoAlloc]
    public int Receive(UdpSocket socket, PacketSlab slab)
    {
        int rented = 0;
        while (rented < Capacity && slab.TryRent() is int slot and >= 0)
        {
            _slots[rented] = slot;
            Prepare(rented, (byte*)slab.Address(slot), slab.SlotSize, SocketAddress.MaxBytes);
            rented++;
        }
        int got;
        do
        {
            got = rented == 0 ? 0 : LibC.recvmmsg(socket.Fd, _headers, (uint)rented, 0, null);
        }
        while (got < 0 && UdpSocket.IsWorthAnotherTry(Errno.Last));
        _count = Math.Max(got, 0);
        for (int i = _count; i < rented; i++)
        {
            slab.Return(_slots[i]);
        }
        return _count;
    }

    /// <summary>The slab's slot that holds received datagram <paramref name="index"/>.</summary>
    [NoAlloc]
    public int Slot(int index) => _slots[index];

    /// <summary>Its bytes; -1 when it was larger than the slot and is cut.</summary>
    [NoAlloc]
    public int Length(int index) => (_headers[index].Header.Flags & 0x20) != 0 ? -1 : (int)_headers[index].Length;

    [NoAlloc]
    public NetEndPoint From(int index) =>
        SocketAddress.Read(new ReadOnlySpan<byte>(_names + (index * SocketAddress.MaxBytes), (int)_headers[index].Header.NameLength));

    /// <summary>Starts collecting datagrams to send.</summary>
    public void Clear() => _count = 0;

    /// <summary>Adds a datagram; its memory must stay until <see cref="Flush"/>.</summary>
    /// <param name="address">Native memory: a slab's <see cref="PacketSlab.Address"/>.</param>
    /// <returns>False when the batch is full (flush, then again) or the address family does not fit.</returns>
    [NoAlloc]
    public bool TryAdd(UdpSocket socket, nint address, int length, in NetEndPoint to)
    {
        if (_count == Capacity)
        {
            return false;
        }
        int nameLength = SocketAddress.Write(to, socket.IsV6, new Span<byte>(_names + (_count * SocketAddress.MaxBytes), SocketAddress.MaxBytes));
        if (nameLength == 0)
        {
            return false;
        }
        Prepare(_count++, (byte*)address, length, nameLength);
        return true;
    }

    /// <summary>Sends all that was added; what the socket refuses is dropped and counted in <see cref="Unsent"/>.</summary>
    /// <returns>Number sent.</returns>
    [NoAlloc]
    public int Flush(UdpSocket socket)
    {
        int at = 0;
        int sent = 0;
        while (at < _count)
        {
            int done = LibC.sendmmsg(socket.Fd, _headers + at, (uint)(_count - at), 0x4000);
            if (done > 0)
            {
                at += done;
                sent += done;
            }
            else if (!UdpSocket.IsWorthAnotherTry(Errno.Last))
            {
                // The error belongs to the first of the rest; the others have other destinations.
                at++;
                Unsent++;
            }
        }
        _count = 0;
        return sent;
    }

    public void Dispose()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            NativeMemory.Free(_headers);
            NativeMemory.Free(_vectors);
            NativeMemory.Free(_names);
        }
    }

    private void Prepare(int index, byte* buffer, int length, int nameLength)
    {
        _vectors[index] = new IoVector { Base = buffer, Length = (nuint)length };
        _headers[index] = default;
        ref MessageHeader header = ref _headers[index].Header;
        header.Name = _names + (index * SocketAddress.MaxBytes);
        header.NameLength = (uint)nameLength;
        header.Vectors = &_vectors[index];
        header.VectorCount = 1;
    }
}
