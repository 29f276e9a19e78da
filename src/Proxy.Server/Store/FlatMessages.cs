using System;
using System.Collections.Generic;
using System.Text;

namespace Proxy.Server.Store;

/// <summary>Any thread; immutable. Ids and messages one after the other in two arrays of bytes, in the order of their ids' bytes.</summary>
internal sealed class FlatMessages
{
    private readonly byte[] _ids;
    private readonly int[] _idEnds;
    private readonly byte[] _messages;
    private readonly int[] _messageEnds;

    private FlatMessages(byte[] ids, int[] idEnds, byte[] messages, int[] messageEnds)
    {
        _ids = ids;
        _idEnds = idEnds;
        _messages = messages;
        _messageEnds = messageEnds;
    }

    public static FlatMessages Empty { get; } = new([], [], [], []);

    public int Count => _idEnds.Length;

    public string Id(int place) => Encoding.UTF8.GetString(IdBytes(place));

    public ReadOnlyMemory<byte> Message(int place)
    {
        int start = place == 0 ? 0 : _messageEnds[place - 1];
        return _messages.AsMemory(start, _messageEnds[place] - start);
    }

    /// <returns>The place of an id, or −1.</returns>
    public int Find(string id)
    {
        Span<byte> key = id.Length <= 128 ? stackalloc byte[512] : new byte[Encoding.UTF8.GetMaxByteCount(id.Length)];
        key = key[..Encoding.UTF8.GetBytes(id, key)];
        (int low, int high) = (0, Count - 1);
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            int order = IdBytes(middle).SequenceCompareTo(key);
            if (order == 0)
            {
                return middle;
            }
            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }
        return -1;
    }

    private ReadOnlySpan<byte> IdBytes(int place)
    {
        int start = place == 0 ? 0 : _idEnds[place - 1];
        return _ids.AsSpan(start, _idEnds[place] - start);
    }

    /// <summary>One owner. Takes ids and messages in any order; of two with one id the later counts.</summary>
    /// <param name="count">Messages to come; more may.</param>
    public sealed class Builder(int count)
    {
        private readonly List<Entry> _entries = new(count);
        private byte[] _bytes = [];
        private int _used;

        public void Add(string id, ReadOnlySpan<byte> message)
        {
            Reserve(Encoding.UTF8.GetMaxByteCount(id.Length) + message.Length);
            int length = Encoding.UTF8.GetBytes(id, _bytes.AsSpan(_used));
            message.CopyTo(_bytes.AsSpan(_used + length));
            _entries.Add(new Entry(_used, length, message.Length));
            _used += length + message.Length;
        }

        public FlatMessages Build()
        {
            Entry[] sorted = [.. _entries];
            Array.Sort(sorted, Compare);
            int count = 0;
            (int idBytes, int messageBytes) = (0, 0);
            for (int i = 0; i < sorted.Length; i++)
            {
                // Of equal ids the one that came last stands last.
                if (i + 1 == sorted.Length || !Id(sorted[i]).SequenceEqual(Id(sorted[i + 1])))
                {
                    sorted[count++] = sorted[i];
                    idBytes += sorted[i].IdLength;
                    messageBytes += sorted[i].Length;
                }
            }
            return Lay(sorted.AsSpan(0, count), idBytes, messageBytes);
        }

        private FlatMessages Lay(ReadOnlySpan<Entry> entries, int idBytes, int messageBytes)
        {
            var flat = new FlatMessages(
                GC.AllocateUninitializedArray<byte>(idBytes), GC.AllocateUninitializedArray<int>(entries.Length), GC.AllocateUninitializedArray<byte>(messageBytes), GC.AllocateUninitializedArray<int>(entries.Length));
            (int id, int message) = (0, 0);
            for (int i = 0; i < entries.Length; i++)
            {
                Entry entry = entries[i];
                Id(entry).CopyTo(flat._ids.AsSpan(id));
                _bytes.AsSpan(entry.Start + entry.IdLength, entry.Length).CopyTo(flat._messages.AsSpan(message));
                flat._idEnds[i] = id += entry.IdLength;
                flat._messageEnds[i] = message += entry.Length;
            }
            return flat;
        }

        private ReadOnlySpan<byte> Id(Entry entry) => _bytes.AsSpan(entry.Start, entry.IdLength);

        private int Compare(Entry a, Entry b)
        {
            int order = Id(a).SequenceCompareTo(Id(b));
            return order != 0 ? order : a.Start.CompareTo(b.Start);
        }

        private void Reserve(int more)
        {
            if (more > _bytes.Length - _used)
            {
                Array.Resize(ref _bytes, Math.Max(Math.Max(_bytes.Length * 2, _used + more), 1024));
            }
        }

        private readonly record struct Entry(int Start, int IdLength, int Length);
    }
}
