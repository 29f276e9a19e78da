using System;
using System.Text;
using Proxy.Core.Collections;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Sip.Parsing;
using Proxy.Sip.Transactions;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Dialogs;

/// <summary>Any thread. The life of a dialog.</summary>
public enum SipDialogState : byte
{
    /// <summary>INVITE not yet answered.</summary>
    Early,

    /// <summary>2xx sent.</summary>
    Confirmed,

    /// <summary>Rejected, cancelled, or BYE sent or received. Calls on it return false.</summary>
    Ended,
}

/// <summary>
/// Signal thread. One call's signalling with one peer, from the INVITE until nothing of it is left. Each method that sends
/// returns false when the dialog's state forbids it or when buffers are out (counted); nothing throws.
/// </summary>
/// <remarks>RFC 3261 §12; matched by Call-ID and both tags, and by the source of the request.</remarks>
public sealed class SipDialog
{
    /// <summary>A 180 that was taken is said again once a minute (RFC 3261 §13.3.1.1).</summary>
    private const long RingRefreshMs = 55_000;

    private readonly SipCore _core;
    private readonly DialogMessages _messages;
    private readonly AwaitedAck _ack;
    private readonly ReliableProvisional _reliable;
    private readonly SessionTimer _session;
    private readonly bool _mustBeReliable;
    private readonly bool _mayBeReliable;
    private DueMessage? _dueBye;
    private DueMessage? _dueAccept;
    private byte[] _localSdp = [];
    private bool _isRefreshing;
    private bool _peerTakesUpdate;
    private MonoTime _lastRingAt = new(long.MinValue);
    private uint _localCSeq;

    internal SipDialog(SipCore core, in SipMessageView invite, in SipFlow flow, ReadOnlySpan<byte> localTag)
    {
        _core = core;
        _messages = new DialogMessages(core, in invite, in flow, localTag);
        _ack = new AwaitedAck(core);
        _reliable = new ReliableProvisional(core);
        _session = new SessionTimer(core.Options);
        LocalTag = Encoding.ASCII.GetString(localTag);
        Flow = flow;
        RemoteCSeq = invite.CSeq.Number;
        _mustBeReliable = invite.ListContains(SipHeaderId.Require, "100rel"u8);
        _mayBeReliable = _mustBeReliable || invite.ListContains(SipHeaderId.Supported, "100rel"u8);
        _peerTakesUpdate = invite.ListContains(SipHeaderId.Allow, "UPDATE"u8);
        IsAnswerDue = invite.Body.IsEmpty;
    }

    /// <summary>The owner's own object (the call).</summary>
    public object? Owner { get; set; }

    public SipDialogState State { get; private set; }

    /// <summary>Our tag, <c>SCL_</c> and 12 base57 characters: the same on every response, 100 too.</summary>
    public string LocalTag { get; }

    public ReadOnlySpan<byte> CallId => Identity.CallId;

    /// <summary>The caller's From tag; empty for RFC 2543 callers.</summary>
    public ReadOnlySpan<byte> RemoteTag => Identity.RemoteTag;

    /// <summary>The Route values of our requests, comma-separated, in sending order; empty without a route set.</summary>
    public ReadOnlySpan<byte> RouteSet => Identity.RouteSet;

    /// <summary>The peer's Contact URI.</summary>
    public ReadOnlySpan<byte> RemoteTarget => _messages.RemoteTarget;

    /// <summary>Where the dialog lives: the flow of the INVITE.</summary>
    public SipFlow Flow { get; private set; }

    /// <summary>The INVITE that made the dialog, as received; empty once its transaction is over (at least until 64·T1 after the answer).</summary>
    public ReadOnlySpan<byte> InviteBytes => _core.Server.TryGet(InviteTransaction, out ServerTransaction? invite) ? _core.Pool.Bytes(invite.Request) : default;

    /// <summary>Whether our 2xx was acknowledged.</summary>
    public bool IsAcknowledged { get; private set; }

    /// <summary>Networks, beside the address of the INVITE, from which in-dialog requests are taken (the trunk's addresses).</summary>
    public SipSourceRange[] AllowedSources { get; set; } = [];

    internal SlotId Id { get; set; } = SlotId.None;

    internal DialogIdentity Identity => _messages.Identity;

    /// <summary>The transaction of the INVITE that made the dialog.</summary>
    internal SlotId InviteTransaction { get; set; } = SlotId.None;

