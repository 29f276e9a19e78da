using System;
using System.Collections.Generic;
using Proxy.Core.Net;

namespace Proxy.Policy.Digest;

/// <summary>
/// Signal thread. Wrong passwords from sources that nobody lists, by address (IPv6: by /64): <see cref="Most"/> in
/// <see cref="WindowSeconds"/> lock the source out for <see cref="LockSeconds"/>. Bounded; the oldest entry makes room.
/// </summary>
internal sealed class FailedSources
{
    public const int Capacity = 4_096;
    public const int Most = 20;
    public const int WindowSeconds = 300;
    public const int LockSeconds = 900;

    private readonly Dictionary<NetAddress, Failures> _sources = [];
    private readonly Queue<NetAddress> _order = new();

    public bool IsLocked(in NetAddress source, DateTimeOffset utc) =>
        _sources.TryGetValue(Prefix(source), out Failures failures) && utc.ToUnixTimeSeconds() < failures.LockedUntil;

    public void Add(in NetAddress source, DateTimeOffset utc)
    {
        NetAddress key = Prefix(source);
        long now = utc.ToUnixTimeSeconds();
        if (!_sources.TryGetValue(key, out Failures failures))
        {
            if (_sources.Count >= Capacity)
            {
                _sources.Remove(_order.Dequeue());
            }
            _order.Enqueue(key);
        }
        if (now - failures.Since > WindowSeconds)
        {
            failures = new Failures { Since = now };
        }
        failures.Count++;
        if (failures.Count >= Most)
        {
            failures.LockedUntil = now + LockSeconds;
        }
        _sources[key] = failures;
    }

    private static NetAddress Prefix(in NetAddress source)
    {
        if (!source.IsV6)
        {
            return source;
        }
        Span<byte> bytes = stackalloc byte[16];
        source.WriteBytes(bytes);
        bytes[8..].Clear();
        return NetAddress.TryFromBytes(bytes, out NetAddress prefix) ? prefix : source;
    }

    private struct Failures
    {
        public long Since;
        public long LockedUntil;
        public int Count;
    }
}
