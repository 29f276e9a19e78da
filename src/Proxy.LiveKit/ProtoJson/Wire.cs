using System;
using System.Buffers.Binary;

namespace Proxy.LiveKit.ProtoJson;

/// <summary>One owner. A protobuf message being written; nested messages are closed by <see cref="End"/>.</summary>
internal sealed class WireWriter
{
    private byte[] _bytes = new byte[256];
    private int _length;

    internal ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    internal void Tag(int number, int wireType) => Varint(((ulong)(uint)number << 3) | (uint)wireType);

    internal void Varint(ulong value)
    {
        Reserve(10);
        while (value >= 0x80)
        {
            _bytes[_length++] = (byte)(value | 0x80);
            value >>= 7;
        }
        _bytes[_length++] = (byte)value;
    }

    internal void Fixed32(uint value)
    {
        Reserve(4);
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(_length), value);
        _length += 4;
    }

    internal void Fixed64(ulong value)
    {
        Reserve(8);
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(_length), value);
        _length += 8;
    }

    internal void Bytes(ReadOnlySpan<byte> value)
    {
        Varint((ulong)value.Length);
        Reserve(value.Length);
        value.CopyTo(_bytes.AsSpan(_length));
        _length += value.Length;
    }

    /// <summary>Opens a nested message.</summary>
    /// <returns>A mark for <see cref="End"/>.</returns>
    internal int Begin() => _length;

    /// <summary>Puts the length in front of what was written since the mark.</summary>
    internal void End(int mark)
    {
        int size = _length - mark;
        int prefix = 1;
        for (uint rest = (uint)size; rest >= 0x80; rest >>= 7)
        {
            prefix++;
        }
        Reserve(prefix);
        _bytes.AsSpan(mark, size).CopyTo(_bytes.AsSpan(mark + prefix));
        _length = mark;
        Varint((ulong)size);
        _length = mark + prefix + size;
    }

    private void Reserve(int count)
    {
        if (_bytes.Length - _length < count)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        }
    }
}

/// <summary>One owner. Walks the fields of an encoded message.</summary>
internal ref struct WireReader
{
    private readonly ReadOnlySpan<byte> _bytes;
    private int _at;

    internal WireReader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    internal int Number { get; private set; }

    internal int WireType { get; private set; }

    /// <summary>Value of wire types 0, 1 and 5.</summary>
    internal ulong Value { get; private set; }

    /// <summary>Content of wire type 2: its offset in the message.</summary>
    internal int Start { get; private set; }

    internal int Length { get; private set; }

    /// <summary>Moves to the next field.</summary>
    /// <returns>False at the end, and at the first byte that makes no sense.</returns>
    internal bool MoveNext()
    {
        if (_at >= _bytes.Length || !TryVarint(out ulong tag))
        {
            return false;
        }
        Number = (int)(tag >> 3);
        WireType = (int)(tag & 7);
        switch (WireType)
        {
            case 0:
                bool isNumber = TryVarint(out ulong value);
                Value = value;
                return isNumber;
            case 1 when _bytes.Length - _at >= 8:
                Value = BinaryPrimitives.ReadUInt64LittleEndian(_bytes[_at..]);
                _at += 8;
                return true;
            case 5 when _bytes.Length - _at >= 4:
                Value = BinaryPrimitives.ReadUInt32LittleEndian(_bytes[_at..]);
                _at += 4;
                return true;
            case 2 when TryVarint(out ulong length) && length <= (ulong)(_bytes.Length - _at):
                Start = _at;
                Length = (int)length;
                _at += Length;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Reads one element of a packed list.</summary>
    internal bool TryVarint(out ulong value)
    {
        value = 0;
        for (int shift = 0; shift < 64 && _at < _bytes.Length; shift += 7)
        {
            byte next = _bytes[_at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return true;
            }
        }
        return false;
    }
}
