using Proxy.Core.Time;
using Proxy.Sip.Parsing;
using Proxy.Sip.Transactions;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Dialogs;

/// <summary>Signal thread. Keeps one dialog's session alive when that is our part, and tells when the peer failed in its part.</summary>
/// <remarks>RFC 4028 §7.4, §10.</remarks>
internal sealed class SessionRefresh(SipCore core, SipDialog dialog, OwnRequests requests)
{
    private readonly SessionTimer _timer = new(core.Options);
    private bool _isRefreshing;

    public MonoTime Deadline => _timer.Deadline;

    /// <summary>Whether the peer said that it takes UPDATE.</summary>
    public bool PeerTakesUpdate { get; set; }

    /// <summary>Agrees on an interval in a 2xx of ours.</summary>
    public void AgreeAsServer(in SipMessageView request, ref SipHeaderLines lines, MonoTime now)
    {
        PeerTakesUpdate |= request.ListContains(SipHeaderId.Allow, "UPDATE"u8);
        _timer.AgreeAsServer(in request, ref lines, now);
    }

    /// <summary>A re-INVITE or UPDATE of ours got its 2xx.</summary>
    public void AgreeAsClient(in SipMessageView response, MonoTime now) => _timer.AgreeAsClient(in response, now);

    /// <summary>What each re-INVITE and UPDATE of ours says about the session.</summary>
    public void AddRequestLines(ref SipHeaderLines lines) => _timer.AddRequestLines(ref lines);

    public void Stop() => _timer.Stop();

    /// <summary>A request of ours ended.</summary>
    /// <returns>Whether it was a refresh, which the owner knows nothing of.</returns>
    public bool TakeRefresh(SipMethod method)
    {
        bool isRefresh = _isRefreshing && method is SipMethod.Invite or SipMethod.Update;
        _isRefreshing &= !isRefresh;
        return isRefresh;
    }

    public void HandleTimer(MonoTime now)
    {
        switch (_timer.HandleTimer(now))
        {
            case SessionDue.Expired:
                core.Raise(SipEventKind.SessionExpired, dialog);
                break;
            case SessionDue.Refresh:
                Refresh(now);
                break;
        }
    }

    /// <summary>A refresh was refused or not answered.</summary>
    public void HandleFailed(SipMethod method, int status, int message, MonoTime now)
    {
        switch (status)
        {
            case 422 when message >= 0 && SipMessageView.TryParse(core.Pool.Bytes(message), out SipMessageView response, out _, core.Limits)
                && _timer.Lengthen(in response, now):
                break;
            case 405 or 501 when method == SipMethod.Update:
                PeerTakesUpdate = false;
                _timer.RetrySoon(now);
                break;
            case 408 or 481:
                _timer.Stop();
                core.Raise(SipEventKind.SessionExpired, dialog, message, method: method, status: status);
                break;
            default:
                // 491 and whatever else may pass; if it does not, the interval runs out.
                _timer.RetrySoon(now);
                break;
        }
    }

    /// <summary>UPDATE without an offer where the peer takes it, else a re-INVITE with the session as it is.</summary>
    private void Refresh(MonoTime now)
    {
        _isRefreshing = PeerTakesUpdate ? dialog.Update(default, default, now) : dialog.Invite(requests.Sdp, default, now);
        if (!_isRefreshing)
        {
            _timer.RetrySoon(now);
        }
    }
}