    /// <summary>A re-INVITE of the peer that has no final response yet.</summary>
    internal SlotId PendingReInvite { get; set; } = SlotId.None;

    /// <summary>An UPDATE of the peer with an offer that has no response yet.</summary>
    internal SlotId PendingUpdate { get; set; } = SlotId.None;

    /// <summary>Whether a re-INVITE of ours has no final response yet.</summary>
    internal bool IsInviting { get; private set; }

    /// <summary>Whether an UPDATE of ours has no final response yet.</summary>
    internal bool IsUpdating { get; private set; }

    /// <summary>Highest CSeq number of the peer's requests.</summary>
    internal uint RemoteCSeq { get; set; }

    internal bool IsAwaitingAck => _ack.IsWaiting;

    /// <summary>Whether the answer to our offer is to come in the ACK (late offer).</summary>
    internal bool IsAnswerDue { get; private set; }

    /// <summary>Whether we sent a REFER whose progress may be notified.</summary>
    internal bool HasReferred { get; private set; }

    /// <summary>Sends 180.</summary>
    /// <param name="now">The time of this turn.</param>
    /// <param name="extraHeaders">Whole header lines, each ended by CRLF (see <see cref="SipHeaderLines"/>); may be empty.</param>
    public bool Ring(MonoTime now, ReadOnlySpan<byte> extraHeaders = default) => SendProvisional(180, default, extraHeaders, now);

    /// <summary>Sends 183 with a body; reliably (RFC 3262) when the caller requires it.</summary>
    /// <param name="sdp">The answer (or offer) for early media; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    /// <param name="extraHeaders">Whole header lines; may be empty.</param>
    public bool Progress(ReadOnlySpan<byte> sdp, MonoTime now, ReadOnlySpan<byte> extraHeaders = default) => SendProvisional(183, sdp, extraHeaders, now);

    /// <summary>Sends 200 with Contact, Allow, Supported and the Record-Route of the INVITE; repeats it until the ACK or for 64·T1.</summary>
    /// <param name="sdp">The answer; or the offer when the INVITE had none.</param>
    /// <param name="extraHeaders">Whole header lines, each ended by CRLF; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    /// <remarks>While a reliable 183 with SDP waits for its PRACK the 200 waits too (RFC 3262 §3).</remarks>
    public bool Accept(ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extraHeaders, MonoTime now)
    {
        if (State != SipDialogState.Early || !_core.Server.TryGet(InviteTransaction, out ServerTransaction? invite))
        {
            return false;
        }
        if (_reliable.IsWaiting && _reliable.HasBody)
        {
            _dueAccept = new DueMessage(sdp.ToArray(), extraHeaders.ToArray());
            return true;
        }
        if (!Answer(invite, 200, sdp, extraHeaders, now))
        {
            return false;
        }
        _reliable.Stop();
        State = SipDialogState.Confirmed;
        _ack.Begin(invite, now);
        Arm();
        return true;
    }

    /// <summary>Refuses the INVITE, repeats the response until its ACK; the dialog is over.</summary>
    /// <param name="status">300–699.</param>
    /// <param name="reason">Reason phrase; empty takes the usual one.</param>
    /// <param name="extraHeaders">Whole header lines (Retry-After, Warning, Reason); may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Reject(int status, ReadOnlySpan<byte> reason, ReadOnlySpan<byte> extraHeaders, MonoTime now)
    {
        if (State != SipDialogState.Early || !_core.Server.TryGet(InviteTransaction, out ServerTransaction? invite))
        {
            return false;
        }
        bool isSent = _core.Server.Respond(invite, _messages.BuildResponse(invite, true, status, reason, default, extraHeaders), status, now);
        End();
        return isSent;
    }

    /// <summary>Asks for credentials; the dialog is over, the next INVITE of the same Call-ID and From tag gets the same LocalTag for 60 s.</summary>
    /// <param name="status">401 (WWW-Authenticate) or 407 (Proxy-Authenticate).</param>
    /// <param name="headerValue">The challenge, see <see cref="Auth.DigestChallenge"/>.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Challenge(int status, ReadOnlySpan<byte> headerValue, MonoTime now)
    {
        Span<byte> line = stackalloc byte[1024];
        var lines = new SipHeaderLines(line);
        lines.Add(status == 401 ? "WWW-Authenticate"u8 : "Proxy-Authenticate"u8, headerValue);
        if (!lines.IsComplete)
        {
            return false;
        }
        _core.RecentTags.Remember(Identity.CallId, Identity.RemoteTag, Identity.LocalTag, now);
        return Reject(status, default, lines.Written, now);
    }

