using System;
using Proxy.Core.Time;
using Proxy.Sip.Auth;
using Proxy.Sip.Parsing;
using Proxy.Sip.Transactions;

namespace Proxy.Sip.Dialogs;

/// <summary>Signal thread. The requests that we send inside one dialog.</summary>
/// <remarks>RFC 3261 §12.2.1, §13.2.2.4, §14.1, §22; RFC 3311 §5.1.</remarks>
internal sealed class OwnRequests(SipCore core, SipDialog dialog, DialogMessages messages)
{
    /// <summary>A proxy's challenge and the peer's own, or one of them and a nonce that was too old.</summary>
    private const int ChallengesMax = 2;
    private const int CredentialsMax = 4_096;

    private byte[] _sdp = [];
    private ChallengeAnswers? _answers;
    private uint _cseq;
    private uint _referSince;

    /// <summary>Whether a re-INVITE of ours has no final response yet.</summary>
    public bool IsInviting { get; private set; }

    /// <summary>Whether an UPDATE of ours has no final response yet.</summary>
    public bool IsUpdating { get; private set; }

    /// <summary>Whether we sent a REFER whose progress may be notified.</summary>
    public bool HasReferred => _referSince > 0;

    /// <summary>Whether a NOTIFY's id names a REFER before the last one (RFC 3515 §2.4.6).</summary>
    public bool IsPastRefer(long id) => id < _referSince;

    /// <summary>Our last session description.</summary>
    public ReadOnlySpan<byte> Sdp => _sdp;

    public void KeepSdp(ReadOnlySpan<byte> sdp)
    {
        if (!sdp.IsEmpty && !sdp.SequenceEqual(_sdp))
        {
            _sdp = sdp.ToArray();
        }
    }

    /// <returns>False when transactions or buffers are out.</returns>
    public bool Send(SipMethod method, ReadOnlySpan<byte> extra, ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, MonoTime now)
    {
        ClientTransaction? transaction = core.Client.TryTake();
        if (transaction is null)
        {
            return false;
        }
        SipFlow flow = DialogFlow.Of(dialog.Flow, dialog.RouteSet, dialog.RemoteTarget);
        transaction.CSeq = ++_cseq;
        int request = messages.BuildRequest(method, transaction.Branch, transaction.CSeq, in flow, extra, contentType, body);
        if (request < 0)
        {
            core.Client.Cancel(transaction);
            return false;
        }
        if (method is SipMethod.Invite or SipMethod.Update)
        {
            KeepSdp(body);
        }
        IsInviting |= method == SipMethod.Invite;
        IsUpdating |= method == SipMethod.Update;
        _referSince = method == SipMethod.Refer ? transaction.CSeq : _referSince;
        core.Client.Start(transaction, dialog, method, request, in flow, now);
        return true;
    }

    /// <summary>Sends a request again with credentials (§22.2, §22.3).</summary>
    /// <param name="refused">Its request is still there.</param>
    /// <param name="response">The 401 or 407.</param>
    /// <param name="login">Whose credentials.</param>
    /// <param name="now">The time of this turn.</param>
    /// <returns>False when the refusal stands.</returns>
    public bool TrySendAgain(ClientTransaction refused, in SipMessageView response, DigestLogin login, MonoTime now)
    {
        if (refused.Challenges >= ChallengesMax || !SipMessageView.TryParse(core.Pool.Bytes(refused.Request), out SipMessageView request, out _, core.Limits))
        {
            return false;
        }
        bool isProxy = response.StatusCode == 407;
        Span<byte> credentials = stackalloc byte[CredentialsMax];
        _answers ??= new ChallengeAnswers(login, core.Random);
        int length = _answers.Write(credentials, in response, SipMethods.Name(refused.Method), request.RequestUri, out bool isStale);
        bool wasTried = request.Has(isProxy ? SipHeaderId.ProxyAuthorization : SipHeaderId.Authorization);
        if (length == 0 || (wasTried && !isStale) || core.Client.TryTake() is not { } transaction)
        {
            return false;
        }
        SipFlow flow = DialogFlow.Of(dialog.Flow, dialog.RouteSet, dialog.RemoteTarget);
        transaction.CSeq = ++_cseq;
        int again = core.BuildAgain(in request, transaction.Branch, transaction.CSeq, isProxy, credentials[..length]);
        if (again < 0)
        {
            core.Client.Cancel(transaction);
            return false;
        }
        core.Client.Start(transaction, dialog, refused.Method, again, in flow, now);
        transaction.Challenges = refused.Challenges + 1;
        return true;
    }

    /// <summary>A request of ours has its final response.</summary>
    public void Settle(SipMethod method)
    {
        IsInviting = method != SipMethod.Invite && IsInviting;
        IsUpdating = method != SipMethod.Update && IsUpdating;
    }

    /// <summary>ACK of a 2xx to our re-INVITE: a request of its own with the INVITE's CSeq number (§13.2.2.4).</summary>
    public int BuildAckOfSuccess(uint cseq, out SipFlow flow)
    {
        Span<byte> branch = stackalloc byte[ClientTransactions.BranchLength];
        "z9hG4bK"u8.CopyTo(branch);
        RandomText.Fill(branch[7..], core.Random);
        flow = DialogFlow.Of(dialog.Flow, dialog.RouteSet, dialog.RemoteTarget);
        return messages.BuildRequest(SipMethod.Ack, branch, cseq, in flow, default, default, default);
    }
}
