using System;
using System.Collections.Generic;
using Proxy.Core;
using Proxy.Policy.Numbers;

namespace Proxy.Policy.Dispatch;

/// <summary>
/// Signal thread. Wrong PINs by caller number and rule, never by address: a carrier's address is everybody's.
/// <see cref="Limits.PinWrongMost"/> within <see cref="Limits.PinWrongWindow"/> lock for <see cref="Limits.PinLock"/>. Bounded; the oldest entry makes room.
/// </summary>
internal sealed class PinAttempts(Limits limits)
{
    private readonly Dictionary<(string Caller, string Rule), Wrong> _wrong = [];
    private readonly Queue<(string Caller, string Rule)> _order = new();

    public bool IsLocked(string caller, string rule, DateTimeOffset utc) =>
        _wrong.TryGetValue((NumberText.Normalise(caller), rule), out Wrong wrong) && utc < wrong.LockedUntil;

    /// <summary>Counts one wrong PIN.</summary>
    /// <returns>Whether the caller is locked now.</returns>
    public bool Add(string caller, string rule, DateTimeOffset utc)
    {
        (string, string) key = (NumberText.Normalise(caller), rule);
        if (!_wrong.TryGetValue(key, out Wrong wrong))
        {
            if (_wrong.Count >= limits.PinCallersRemembered)
            {
                _wrong.Remove(_order.Dequeue());
            }
            _order.Enqueue(key);
        }
        if (utc - wrong.Since > limits.PinWrongWindow)
        {
            wrong = new Wrong { Since = utc };
        }
        wrong.Count++;
        bool isLocked = wrong.Count >= limits.PinWrongMost;
        if (isLocked)
        {
            wrong.LockedUntil = utc + limits.PinLock;
        }
        _wrong[key] = wrong;
        return isLocked;
    }

    private struct Wrong
    {
        public DateTimeOffset Since;
        public DateTimeOffset LockedUntil;
        public int Count;
    }
}