    /// <summary>Forgets the INVITE without any response; its retransmissions are absorbed for 64·T1. Counted.</summary>
    public void Drop(MonoTime now)
    {
        if (State == SipDialogState.Early && _core.Server.TryGet(InviteTransaction, out ServerTransaction? invite))
        {
            _core.Counters.Silenced++;
            _core.Server.Silence(invite, now);
            End();
        }
    }

    /// <summary>
    /// Hangs up. Before the answer it rejects with 480 instead; before the ACK the BYE waits for it (RFC 3261 §15). BYE is
    /// repeated in the background; the end is ByeFinished.
    /// </summary>
    /// <param name="reasonHeader">Value of the Reason field (RFC 3326), for example <c>Q.850;cause=16</c>; may be empty.</param>
    /// <param name="extraHeaders">Whole header lines; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Bye(ReadOnlySpan<byte> reasonHeader, ReadOnlySpan<byte> extraHeaders, MonoTime now)
    {
        if (State == SipDialogState.Ended)
        {
            return false;
        }
        Span<byte> buffer = stackalloc byte[2048];
        var lines = new SipHeaderLines(buffer);
        if (!reasonHeader.IsEmpty)
        {
            lines.Add("Reason"u8, reasonHeader);
        }
        lines.AddLines(extraHeaders);
        if (State == SipDialogState.Early)
        {
            return Reject(480, default, lines.Written, now);
        }
        State = SipDialogState.Ended;
        _session.Stop();
        Arm();
        if (_ack.IsWaiting)
        {
            _dueBye = new DueMessage([], lines.Written.ToArray());
            return true;
        }
        return SendBye(lines.Written, now);
    }

    /// <summary>Answers a request of the peer inside the dialog (ReInvite, Update, Info, Refer, OtherRequest).</summary>
    /// <param name="request">From the event.</param>
    /// <param name="status">100–699; a final one ends the request.</param>
    /// <param name="body">SDP for ReInvite and Update, else as Content-Type in <paramref name="extraHeaders"/> says; may be empty.</param>
    /// <param name="extraHeaders">Whole header lines; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Respond(SlotId request, int status, ReadOnlySpan<byte> body, ReadOnlySpan<byte> extraHeaders, MonoTime now)
    {
        if (!_core.Server.TryGet(request, out ServerTransaction? transaction) || transaction.Dialog != this || request == InviteTransaction
            || !Answer(transaction, status, body, extraHeaders, now))
        {
            return false;
        }
        if (status >= 200)
        {
            SettleRequest(transaction, status, now);
        }
        return true;
    }

