using Proxy.Core.Time;

namespace Proxy.Sip.Targets;

/// <summary>Signal thread. Targets that did not work of late, and are left alone for a while. Few at any time, and bounded: the oldest makes room.</summary>
/// <remarks>RFC 3263 §4.3, RFC 3261 §18.1.1: so that each call does not find out again.</remarks>
internal sealed class TargetRests(int capacity)
{
    private readonly Rest[] _rests = new Rest[capacity];
    private int _count;
    private int _next;

    public bool Has(in SipTarget target, MonoTime now) => Find(in target) is var place and >= 0 && _rests[place].Until > now;

    public void Add(in SipTarget target, MonoTime until)
    {
        int place = Find(in target);
        if (place < 0)
        {
            place = _next;
            _next = (_next + 1) % _rests.Length;
            _count += _count < _rests.Length ? 1 : 0;
        }
        _rests[place] = new Rest { Target = target, Until = until };
    }

    /// <summary>It answered.</summary>
    public void Forget(in SipTarget target)
    {
        if (Find(in target) is var place and >= 0)
        {
            _rests[place].Until = default;
        }
    }

    private int Find(in SipTarget target)
    {
        for (int i = 0; i < _count; i++)
        {
            if (_rests[i].Target == target)
            {
                return i;
            }
        }
        return -1;
    }

    private struct Rest
    {
        public SipTarget Target;
        public MonoTime Until;
    }
}
