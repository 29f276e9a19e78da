using System;
using System.Collections.Generic;

namespace Proxy.Policy.Digest;

/// <summary>
/// Signal thread. Which nonce counts of which nonces were used: the highest and a window of 64 below it (RFC 7616 §3.4.6, nc).
/// Bounded: the oldest entry makes room, and then every nonce not younger than that one counts as used.
/// </summary>
internal sealed class UsedNonces
{
    public const int Capacity = 16_384;

    private readonly Dictionary<ulong, int> _places = new(Capacity);
    private readonly Entry[] _ring = new Entry[Capacity];
    private int _next;
    private long _evictedIssuedMs = long.MinValue;

    /// <summary>Nonces held.</summary>
    public int Count => _places.Count;

    /// <summary>Whether a count may be used; marks it used when <paramref name="commit"/>.</summary>
    /// <param name="key">The nonce.</param>
    /// <param name="issuedMs">Its issue, unix milliseconds.</param>
    /// <param name="count">nc, from 1.</param>
    /// <param name="commit">False for explain.</param>
    /// <returns>False for a repeated count, one below the window, or a nonce that may have been evicted.</returns>
    public bool TryUse(ulong key, long issuedMs, uint count, bool commit)
    {
        if (_places.TryGetValue(key, out int place))
        {
            return _ring[place].TryUse(count, commit);
        }
        if (issuedMs <= _evictedIssuedMs || count == 0)
        {
            return false;
        }
        if (commit)
        {
            Add(key, issuedMs, count);
        }
        return true;
    }

    private void Add(ulong key, long issuedMs, uint count)
    {
        ref Entry entry = ref _ring[_next];
        if (entry.IsTaken)
        {
            _places.Remove(entry.Key);
            _evictedIssuedMs = Math.Max(_evictedIssuedMs, entry.IssuedMs);
        }
        entry = new Entry { IsTaken = true, Key = key, IssuedMs = issuedMs, Highest = count, Window = 1 };
        _places[key] = _next;
        _next = (_next + 1) % Capacity;
    }

    private struct Entry
    {
        public bool IsTaken;
        public ulong Key;
        public long IssuedMs;
        public uint Highest;
        public ulong Window;

        public bool TryUse(uint count, bool commit)
        {
            if (count > Highest)
            {
                if (commit)
                {
                    uint step = count - Highest;
                    Window = step >= 64 ? 1 : (Window << (int)step) | 1;
                    Highest = count;
                }
                return true;
            }
            uint below = Highest - count;
            if (count == 0 || below >= 64 || (Window >> (int)below & 1) != 0)
            {
                return false;
            }
            if (commit)
            {
                Window |= 1UL << (int)below;
            }
            return true;
        }
    }
}
