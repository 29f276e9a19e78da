using System;
using System.Collections.Generic;

namespace Proxy.Policy.Dispatch;

/// <summary>
/// Signal thread. Wrong PINs by caller number and rule, never by address: a carrier's address is everybody's.
/// <see cref="Most"/> within <see cref="WindowSeconds"/> lock for <see cref="LockSeconds"/>. Bounded; the oldest entry makes room.
/// </summary>
internal sealed class PinAttempts
{
    public const int Capacity = 16_384;
    public const int Most = 10;
    public const int WindowSeconds = 900;
    public const int LockSeconds = 900;

    private readonly Dictionary<(string Caller, string Rule), Wrong> _wrong = [];
    private readonly Queue<(string Caller, string Rule)> _order = new();

    public bool IsLocked(string caller, string rule, DateTimeOffset utc) =>
        _wrong.TryGetValue((caller, rule), out Wrong wrong) && utc.ToUnixTimeSeconds() < wrong.LockedUntil;

    /// <summary>Counts one wrong PIN.</summary>
    /// <returns>Whether the caller is locked now.</returns>
    public bool Add(string caller, string rule, DateTimeOffset utc)
    {
        (string, string) key = (caller, rule);
        long now = utc.ToUnixTimeSeconds();
        if (!_wrong.TryGetValue(key, out Wrong wrong))
        {
            if (_wrong.Count >= Capacity)
            {
                _wrong.Remove(_order.Dequeue());
            }
            _order.Enqueue(key);
        }
        if (now - wrong.Since > WindowSeconds)
        {
            wrong = new Wrong { Since = now };
        }
        wrong.Count++;
        if (wrong.Count >= Most)
        {
            wrong.LockedUntil = now + LockSeconds;
        }
        _wrong[key] = wrong;
        return wrong.Count >= Most;
    }

    private struct Wrong
    {
        public long Since;
        public long LockedUntil;
        public int Count;
    }
}
