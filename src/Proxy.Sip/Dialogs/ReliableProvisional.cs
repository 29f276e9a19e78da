using Proxy.Core.Time;
using Proxy.Sip.Transactions;

namespace Proxy.Sip.Dialogs;

/// <summary>Signal thread. One provisional response that is repeated until its PRACK comes or 64·T1 are over; one at a time.</summary>
/// <remarks>RFC 3262 §3.</remarks>
internal sealed class ReliableProvisional(SipCore core)
{
    private int _message = -1;
    private SipFlow _flow;
    private long _intervalMs;
    private MonoTime _nextAt = MonoTime.Never;
    private MonoTime _endAt = MonoTime.Never;

    public bool IsWaiting => _message >= 0;

    /// <summary>RSeq of the response that went out last; 0 before the first.</summary>
    public uint RSeq { get; set; }

    /// <summary>Whether it carried a session description: no 2xx may pass it then.</summary>
    public bool HasBody { get; private set; }

    public MonoTime Deadline => MonoTime.Min(_nextAt, _endAt);

    /// <param name="invite">Its Response is the provisional response that was just sent.</param>
    /// <param name="hasBody">Whether SDP went with it.</param>
    /// <param name="now">The time of this turn.</param>
    public void Begin(ServerTransaction invite, bool hasBody, MonoTime now)
    {
        Stop();
        _message = invite.Response;
        core.Pool.AddReference(_message);
        _flow = invite.Route;
        HasBody = hasBody;
        _intervalMs = core.T1;
        _nextAt = now.AddMillis(core.T1);
        _endAt = now.AddMillis(64 * core.T1);
    }

    public void Stop()
    {
        core.Pool.Release(_message);
        _message = -1;
        _nextAt = MonoTime.Never;
        _endAt = MonoTime.Never;
    }

    /// <returns>True when 64·T1 are over without a PRACK.</returns>
    public bool HandleTimer(MonoTime now)
    {
        if (_endAt <= now)
        {
            Stop();
            return true;
        }
        if (_nextAt <= now)
        {
            core.Counters.Retransmissions++;
            core.Sends.TryAdd(_message, in _flow, ref core.Counters);
            _intervalMs *= 2;
            _nextAt = now.AddMillis(_intervalMs);
        }
        return false;
    }
}
