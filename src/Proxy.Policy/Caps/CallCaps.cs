using System.Collections.Generic;
using System.Runtime.InteropServices;
using Proxy.Core.Time;

namespace Proxy.Policy.Caps;

/// <summary>Any thread. What a cap counts.</summary>
public enum CapScope : byte
{
    Trunk,
    Rule,
    Number,
    Caller,
}

/// <summary>Any thread. One count that a call adds to.</summary>
/// <param name="Scope">What is counted.</param>
/// <param name="Id">Trunk id or rule id.</param>
/// <param name="MaxCalls">Most calls at once; 0 for no limit.</param>
/// <param name="MaxPerSecond">Most new calls in one second of the clock; 0 for no limit.</param>
public readonly record struct CapClaim(CapScope Scope, string Id, int MaxCalls, int MaxPerSecond)
{
    /// <summary>Normalised number that is called, or calls; empty where trunk or rule count.</summary>
    public string Number { get; init; } = "";

    internal (CapScope Scope, string Id, string Number) Key => (Scope, Id, Number);
}

/// <summary>
/// Signal thread. Exact counts of running calls, and of new calls in the running second, per trunk, rule, number and caller.
/// Each step is O(1); an entry lives while a call of it runs and at most a second longer.
/// </summary>
public sealed class CallCaps
{
    private const long SecondMicros = 1_000_000;

    private readonly Dictionary<(CapScope Scope, string Id, string Number), Count> _counts = [];
    private readonly Queue<((CapScope Scope, string Id, string Number) Key, long Second)> _idle = new();

    /// <summary>Entries held; for metrics and leak tests.</summary>
    public int Entries => _counts.Count;

    /// <summary>Counts the call. Call it once, right after <c>Decide</c> said Join or AskPin.</summary>
    public void Take(CapClaim[] claims, MonoTime now)
    {
        Sweep(now);
        foreach (CapClaim claim in claims)
        {
            ref Count count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, claim.Key, out _);
            long second = now.Micros / SecondMicros;
            if (count.Second != second)
            {
                count.Second = second;
                count.ThisSecond = 0;
            }
            count.ThisSecond++;
            count.Running++;
        }
    }

    /// <summary>Gives back what <see cref="Take"/> took. Call it once at the end of the call.</summary>
    public void Release(CapClaim[] claims, MonoTime now)
    {
        foreach (CapClaim claim in claims)
        {
            ref Count count = ref CollectionsMarshal.GetValueRefOrNullRef(_counts, claim.Key);
            if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref count))
            {
                continue;
            }
            if (--count.Running == 0)
            {
                _idle.Enqueue((claim.Key, now.Micros / SecondMicros));
            }
        }
        Sweep(now);
    }

    /// <summary>Takes again what was given back for one decision; it is no new call.</summary>
    public void Restore(CapClaim[] claims)
    {
        foreach (CapClaim claim in claims)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_counts, claim.Key, out _).Running++;
        }
    }

    /// <summary>The call counts against other claims now (a PIN chose another rule); what both name stays counted once.</summary>
    public void Move(CapClaim[] from, CapClaim[] to, MonoTime now)
    {
        Take(Without(to, from), now);
        Release(Without(from, to), now);
    }

    /// <summary>The claims that the others do not hold.</summary>
    internal static CapClaim[] Without(CapClaim[] claims, CapClaim[] others)
    {
        var rest = new List<CapClaim>(claims.Length);
        foreach (CapClaim claim in claims)
        {
            if (!System.Array.Exists(others, o => o.Key == claim.Key))
            {
                rest.Add(claim);
            }
        }
        return [.. rest];
    }

    /// <summary>A view for one decision.</summary>
    public CapsView At(MonoTime now) => new(this, now);

    /// <summary>Calls of one count that run now.</summary>
    public int Running(CapScope scope, string id, string number = "") => _counts.TryGetValue((scope, id, number), out Count count) ? count.Running : 0;

    /// <returns>False when one more call would break the claim.</returns>
    internal bool Allows(in CapClaim claim, MonoTime now)
    {
        if (!_counts.TryGetValue(claim.Key, out Count count))
        {
            return true;
        }
        if (claim.MaxCalls > 0 && count.Running >= claim.MaxCalls)
        {
            return false;
        }
        return claim.MaxPerSecond <= 0 || count.Second != now.Micros / SecondMicros || count.ThisSecond < claim.MaxPerSecond;
    }

    /// <summary>Forgets idle entries whose second is over; at most four a step, so that the step stays O(1).</summary>
    private void Sweep(MonoTime now)
    {
        long second = now.Micros / SecondMicros;
        for (int i = 0; i < 4 && _idle.TryPeek(out ((CapScope, string, string) Key, long Second) idle) && idle.Second != second; i++)
        {
            _idle.Dequeue();
            // An entry that was used again since stands further back once more.
            if (_counts.TryGetValue(idle.Key, out Count count) && count.Running == 0 && count.Second != second)
            {
                _counts.Remove(idle.Key);
            }
        }
    }

    private struct Count
    {
        public int Running;
        public int ThisSecond;
        public long Second;
    }
}

/// <summary>Signal thread. The counts at one moment; the default value checks nothing (explain).</summary>
public readonly record struct CapsView
{
    private readonly CallCaps? _caps;
    private readonly MonoTime _now;

    internal CapsView(CallCaps caps, MonoTime now)
    {
        _caps = caps;
        _now = now;
    }

    /// <summary>Whether counts are looked at.</summary>
    public bool IsSet => _caps is not null;

    /// <returns>True when the claim holds, or nothing is counted.</returns>
    public bool Allows(in CapClaim claim) => _caps is null || _caps.Allows(claim, _now);
}
