using System;
using System.Numerics;
using System.Text;

namespace Proxy.Policy.Indexing;

/// <summary>
/// Any thread once built. Gives each distinct text a number from 0 up and finds it again without allocating: all keys lie in
/// one byte array, so that a million numbers are three arrays for the collector and not a million objects.
/// </summary>
internal sealed class TextTable
{
    /// <summary>Longest key in UTF-8 bytes; longer texts are never found, and refused when built.</summary>
    public const int LongestKey = 512;

    private readonly byte[] _keys;
    private readonly int[] _ends;
    private readonly int[] _slots;
    private readonly int _mask;

    private TextTable(byte[] keys, int[] ends, int[] slots, int count)
    {
        _keys = keys;
        _ends = ends;
        _slots = slots;
        _mask = slots.Length - 1;
        Count = count;
    }

    public int Count { get; }

    /// <summary>Bytes held.</summary>
    public long Bytes => _keys.Length + (4L * (_ends.Length + _slots.Length));

    /// <summary>The text of a number that <see cref="Find(ReadOnlySpan{char})"/> gave.</summary>
    public string Text(int id) => Encoding.UTF8.GetString(Key(_keys, _ends, id));

    /// <returns>The text's number, or −1.</returns>
    public int Find(ReadOnlySpan<char> text)
    {
        if (text.Length > LongestKey)
        {
            return -1;
        }
        Span<byte> key = stackalloc byte[LongestKey * 3];
        int length = Encoding.UTF8.GetBytes(text, key);
        return Find(key[..length]);
    }

    private int Find(ReadOnlySpan<byte> key)
    {
        for (int slot = (int)Hash(key) & _mask; ; slot = (slot + 1) & _mask)
        {
            int id = _slots[slot] - 1;
            if (id < 0 || Key(_keys, _ends, id).SequenceEqual(key))
            {
                return id;
            }
        }
    }

    private static ReadOnlySpan<byte> Key(byte[] keys, int[] ends, int id)
    {
        int start = id == 0 ? 0 : ends[id - 1];
        return keys.AsSpan(start, ends[id] - start);
    }

    private static uint Hash(ReadOnlySpan<byte> key)
    {
        ulong hash = 0x9E3779B97F4A7C15UL + (ulong)key.Length;
        while (key.Length >= 8)
        {
            hash = (hash ^ System.Buffers.Binary.BinaryPrimitives.ReadUInt64LittleEndian(key)) * 0xBF58476D1CE4E5B9UL;
            hash ^= hash >> 29;
            key = key[8..];
        }
        ulong tail = 0;
        for (int i = 0; i < key.Length; i++)
        {
            tail |= (ulong)key[i] << (8 * i);
        }
        hash = (hash ^ tail) * 0x94D049BB133111EBUL;
        return (uint)(hash ^ (hash >> 32));
    }

    /// <summary>One owner. Collects texts, then makes the table.</summary>
    /// <remarks>The size is a hint, but a good one: arrays that grow leave megabytes behind, for which all threads wait.</remarks>
    /// <param name="texts">Texts to come.</param>
    /// <param name="bytes">Their bytes.</param>
    public sealed class Builder(int texts = 64, int bytes = 1024)
    {
        private byte[] _keys = GC.AllocateUninitializedArray<byte>(Math.Max(bytes, 1024));
        private int[] _ends = GC.AllocateUninitializedArray<int>(Math.Max(texts, 64));
        private int[] _slots = new int[BitOperations.RoundUpToPowerOf2((uint)Math.Max(texts * 2L, 256))];
        private int _count;
        private int _used;

        /// <returns>The text's number, new or old; −1 when it is longer than a key may be.</returns>
        public int Add(ReadOnlySpan<char> text)
        {
            Span<byte> key = stackalloc byte[LongestKey * 3];
            if (text.Length > LongestKey)
            {
                return -1;
            }
            key = key[..Encoding.UTF8.GetBytes(text, key)];
            int slot = Probe(key);
            if (_slots[slot] != 0)
            {
                return _slots[slot] - 1;
            }
            Store(key);
            _slots[slot] = _count;
            if (_count * 2 > _slots.Length)
            {
                Rehash();
            }
            return _count - 1;
        }

        public TextTable Build() => new(Fit(_keys, _used), Fit(_ends, _count), _slots, _count);

        /// <summary>Cut to size where a quarter or more lies idle.</summary>
        private static T[] Fit<T>(T[] items, int used) => used > items.Length / 4 * 3 ? items : items.AsSpan(0, used).ToArray();

        private void Store(ReadOnlySpan<byte> key)
        {
            if (_used + key.Length > _keys.Length)
            {
                Array.Resize(ref _keys, Math.Max(_keys.Length * 2, _used + key.Length));
            }
            if (_count == _ends.Length)
            {
                Array.Resize(ref _ends, _count * 2);
            }
            key.CopyTo(_keys.AsSpan(_used));
            _used += key.Length;
            _ends[_count++] = _used;
        }

        private int Probe(ReadOnlySpan<byte> key)
        {
            int mask = _slots.Length - 1;
            int slot = (int)Hash(key) & mask;
            while (_slots[slot] != 0 && !Key(_keys, _ends, _slots[slot] - 1).SequenceEqual(key))
            {
                slot = (slot + 1) & mask;
            }
            return slot;
        }

        private void Rehash()
        {
            _slots = new int[_slots.Length * 2];
            int mask = _slots.Length - 1;
            for (int id = 0; id < _count; id++)
            {
                int slot = (int)Hash(Key(_keys, _ends, id)) & mask;
                while (_slots[slot] != 0)
                {
                    slot = (slot + 1) & mask;
                }
                _slots[slot] = id + 1;
            }
        }
    }
}
