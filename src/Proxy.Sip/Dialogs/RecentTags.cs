using System;
using System.Collections.Generic;
using Proxy.Core.Time;
using Proxy.Sip.Transactions;

namespace Proxy.Sip.Dialogs;

/// <summary>
/// Signal thread. Our tags of calls that were challenged: the INVITE that comes back with credentials keeps its call id.
/// The last 1,024 of the last 60 s.
/// </summary>
internal sealed class RecentTags(KeyedHash hash)
{
    private const int Capacity = 1024;
    private const long LifeMs = 60_000;
    private readonly Entry[] _entries = new Entry[Capacity];
    private readonly Dictionary<ulong, int> _byKey = new(Capacity);
    private int _next;

    public void Remember(ReadOnlySpan<byte> callId, ReadOnlySpan<byte> remoteTag, ReadOnlySpan<byte> localTag, MonoTime now)
    {
        ulong key = KeyOf(callId, remoteTag);
        if (!_byKey.TryGetValue(key, out int at))
        {
            at = _next;
            _next = (_next + 1) % Capacity;
            if (_entries[at].Tag is not null)
            {
                _byKey.Remove(_entries[at].Key);
            }
            _byKey[key] = at;
        }
        _entries[at] = new Entry(key, localTag.ToArray(), now.AddMillis(LifeMs));
    }

    /// <returns>The tag, or empty.</returns>
    public ReadOnlySpan<byte> Find(ReadOnlySpan<byte> callId, ReadOnlySpan<byte> remoteTag, MonoTime now) =>
        _byKey.TryGetValue(KeyOf(callId, remoteTag), out int at) && _entries[at].Until > now ? _entries[at].Tag : default;

    private ulong KeyOf(ReadOnlySpan<byte> callId, ReadOnlySpan<byte> remoteTag)
    {
        KeyedHash.Sum sum = hash.Begin();
        sum.Add(callId);
        sum.Add(remoteTag);
        return sum.Finish();
    }

    private readonly record struct Entry(ulong Key, byte[]? Tag, MonoTime Until);
}
