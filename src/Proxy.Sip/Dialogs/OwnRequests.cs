using System;
using Proxy.Core.Time;
using Proxy.Sip.Auth;
using Proxy.Sip.Parsing;
using Proxy.Sip.Targets;
using Proxy.Sip.Transactions;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Dialogs;

/// <summary>Signal thread. The requests that we send inside one dialog.</summary>
/// <remarks>RFC 3261 §12.2.1, §13.2.2.4, §14.1, §22; RFC 3311 §5.1.</remarks>
internal sealed class OwnRequests(SipCore core, SipDialog dialog, DialogMessages messages, DialogTargets targets)
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
        transaction.CSeq = ++_cseq;
        targets.TryNext(default, isLong: false, now, out SipFlow flow, out bool hasOthers);
        int request = messages.BuildRequest(method, transaction.Branch, transaction.CSeq, in flow, extra, contentType, body);
        if (IsTooLong(request, in flow) && targets.TryNext(default, isLong: true, now, out SipFlow stream, out bool hasDatagram) && stream.IsReliable)
        {
            core.Pool.Release(request);
            (flow, hasOthers) = (stream, hasDatagram);
            request = messages.BuildRequest(method, transaction.Branch, transaction.CSeq, in flow, extra, contentType, body);
            core.Counters.LongRequests++;
        }
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
        core.Client.Start(transaction, dialog, method, request, in flow, hasOthers, now);
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
        transaction.CSeq = ++_cseq;
        var parts = new AgainParts { Branch = transaction.Branch, CSeq = transaction.CSeq, IsProxy = isProxy, Credentials = credentials[..length] };
        transaction.Challenges = refused.Challenges + 1;
        return TryStart(transaction, refused.Method, in request, ref parts, now);
    }

    /// <summary>Sends a request once more, to the next place (RFC 3263 §4.3; §18.1.1: a datagram where the connection failed).</summary>
    /// <param name="failed">Its request is still there.</param>
    /// <param name="now">The time of this turn.</param>
    /// <returns>False when there is no other place.</returns>
    public bool TryElsewhere(ClientTransaction failed, MonoTime now)
    {
        if (core.Client.TryTake() is not { } transaction)
        {
            return false;
        }
        if (!transaction.TryFollow(failed) || !SipMessageView.TryParse(core.Pool.Bytes(failed.Request), out SipMessageView request, out _, core.Limits))
        {
            core.Client.Cancel(transaction);
            return false;
        }
        transaction.CSeq = failed.CSeq;
        var parts = new AgainParts { Branch = transaction.Branch, CSeq = failed.CSeq };
        return TryStart(transaction, failed.Method, in request, ref parts, now);
    }

    private bool TryStart(ClientTransaction transaction, SipMethod method, in SipMessageView request, ref AgainParts parts, MonoTime now)
    {
        bool isThere = targets.TryNext(transaction.Tried, isLong: false, now, out SipFlow flow, out bool hasOthers);
        int again = isThere ? BuildAgain(in request, ref parts, in flow) : -1;
        if (IsTooLong(again, in flow) && targets.TryNext(transaction.Tried, isLong: true, now, out SipFlow stream, out bool hasDatagram) && stream.IsReliable)
        {
            core.Pool.Release(again);
            (flow, hasOthers) = (stream, hasDatagram);
            again = BuildAgain(in request, ref parts, in flow);
        }
        if (again < 0)
        {
            core.Client.Cancel(transaction);
            return false;
        }
        hasOthers &= transaction.Tried.Length < ClientTransaction.PlacesMax - 1;
        core.Client.Start(transaction, dialog, method, again, in flow, hasOthers, now);
        return true;
    }

    private int BuildAgain(in SipMessageView request, ref AgainParts parts, in SipFlow flow)
    {
        parts.Transport = flow.Transport;
        parts.SentBy = core.Listener(in flow).Advertised;
        return core.BuildAgain(in request, in parts);
    }

    private bool IsTooLong(int request, in SipFlow flow) =>
        request >= 0 && flow.Transport == SipTransport.Udp && core.Pool.Bytes(request).Length > DialogTargets.DatagramMax;

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
        targets.TryNext(default, isLong: false, core.Now, out flow, out _);
        return messages.BuildRequest(SipMethod.Ack, branch, cseq, in flow, default, default, default);
    }
}
