using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Proxy.Fuzz;

/// <summary>One thread. Makes an input out of others: havoc, dictionary, splice. The same seed, the same inputs.</summary>
internal sealed class Mutator(ulong seed, IReadOnlyList<byte[]> words, int longest)
{
    private static readonly long[] s_interesting = [0, 1, -1, 2, 16, 64, 100, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536, int.MaxValue, 2_147_483_648, uint.MaxValue, long.MaxValue];
    private readonly byte[] _buffer = new byte[longest];
    private ulong _state = seed == 0 ? 1 : seed;
    private int _length;

    public int Below(int bound)
    {
        _state ^= _state << 13;
        _state ^= _state >> 7;
        _state ^= _state << 17;
        return (int)((_state >> 11) % (ulong)bound);
    }

    public byte[] Make(byte[] from, byte[] other)
    {
        _length = Math.Min(from.Length, _buffer.Length);
        from.AsSpan(0, _length).CopyTo(_buffer);
        if (Below(8) == 0)
        {
            Splice(other);
        }
        int steps = 1 << Below(5);
        for (int i = 0; i < steps; i++)
        {
            Step();
        }
        return _buffer.AsSpan(0, _length).ToArray();
    }

    private void Step()
    {
        if (_length == 0)
        {
            Insert(0, words[Below(words.Count)]);
            return;
        }
        int at = Below(_length);
        switch (Below(12))
        {
            case 0:
                _buffer[at] ^= (byte)(1 << Below(8));
                break;
            case 1:
                _buffer[at] = (byte)Below(256);
                break;
            case 2:
                _buffer[at] += (byte)(Below(35) - 17);
                break;
            case 3:
                Number(at);
                break;
            case 4:
                Digits(at);
                break;
            case 5:
                Delete(at, 1 + Below(Math.Min(_length - at, 64)));
                break;
            case 6:
                Insert(at, _buffer.AsSpan(at, 1 + Below(Math.Min(_length - at, 64))).ToArray());
                break;
            case 7:
                Repeat(at);
                break;
            case 8:
                _length = at;
                break;
            case 9:
                Overwrite(at, words[Below(words.Count)]);
                break;
            default:
                Insert(at, words[Below(words.Count)]);
                break;
        }
    }

    private void Splice(byte[] other)
    {
        if (_length == 0 || other.Length == 0)
        {
            return;
        }
        int cut = Below(_length);
        int from = Below(other.Length);
        int count = Math.Min(other.Length - from, _buffer.Length - cut);
        other.AsSpan(from, count).CopyTo(_buffer.AsSpan(cut));
        _length = cut + count;
    }

    /// <summary>A number of interest in 1, 2, 4 or 8 bytes, either order.</summary>
    private void Number(int at)
    {
        long value = s_interesting[Below(s_interesting.Length)];
        int bytes = Math.Min(1 << Below(4), _length - at);
        bool isBig = Below(2) == 0;
        for (int i = 0; i < bytes; i++)
        {
            _buffer[at + i] = (byte)(value >> (8 * (isBig ? bytes - 1 - i : i)));
        }
    }

    /// <summary>A number of interest as text, in place of the digits that stand there.</summary>
    private void Digits(int at)
    {
        int end = at;
        while (end < _length && char.IsAsciiDigit((char)_buffer[end]))
        {
            end++;
        }
        Delete(at, end - at);
        Insert(at, Encoding.ASCII.GetBytes(s_interesting[Below(s_interesting.Length)].ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>A block many times over, now and then up to the longest input: this is what finds quadratic time.</summary>
    private void Repeat(int at)
    {
        byte[] block = _buffer.AsSpan(at, 1 + Below(Math.Min(_length - at, 32))).ToArray();
        int room = _buffer.Length - _length;
        int times = Below(200) == 0 ? room / block.Length : Math.Min(Below(64), room / block.Length);
        byte[] many = new byte[block.Length * times];
        for (int i = 0; i < times; i++)
        {
            block.CopyTo(many, i * block.Length);
        }
        Insert(at, many);
    }

    private void Delete(int at, int count)
    {
        _buffer.AsSpan(at + count, _length - at - count).CopyTo(_buffer.AsSpan(at));
        _length -= count;
    }

    private void Insert(int at, byte[] bytes)
    {
        int count = Math.Min(bytes.Length, _buffer.Length - _length);
        _buffer.AsSpan(at, _length - at).CopyTo(_buffer.AsSpan(at + count));
        bytes.AsSpan(0, count).CopyTo(_buffer.AsSpan(at));
        _length += count;
    }

    private void Overwrite(int at, byte[] bytes)
    {
        int count = Math.Min(bytes.Length, _length - at);
        bytes.AsSpan(0, count).CopyTo(_buffer.AsSpan(at));
    }
}
