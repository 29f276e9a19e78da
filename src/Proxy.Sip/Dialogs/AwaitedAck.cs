using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Sip.Transactions;

namespace Proxy.Sip.Dialogs;

/// <summary>Signal thread. A 2xx that is repeated until its ACK comes or 64·T1 are over.</summary>
/// <remarks>RFC 3261 §13.3.1.4: also over TCP, because a proxy on the way may use UDP.</remarks>
internal sealed class AwaitedAck(SipCore core)
{
    private int _message = -1;
    private SipFlow _flow;
    private long _intervalMs;
    private MonoTime _nextAt = MonoTime.Never;
    private MonoTime _endAt = MonoTime.Never;

    /// <summary>Whether an ACK is still waited for.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>CSeq number of the INVITE that was answered last.</summary>
    public uint CSeq { get; private set; }

    /// <summary>The INVITE's transaction.</summary>
    public SlotId Invite { get; private set; } = SlotId.None;

    public MonoTime Deadline => MonoTime.Min(_nextAt, _endAt);

    public void Begin(ServerTransaction invite, MonoTime now)
    {
        Stop();
        _message = invite.Response;
        core.Pool.AddReference(_message);
        _flow = invite.Route;
        CSeq = invite.CSeq;
        Invite = invite.Id;
        IsWaiting = true;
        _intervalMs = core.T1;
        _nextAt = now.AddMillis(core.T1);
        _endAt = now.AddMillis(64 * core.T1);
    }

    /// <summary>Ends the repetition; the transaction then absorbs repeated INVITEs silently.</summary>
    public void Stop()
    {
        if (!IsWaiting)
        {
            return;
        }
        IsWaiting = false;
        core.Pool.Release(_message);
        _message = -1;
        _nextAt = MonoTime.Never;
        _endAt = MonoTime.Never;
        if (core.Server.TryGet(Invite, out ServerTransaction? transaction) && transaction.State == ServerState.Accepted)
        {
            core.Server.ForgetResponse(transaction);
        }
    }

    public void Move(in SipFlow flow) => _flow = flow;

    /// <returns>True when 64·T1 are over without an ACK.</returns>
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
            _intervalMs = long.Min(_intervalMs * 2, core.T2);
            _nextAt = now.AddMillis(_intervalMs);
        }
        return false;
    }
}
