using System.Collections.Generic;
using Proxy.Core.Time;

namespace Proxy.Sip.Targets;

/// <summary>Signal thread. Targets that did not work of late, and are left alone for a while. Bounded: the oldest makes room.</summary>
/// <remarks>RFC 3263 §4.3, RFC 3261 §18.1.1: so that each call does not find out again.</remarks>
internal sealed class TargetRests(int capacity)
{
    private readonly Dictionary<SipTarget, MonoTime> _until = [];
    private readonly Queue<SipTarget> _order = new();

    public bool Has(in SipTarget target, MonoTime now) => _until.TryGetValue(target, out MonoTime until) && until > now;

    public void Add(in SipTarget target, MonoTime until)
    {
        if (!_until.ContainsKey(target))
        {
            if (_until.Count >= capacity)
            {
                _until.Remove(_order.Dequeue());
            }
            _order.Enqueue(target);
        }
        _until[target] = until;
    }

    /// <summary>It answered.</summary>
    public void Forget(in SipTarget target)
    {
        if (_until.Count > 0 && _until.ContainsKey(target))
        {
            // Its place in the order stays: it goes with the place.
            _until[target] = default;
        }
    }
}