    /// <summary>Sends REFER (blind transfer, RFC 3515); its progress comes as NotifyReceived.</summary>
    /// <param name="referTo">The URI, without angle brackets.</param>
    /// <param name="extraHeaders">Whole header lines; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Refer(ReadOnlySpan<byte> referTo, ReadOnlySpan<byte> extraHeaders, MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[4096];
        Span<byte> value = stackalloc byte[1024];
        if (referTo.IsEmpty || referTo.Length > value.Length - 2 || referTo.ContainsAny("<> \r\n"u8))
        {
            return false;
        }
        value[0] = (byte)'<';
        referTo.CopyTo(value[1..]);
        value[referTo.Length + 1] = (byte)'>';
        var lines = new SipHeaderLines(buffer);
        lines.Add("Refer-To"u8, value[..(referTo.Length + 2)]);
        lines.AddLines(extraHeaders);
        bool isSent = lines.IsComplete && Send(SipMethod.Refer, lines.Written, default, default, now);
        HasReferred |= isSent;
        return isSent;
    }

    /// <summary>Sends a re-INVITE with an offer; ends in RequestSucceeded (the ACK is sent by the dialog) or RequestFailed.</summary>
    /// <param name="sdp">The offer.</param>
    /// <param name="extraHeaders">Whole header lines; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Invite(ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extraHeaders, MonoTime now)
    {
        if (IsInviting || IsUpdating || !PendingReInvite.IsNone || !PendingUpdate.IsNone || _ack.IsWaiting)
        {
            return false;
        }
        IsInviting = Send(SipMethod.Invite, extraHeaders, "application/sdp"u8, sdp, now);
        return IsInviting;
    }

    /// <summary>Sends UPDATE (RFC 3311); without SDP it refreshes the session.</summary>
    /// <param name="sdp">The offer, or empty.</param>
    /// <param name="extraHeaders">Whole header lines; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Update(ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extraHeaders, MonoTime now)
    {
        if (IsInviting || IsUpdating || !PendingReInvite.IsNone || !PendingUpdate.IsNone)
        {
            return false;
        }
        IsUpdating = Send(SipMethod.Update, extraHeaders, "application/sdp"u8, sdp, now);
        return IsUpdating;
    }

    /// <summary>Sends INFO.</summary>
    /// <param name="contentType">For example <c>application/dtmf-relay</c>.</param>
    /// <param name="body">May be empty.</param>
    /// <param name="extraHeaders">Whole header lines; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Info(ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, ReadOnlySpan<byte> extraHeaders, MonoTime now) =>
        Send(SipMethod.Info, extraHeaders, contentType, body, now);

    /// <summary>Whether in-dialog requests from that address are taken.</summary>
    internal bool Allows(NetAddress source)
    {
        if (source == Flow.Remote.Address)
        {
            return true;
        }
        foreach (SipSourceRange range in AllowedSources)
        {
            if (range.Contains(source))
            {
                return true;
            }
        }
        return false;
    }

    internal void HandleAck(in SipMessageView ack, MonoTime now)
    {
        if (ack.CSeq.Number != _ack.CSeq || (State == SipDialogState.Early))
        {
            _core.Counters.StrayAcks++;
            return;
        }
        bool isFirst = _ack.IsWaiting || !IsAcknowledged;
        _ack.Stop();
        IsAcknowledged = true;
        IsAnswerDue = false;
        Arm();
        if (!isFirst)
        {
            _core.Counters.Absorbed++;
        }
        else if (_dueBye is not null)
        {
            SendDueBye(now);
        }
        else if (State == SipDialogState.Confirmed)
        {
            int copy = _core.Pool.TryCopy(ack.Message);
            _core.Raise(SipEventKind.Confirmed, this, copy, method: SipMethod.Ack);
            _core.Pool.Release(copy);
        }
    }

    /// <summary>The peer proved in another way that the 2xx arrived (re-INVITE, BYE).</summary>
    internal void HandleImplicitAck()
    {
        _ack.Stop();
        Arm();
    }

    /// <summary>The INVITE was cancelled, or the early dialog ended by BYE: 487 and the end.</summary>
    internal void HandleCancelled(MonoTime now, int message)
    {
        if (Reject(487, default, default, now))
        {
            _core.Raise(SipEventKind.Cancelled, this, message);
        }
    }

    /// <summary>CANCEL for a re-INVITE: 487, the call goes on as it was.</summary>
    internal void HandleReInviteCancelled(ServerTransaction transaction, MonoTime now)
    {
        if (Respond(transaction.Id, 487, default, default, now))
        {
            _core.Raise(SipEventKind.ReInviteCancelled, this, request: transaction.Id, method: SipMethod.Invite);
        }
    }

    /// <summary>The peer's BYE on a confirmed dialog; its 200 is sent already.</summary>
    internal void HandleBye(int message, MonoTime now)
    {
        bool wasConfirmed = State == SipDialogState.Confirmed;
        _ack.Stop();
        RefusePending(now);
        if (wasConfirmed)
        {
            End();
            _core.Raise(SipEventKind.ByeReceived, this, message, method: SipMethod.Bye);
        }
        else if (_dueBye is not null)
        {
            // Our own BYE waited for the ACK: now it is not needed.
            _dueBye = null;
            End();
            _core.Raise(SipEventKind.ByeFinished, this, status: 200);
        }
    }

    internal void HandleTransactionGone(SlotId id)
    {
        InviteTransaction = InviteTransaction == id ? SlotId.None : InviteTransaction;
        PendingReInvite = PendingReInvite == id ? SlotId.None : PendingReInvite;
        PendingUpdate = PendingUpdate == id ? SlotId.None : PendingUpdate;
    }

    internal void HandleTimer(MonoTime now)
    {
        if (_ack.HandleTimer(now))
        {
            _core.Counters.AckTimeouts++;
            if (_dueBye is not null)
            {
                SendDueBye(now);
            }
            else
            {
                _core.Raise(SipEventKind.AckTimeout, this);
            }
        }
        if (_reliable.HandleTimer(now) && Reject(504, default, default, now))
        {
            _core.Raise(SipEventKind.PrackTimeout, this);
        }
        HandleSessionTimer(now);
        Arm();
    }

    /// <summary>PRACK (RFC 3262 §3): stops the repetition, lets a waiting 200 go.</summary>
    /// <returns>The status to answer with: 200, or 481 when it belongs to no response.</returns>
    internal int HandlePrack(in SipMessageView prack, MonoTime now)
    {
        prack.TryGetHeader(SipHeaderId.RAck, out ReadOnlySpan<byte> rack);
        ReadOnlySpan<byte> sequence = SipText.ReadToken(ref rack);
        if (!SipText.TryReadNumber(sequence, uint.MaxValue, out long rseq) || !CSeqView.TryParse(rack, out CSeqView cseq)
            || cseq.Method != SipMethod.Invite || rseq == 0 || rseq != _reliable.RSeq)
        {
            return 481;
        }
        _reliable.Stop();
        IsAnswerDue &= prack.Body.IsEmpty;
        Arm();
        return 200;
    }

    /// <summary>What waited for the PRACK goes out after its 200.</summary>
    internal void HandlePrackAnswered(MonoTime now)
    {
        if (_dueAccept is { } due)
        {
            _dueAccept = null;
            Accept(due.Body, due.Headers, now);
        }
    }

    /// <summary>An in-dialog request of the peer was taken: where it came from is where the dialog lives now (NAT, new connection).</summary>
    internal void Follow(in SipFlow source)
    {
        if (source.Remote.Address == Flow.Remote.Address && source.Transport == Flow.Transport && (!Flow.IsReliable || Flow.Connection == 0))
        {
            Flow = source;
        }
    }

    internal void HandleFlowClosed(in SipFlow flow, MonoTime now)
    {
        if (Flow.Connection == 0 || Flow.Connection != flow.Connection || Flow.Transport != flow.Transport)
        {
            return;
        }
        Flow = DialogFlow.Of(Flow with { Connection = 0 }, RouteSet, RemoteTarget);
        if (_core.Server.TryGet(InviteTransaction, out ServerTransaction? invite))
        {
            _ack.Move(invite.Route);
        }
        if (State != SipDialogState.Ended)
        {
            _core.Raise(SipEventKind.FlowClosed, this);
        }
    }

    internal void HandleRequestSucceeded(SipMethod method, in SipMessageView response, int message, MonoTime now)
    {
        bool isRefresh = Settle(method);
        if (method == SipMethod.Bye)
        {
            FinishBye(response.StatusCode);
            return;
        }
        if (method is SipMethod.Invite or SipMethod.Update)
        {
            _messages.RefreshTarget(in response);
            _session.AgreeAsClient(in response, now);
            Arm();
        }
        if (State != SipDialogState.Ended && !isRefresh)
        {
            _core.Raise(SipEventKind.RequestSucceeded, this, message, method: method, status: response.StatusCode);
        }
    }

    internal void HandleRequestFailed(SipMethod method, int status, int message, MonoTime now)
    {
        bool isRefresh = Settle(method);
        if (method == SipMethod.Bye)
        {
            FinishBye(status);
        }
        else if (State == SipDialogState.Ended)
        {
            return;
        }
        else if (isRefresh)
        {
            HandleRefreshFailed(method, status, message, now);
        }
        else
        {
            _core.Raise(SipEventKind.RequestFailed, this, message, method: method, status: status);
        }
    }

    /// <summary>ACK of a 2xx to our re-INVITE: a request of its own with the INVITE's CSeq number (§13.2.2.4).</summary>
    internal int BuildAckOfSuccess(in SipMessageView response, uint cseq, out SipFlow flow)
    {
        _messages.RefreshTarget(in response);
        Span<byte> branch = stackalloc byte[ClientTransactions.BranchLength];
        "z9hG4bK"u8.CopyTo(branch);
        RandomText.Fill(branch[7..], _core.Random);
        flow = DialogFlow.Of(Flow, RouteSet, RemoteTarget);
        return _messages.BuildRequest(SipMethod.Ack, branch, cseq, in flow, default, default, default);
    }

    /// <summary>Sends a response; in a 2xx to INVITE and UPDATE the session timer is agreed on and the target refreshed.</summary>
    internal bool Answer(ServerTransaction transaction, int status, ReadOnlySpan<byte> body, ReadOnlySpan<byte> extra, MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[2048];
        var lines = new SipHeaderLines(buffer);
        lines.AddLines(extra);
        bool isSession = status is >= 200 and < 300 && transaction.Method is SipMethod.Invite or SipMethod.Update;
        if (isSession && SipMessageView.TryParse(_core.Pool.Bytes(transaction.Request), out SipMessageView request, out _, _core.Limits))
        {
            _messages.RefreshTarget(in request);
            _session.AgreeAsServer(in request, ref lines, now);
            _peerTakesUpdate |= request.ListContains(SipHeaderId.Allow, "UPDATE"u8);
            IsAnswerDue = transaction.IsInvite && request.Body.IsEmpty;
            KeepSdp(body);
            Arm();
        }
        int response = lines.IsComplete ? _messages.BuildResponse(transaction, transaction.Id == InviteTransaction, status, default, body, lines.Written) : -1;
        return _core.Server.Respond(transaction, response, status, now);
    }

    private void KeepSdp(ReadOnlySpan<byte> sdp)
    {
        if (!sdp.IsEmpty && !sdp.SequenceEqual(_localSdp))
        {
            _localSdp = sdp.ToArray();
        }
    }

    /// <summary>Unreliable, unless the caller requires 100rel, or supports it and there is early media to protect.</summary>
    private bool SendProvisional(int status, ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extra, MonoTime now)
    {
        if (State != SipDialogState.Early || !_core.Server.TryGet(InviteTransaction, out ServerTransaction? invite) || invite.State != ServerState.Proceeding)
        {
            return false;
        }
        if (!_mustBeReliable && (sdp.IsEmpty || !_mayBeReliable))
        {
            return Answer(invite, status, sdp, extra, now);
        }
        if (_reliable.IsWaiting || (status == 180 && sdp.IsEmpty && now < _lastRingAt.AddMillis(RingRefreshMs)))
        {
            // One at a time (RFC 3262 §3); a repeated 180 says nothing new, except to the timer C of proxies.
            return sdp.IsEmpty;
        }
        return SendReliably(invite, status, sdp, extra, now);
    }

    private bool SendReliably(ServerTransaction invite, int status, ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extra, MonoTime now)
    {
        if (_reliable.RSeq == 0)
        {
            Span<byte> random = stackalloc byte[2];
            _core.Random.Fill(random);
            _reliable.RSeq = (uint)((random[0] << 8) | random[1]);
        }
        _reliable.RSeq++;
        Span<byte> buffer = stackalloc byte[2048];
        var lines = new SipHeaderLines(buffer);
        Span<byte> number = stackalloc byte[16];
        var writer = new SipWriter(number);
        writer.AddNumber(_reliable.RSeq);
        lines.Add("Require"u8, "100rel"u8);
        lines.Add("RSeq"u8, number[..writer.Length]);
        lines.AddLines(extra);
        if (!lines.IsComplete || !Answer(invite, status, sdp, lines.Written, now))
        {
            return false;
        }
        _lastRingAt = status == 180 ? now : _lastRingAt;
        _reliable.Begin(invite, status, !sdp.IsEmpty, now);
        Arm();
        return true;
    }

    private void HandleSessionTimer(MonoTime now)
    {
        SessionDue due = State == SipDialogState.Confirmed ? _session.HandleTimer(now) : SessionDue.Nothing;
        if (due == SessionDue.Expired)
        {
            _core.Raise(SipEventKind.SessionExpired, this);
        }
        else if (due == SessionDue.Refresh)
        {
            Refresh(now);
        }
    }

    /// <summary>RFC 4028 §7.4: UPDATE without an offer where the peer takes it, else a re-INVITE with the session as it is.</summary>
    private void Refresh(MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[128];
        var lines = new SipHeaderLines(buffer);
        _session.AddRefreshLines(ref lines);
        bool isSent = _peerTakesUpdate ? Update(default, lines.Written, now) : Invite(_localSdp, lines.Written, now);
        _isRefreshing = isSent;
        if (!isSent)
        {
            _session.RetrySoon(now);
            Arm();
        }
    }

    private void HandleRefreshFailed(SipMethod method, int status, int message, MonoTime now)
    {
        switch (status)
        {
            case 422 when message >= 0 && SipMessageView.TryParse(_core.Pool.Bytes(message), out SipMessageView response, out _, _core.Limits) && _session.Lengthen(in response, now):
                break;
            case 405 or 501 when method == SipMethod.Update:
                _peerTakesUpdate = false;
                _session.RetrySoon(now);
                break;
            case 408 or 481:
                _session.Stop();
                _core.Raise(SipEventKind.SessionExpired, this, message, method: method, status: status);
                break;
            default:
                // 491 and whatever else may pass; if it does not, the interval runs out.
                _session.RetrySoon(now);
                break;
        }
        Arm();
    }

    /// <summary>A final response to a re-INVITE or UPDATE of the peer is out.</summary>
    private void SettleRequest(ServerTransaction transaction, int status, MonoTime now)
    {
        if (transaction.Id == PendingReInvite)
        {
            PendingReInvite = SlotId.None;
            if (status < 300)
            {
                _ack.Begin(transaction, now);
                Arm();
            }
        }
        PendingUpdate = transaction.Id == PendingUpdate ? SlotId.None : PendingUpdate;
    }

    /// <returns>Whether it was a refresh of the session that nobody asked for.</returns>
    private bool Settle(SipMethod method)
    {
        bool isRefresh = _isRefreshing && ((method == SipMethod.Invite && IsInviting) || (method == SipMethod.Update && IsUpdating));
        IsInviting = method != SipMethod.Invite && IsInviting;
        IsUpdating = method != SipMethod.Update && IsUpdating;
        _isRefreshing = _isRefreshing && !isRefresh;
        return isRefresh;
    }

    /// <summary>What the peer asked and we did not answer is 487 once the dialog ends (§15.1.2).</summary>
    private void RefusePending(MonoTime now)
    {
        if (!PendingReInvite.IsNone)
        {
            Respond(PendingReInvite, 487, default, default, now);
        }
        if (!PendingUpdate.IsNone)
        {
            Respond(PendingUpdate, 487, default, default, now);
        }
    }

    private void SendDueBye(MonoTime now)
    {
        byte[] headers = _dueBye!.Headers;
        _dueBye = null;
        SendBye(headers, now);
    }

    private bool SendBye(ReadOnlySpan<byte> headers, MonoTime now)
    {
        RefusePending(now);
        if (SendRequest(SipMethod.Bye, headers, default, default, now))
        {
            return true;
        }
        FinishBye(503);
        return false;
    }

    private void FinishBye(int status)
    {
        End();
        _core.Raise(SipEventKind.ByeFinished, this, status: status, method: SipMethod.Bye);
    }

    private bool Send(SipMethod method, ReadOnlySpan<byte> extra, ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, MonoTime now) =>
        State == SipDialogState.Confirmed && SendRequest(method, extra, contentType, body, now);

    private bool SendRequest(SipMethod method, ReadOnlySpan<byte> extra, ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, MonoTime now)
    {
        ClientTransaction? transaction = _core.Client.TryTake();
        if (transaction is null)
        {
            return false;
        }
        SipFlow flow = DialogFlow.Of(Flow, RouteSet, RemoteTarget);
        transaction.CSeq = ++_localCSeq;
        if (method is SipMethod.Invite or SipMethod.Update)
        {
            KeepSdp(body);
        }
        int request = _messages.BuildRequest(method, transaction.Branch, transaction.CSeq, in flow, extra, contentType, body);
        if (request < 0)
        {
            _core.Client.Cancel(transaction);
            return false;
        }
        _core.Client.Start(transaction, this, method, request, in flow, now);
        return true;
    }

    private void Arm()
    {
        if (!Id.IsNone)
        {
            _core.SetTimer(TimerOwner.Dialog, Id.Index, MonoTime.Min(MonoTime.Min(_ack.Deadline, _reliable.Deadline), _session.Deadline));
        }
    }

    private void End()
    {
        State = SipDialogState.Ended;
        _ack.Stop();
        _reliable.Stop();
        _session.Stop();
        _core.Dialogs.Remove(this);
        Id = SlotId.None;
    }

    /// <summary>What waits for something of the peer.</summary>
    private sealed record DueMessage(byte[] Body, byte[] Headers);
}
