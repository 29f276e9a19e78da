using System;
using System.Text;
using Proxy.Core.Collections;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Sip.Auth;
using Proxy.Sip.Parsing;
using Proxy.Sip.Targets;
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
    private readonly SipCore _core;
    private readonly DialogMessages _messages;
    private readonly AwaitedAck _ack;
    private readonly OfferExchange _offers;
    private readonly EarlyResponses _early;
    private readonly OwnRequests _requests;
    private readonly DialogTargets _targets;
    private readonly SessionRefresh _session;
    private DueMessage? _dueBye;
    private DueMessage? _dueAccept;
    private bool _isTaken;
    private bool _isUnknownTold;
    private NetAddress _proven;

    internal SipDialog(SipCore core, in SipMessageView invite, in SipFlow flow, ReadOnlySpan<byte> localTag)
    {
        _core = core;
        _messages = new DialogMessages(core, in invite, in flow, localTag);
        _ack = new AwaitedAck(core);
        _offers = new OfferExchange(invite.TryGetSdp(out _));
        _early = new EarlyResponses(core, this, _offers, in invite);
        _targets = new DialogTargets(core, this);
        _requests = new OwnRequests(core, this, _messages, _targets);
        _session = new SessionRefresh(core, this, _requests);
        LocalTag = Encoding.ASCII.GetString(localTag);
        Flow = flow;
        RemoteCSeq = invite.CSeq.Number;
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

    /// <summary>What the INVITE was refused with: what the owner said, or the one answer for sources that try what works. 0 before.</summary>
    public int FinalStatus { get; private set; }

    /// <summary>Whether our 2xx was acknowledged.</summary>
    public bool IsAcknowledged { get; private set; }

    /// <summary>Networks, beside the address of the INVITE, from which in-dialog requests are taken (the trunk's addresses).</summary>
    public SipSourceRange[] AllowedSources { get; set; } = [];

    /// <summary>Asked about requests from elsewhere; null: they get 481.</summary>
    public IForeignJudge? Judge { get; set; }

    /// <summary>The confirmed dialog whose place this one asks to take (RFC 3891); null when it asks for none.</summary>
    public SipDialog? Replaced { get; internal set; }

    /// <summary>Whether the address that the INVITE came from may send requests in that dialog. Where not, the owner asks for credentials.</summary>
    public bool MayReplace => Replaced is { } other && other.Allows(Flow.Remote.Address);

    /// <summary>Whether early media and early offers are worth sending: the caller acknowledges provisional responses (100rel).</summary>
    public bool TakesReliable => _early.IsSupported;

    /// <summary>Whether an offer of ours in a provisional response waits for the answer in its PRACK.</summary>
    public bool IsPrackAnswerDue => State == SipDialogState.Early && _offers.Open == OpenOffer.Ours;

    /// <summary>Answers challenges (401, 407) to our requests in the dialog; null: they fail.</summary>
    public DigestLogin? Login { get; set; }

    internal SlotId Id { get; set; } = SlotId.None;

    internal DialogIdentity Identity => _messages.Identity;

    /// <summary>The transaction of the INVITE that made the dialog.</summary>
    internal SlotId InviteTransaction { get; set; } = SlotId.None;

    /// <summary>A re-INVITE of the peer that has no final response yet.</summary>
    internal SlotId PendingReInvite { get; set; } = SlotId.None;

    /// <summary>An UPDATE of the peer with an offer that has no response yet.</summary>
    internal SlotId PendingUpdate { get; set; } = SlotId.None;

    /// <summary>A PRACK with an offer that has no response yet.</summary>
    internal SlotId PendingPrack { get; set; } = SlotId.None;

    /// <summary>Whether an offer of ours in a request is open.</summary>
    internal bool IsOffering => _requests.IsInviting || _requests.IsUpdating;

    /// <summary>Highest CSeq number of the peer's requests.</summary>
    internal uint RemoteCSeq { get; set; }

    internal bool IsAwaitingAck => _ack.IsWaiting;

    /// <summary>Whether the answer to an offer of ours in a response is to come, in the PRACK or the ACK.</summary>
    internal bool IsAnswerDue => _offers.Open == OpenOffer.Ours && (State == SipDialogState.Early || IsAwaitingAck);

    /// <summary>Whether the INVITE's own offer and answer are not over: no other offer may come (RFC 3311 §5.2).</summary>
    internal bool IsFirstOfferOpen => _offers.Open is OpenOffer.Theirs or OpenOffer.Wanted;

    /// <summary>Whether we sent a REFER whose progress may be notified.</summary>
    internal bool HasReferred => _requests.HasReferred;

    /// <summary>Whether a NOTIFY's id names a REFER before the last one.</summary>
    internal bool IsPastRefer(long id) => _requests.IsPastRefer(id);

    /// <summary>Sends 180.</summary>
    /// <param name="now">The time of this turn.</param>
    /// <param name="offer">
    /// Goes along where the INVITE had none and the caller requires 100rel: the first reliable response has to carry it (RFC 3262 §5). May be empty.
    /// </param>
    public bool Ring(MonoTime now, ReadOnlySpan<byte> offer = default) =>
        SendProvisional(180, _early.IsRequired && _offers.Open == OpenOffer.Wanted ? offer : default, default, now);

    /// <summary>Sends 183 with a body; reliably (RFC 3262) where the caller takes that.</summary>
    /// <param name="sdp">The answer for early media, or an offer, which is left out where nobody would acknowledge it. May be empty.</param>
    /// <param name="now">The time of this turn.</param>
    /// <param name="extraHeaders">Whole header lines; may be empty.</param>
    public bool Progress(ReadOnlySpan<byte> sdp, MonoTime now, ReadOnlySpan<byte> extraHeaders = default) => SendProvisional(183, sdp, extraHeaders, now);

    /// <summary>Sends 200 with Contact, Allow, Supported and the Record-Route of the INVITE; repeats it until the ACK or for 64·T1.</summary>
    /// <param name="sdp">The answer; or the offer when the INVITE had none.</param>
    /// <param name="extraHeaders">Whole header lines, each ended by CRLF; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    /// <remarks>
    /// While a reliable response with SDP waits for its PRACK the 200 waits too (RFC 3262 §5), also while an offer of a PRACK or UPDATE has no answer.
    /// Where the session was agreed on by PRACK or UPDATE the 200 goes out without <paramref name="sdp"/>.
    /// </remarks>
    public bool Accept(ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extraHeaders, MonoTime now)
    {
        NoteTaken(now);
        if (State != SipDialogState.Early || !_core.Server.TryGet(InviteTransaction, out ServerTransaction? invite))
        {
            return false;
        }
        if (IsAcceptHeld)
        {
            _dueAccept = new DueMessage(sdp.ToArray(), extraHeaders.ToArray());
            return true;
        }
        if (!Answer(invite, 200, _offers.InSuccess(sdp), extraHeaders, now))
        {
            return false;
        }
        _early.Stop();
        State = SipDialogState.Confirmed;
        _ack.Begin(invite, now);
        Arm();
        return true;
    }

    /// <summary>Takes back an <see cref="Accept"/> that still waits for a PRACK: the INVITE can be refused then.</summary>
    public void Recall() => _dueAccept = null;

    /// <summary>Refuses the INVITE, repeats the response until its ACK; the dialog is over, also when false is returned.</summary>
    /// <param name="status">300–699.</param>
    /// <param name="reason">Reason phrase; empty takes the usual one.</param>
    /// <param name="extraHeaders">Whole header lines (Retry-After, Warning, Reason); may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    /// <param name="isRepeated">False for sources that nobody vouches for: one response to each INVITE they send, so that a forged source gets no more than was spent.</param>
    public bool Reject(int status, ReadOnlySpan<byte> reason, ReadOnlySpan<byte> extraHeaders, MonoTime now, bool isRepeated = true)
    {
        if (State != SipDialogState.Early || !_core.Server.TryGet(InviteTransaction, out ServerTransaction? invite))
        {
            return false;
        }
        FinalStatus = _core.Refuse(Flow, status, now);
        bool isTold = FinalStatus == status;
        _dueAccept = null;
        int response = _messages.BuildResponse(invite, true, FinalStatus, isTold ? reason : default, default, isTold ? extraHeaders : default);
        bool isSent = _core.Server.Respond(invite, response, FinalStatus, now, isRepeated);
        RefusePending(now);
        End();
        return isSent;
    }

    /// <summary>Asks for credentials; the dialog is over, the next INVITE of the same Call-ID and From tag gets the same LocalTag for 60 s.</summary>
    /// <remarks>With 401 (WWW-Authenticate) or 407 (Proxy-Authenticate), as the listener says that the INVITE came by.</remarks>
    /// <param name="headerValue">The challenge, see <see cref="Auth.DigestChallenge"/>.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Challenge(ReadOnlySpan<byte> headerValue, MonoTime now)
    {
        int status = _core.Listener(Flow).Challenge;
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

    /// <summary>The 100, where none was sent yet, leaves then at the earliest: whether the INVITE gets any response is still being decided.</summary>
    public void HoldTrying(MonoTime until, MonoTime now)
    {
        if (State == SipDialogState.Early && until > now && _core.Server.TryGet(InviteTransaction, out ServerTransaction? invite) && !invite.TryingAt.IsNever)
        {
            _core.Server.DelayTrying(invite, until);
        }
    }

    /// <summary>Asks for credentials for a request inside the dialog, which stays.</summary>
    public bool Challenge(SlotId request, ReadOnlySpan<byte> headerValue, MonoTime now)
    {
        int status = _core.Listener(Flow).Challenge;
        Span<byte> line = stackalloc byte[1024];
        var lines = new SipHeaderLines(line);
        lines.Add(status == 401 ? "WWW-Authenticate"u8 : "Proxy-Authenticate"u8, headerValue);
        return Respond(request, status, default, lines.Written, now);
    }

    /// <summary>Forgets the INVITE without any response; its retransmissions are absorbed for 64·T1. Counted.</summary>
    public void Drop(MonoTime now)
    {
        if (State == SipDialogState.Early && _core.Server.TryGet(InviteTransaction, out ServerTransaction? invite))
        {
            _core.Counters.Silenced++;
            _core.Options.Guard?.Blame(Flow.Remote.Address, now);
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
        Span<byte> buffer = stackalloc byte[SipHeaderLines.ExtraMax];
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

    /// <summary>Answers a request of the peer inside the dialog (ReInvite, Update, Prack, Info, Refer, OtherRequest).</summary>
    /// <param name="request">From the event.</param>
    /// <param name="status">100–699; a final one ends the request.</param>
    /// <param name="body">SDP for ReInvite, Update and Prack, else as Content-Type in <paramref name="extraHeaders"/> says; may be empty.</param>
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
            SendDueAccept(now);
        }
        return true;
    }

    /// <summary>Sends REFER (blind transfer, RFC 3515); its progress comes as NotifyReceived.</summary>
    /// <param name="referTo">The URI, without angle brackets.</param>
    /// <param name="extraHeaders">Whole header lines; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Refer(ReadOnlySpan<byte> referTo, ReadOnlySpan<byte> extraHeaders, MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[SipHeaderLines.ExtraMax];
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
        return lines.IsComplete && Send(SipMethod.Refer, lines.Written, default, default, now);
    }

    /// <summary>Tells the peer how its REFER goes on (RFC 3515 §2.4.4).</summary>
    /// <param name="refer">CSeq number of the REFER.</param>
    /// <param name="status">What the target answered, 100–699.</param>
    /// <param name="isLast">The subscription ends with it.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Notify(uint refer, int status, bool isLast, MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[128];
        var lines = new SipWriter(buffer);
        lines.Add("Event: refer;id="u8);
        lines.AddNumber(refer);
        lines.Add("\r\nSubscription-State: "u8);
        lines.Add(isLast ? "terminated;reason=noresource\r\n"u8 : "active;expires=180\r\n"u8);
        Span<byte> fragment = stackalloc byte[64];
        var body = new SipWriter(fragment);
        body.Add("SIP/2.0 "u8);
        body.AddNumber(status);
        body.Add(" "u8);
        body.Add(ReasonPhrases.Of(status));
        body.Add("\r\n"u8);
        return Send(SipMethod.Notify, buffer[..lines.Length], "message/sipfrag;version=2.0"u8, fragment[..body.Length], now);
    }

    /// <summary>Sends a re-INVITE with an offer; ends in RequestSucceeded (the ACK is sent by the dialog) or RequestFailed.</summary>
    /// <param name="sdp">The offer.</param>
    /// <param name="extraHeaders">Whole header lines; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Invite(ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extraHeaders, MonoTime now) =>
        MayOffer && !_ack.IsWaiting && SendOffer(SipMethod.Invite, sdp, extraHeaders, now);

    /// <summary>Sends UPDATE (RFC 3311); without SDP it refreshes the session.</summary>
    /// <param name="sdp">The offer, or empty.</param>
    /// <param name="extraHeaders">Whole header lines; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Update(ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extraHeaders, MonoTime now) =>
        MayOffer && SendOffer(SipMethod.Update, sdp, extraHeaders, now);

    /// <summary>Sends INFO.</summary>
    /// <param name="contentType">For example <c>application/dtmf-relay</c>.</param>
    /// <param name="body">May be empty.</param>
    /// <param name="extraHeaders">Whole header lines; may be empty.</param>
    /// <param name="now">The time of this turn.</param>
    public bool Info(ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, ReadOnlySpan<byte> extraHeaders, MonoTime now) =>
        Send(SipMethod.Info, extraHeaders, contentType, body, now);

    private bool IsAcceptHeld => _early.HoldsAnswer || !PendingPrack.IsNone || !PendingUpdate.IsNone;

    private bool MayOffer => !IsOffering && PendingReInvite.IsNone && PendingUpdate.IsNone;

    /// <summary>Whether in-dialog requests from that address are taken.</summary>
    internal bool Allows(NetAddress source)
    {
        if (source == Flow.Remote.Address || (_proven.IsSet && source == _proven))
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

    /// <summary>A request from that address proved the trunk's credentials: so may what follows from there, above all the ACK, of which none can be asked. One address, the last.</summary>
    internal void Admit(NetAddress source) => _proven = source;

    internal void HandleAck(in SipMessageView ack, MonoTime now)
    {
        if (ack.CSeq.Number != _ack.CSeq || (State == SipDialogState.Early))
        {
            _core.Counters.StrayAcks++;
            return;
        }
        bool isFirst = _ack.IsWaiting || !IsAcknowledged;
        if (!IsAcknowledged)
        {
            // Whoever has our tag got our answer: the address is not forged.
            _core.Options.Guard?.Vouch(Flow.Remote.Address, now);
        }
        _ack.Stop();
        IsAcknowledged = true;
        _offers.HandleAck();
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
        if (State == SipDialogState.Early)
        {
            Reject(487, default, default, now);
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
        PendingPrack = PendingPrack == id ? SlotId.None : PendingPrack;
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
        if (_early.HandleTimer(now))
        {
            Reject(504, default, default, now);
            _core.Raise(SipEventKind.PrackTimeout, this);
        }
        if (State == SipDialogState.Confirmed)
        {
            _session.HandleTimer(now);
        }
        Arm();
    }

    /// <summary>PRACK (RFC 3262 §3): stops the repetition.</summary>
    internal PrackKind HandlePrack(in SipMessageView prack)
    {
        PrackKind kind = _early.HandlePrack(in prack);
        Arm();
        return kind;
    }

    /// <summary>A 200 that waited goes out once nothing is left that it has to wait for.</summary>
    internal void SendDueAccept(MonoTime now)
    {
        if (_dueAccept is { } due && !IsAcceptHeld)
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

    internal bool IsOn(in SipFlow flow) => Flow.Connection != 0 && Flow.Connection == flow.Connection && Flow.Transport == flow.Transport;

    internal void HandleFlowClosed(in SipFlow flow, MonoTime now)
    {
        if (!IsOn(in flow))
        {
            return;
        }
        Flow = DialogFlow.Of(Flow with { Connection = 0 }, RouteSet, RemoteTarget, out _);
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
        _requests.Settle(method);
        bool isRefresh = _session.TakeRefresh(method);
        if (method == SipMethod.Bye)
        {
            FinishBye(response.StatusCode);
            return;
        }
        if (method is SipMethod.Invite or SipMethod.Update)
        {
            RefreshTarget(in response, now);
            _session.AgreeAsClient(in response, now);
            Arm();
        }
        if (State != SipDialogState.Ended && !isRefresh)
        {
            _core.Raise(SipEventKind.RequestSucceeded, this, message, method: method, status: response.StatusCode);
        }
    }

    /// <returns>Whether the request went out again with credentials: then it has not failed yet.</returns>
    internal bool TryAnswerChallenge(ClientTransaction refused, in SipMessageView response, MonoTime now) =>
        response.StatusCode is 401 or 407 && Login is { } login && _requests.TrySendAgain(refused, in response, login, now);

    /// <summary>A place did not take a request of ours: it rests, and the request goes to the next one.</summary>
    /// <param name="failed">Its request is still there.</param>
    /// <param name="status">408 for silence, 503.</param>
    /// <param name="now">The time of this turn.</param>
    /// <returns>False when there is no other place.</returns>
    internal bool TryElsewhere(ClientTransaction failed, int status, MonoTime now)
    {
        if ((State == SipDialogState.Ended && failed.Method != SipMethod.Bye) || !_requests.TryElsewhere(failed, now))
        {
            return false;
        }
        _core.Rests.Add(new SipTarget(failed.Flow.Transport, failed.Flow.Remote), now + _core.Limits.TargetRest);
        _core.Counters.TargetsFailed++;
        _core.Raise(SipEventKind.TargetFailed, this, method: failed.Method, status: status);
        return true;
    }

    /// <summary>A response to a request of ours came from there.</summary>
    internal void NoteAnswer(in SipFlow flow) => _targets.NoteAnswer(in flow);

    internal void HandleRequestFailed(SipMethod method, int status, int message, MonoTime now)
    {
        _requests.Settle(method);
        bool isRefresh = _session.TakeRefresh(method);
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
            _session.HandleFailed(method, status, message, now);
            Arm();
        }
        else
        {
            _core.Raise(SipEventKind.RequestFailed, this, message, method: method, status: status);
        }
    }

    /// <summary>ACK of a 2xx to our re-INVITE: a request of its own with the INVITE's CSeq number (§13.2.2.4).</summary>
    internal int BuildAckOfSuccess(in SipMessageView response, uint cseq, out SipFlow flow)
    {
        RefreshTarget(in response, _core.Now);
        return _requests.BuildAckOfSuccess(cseq, out flow);
    }

    /// <summary>Sends a response; in a 2xx to INVITE and UPDATE the session timer is agreed on and the target refreshed.</summary>
    internal bool Answer(ServerTransaction transaction, int status, ReadOnlySpan<byte> body, ReadOnlySpan<byte> extra, MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[SipHeaderLines.ExtraMax];
        var lines = new SipHeaderLines(buffer);
        lines.AddLines(extra);
        bool isSession = status is >= 200 and < 300 && transaction.Method is SipMethod.Invite or SipMethod.Update;
        if (isSession && SipMessageView.TryParse(_core.Pool.Bytes(transaction.Request), out SipMessageView request, out _, _core.Limits))
        {
            RefreshTarget(in request, now);
            // A caller that came to another network says so by a target refresh; who proved itself is followed there (§12.2.2).
            Flow = _proven.IsSet && transaction.Source.Remote.Address == _proven ? transaction.Source : Flow;
            _session.AgreeAsServer(in request, ref lines, now);
            if (transaction.IsInvite)
            {
                _offers.HandleSuccess(request.TryGetSdp(out _), !body.IsEmpty);
            }
            Arm();
        }
        if (status < 300 && transaction.Method is SipMethod.Invite or SipMethod.Update or SipMethod.Prack)
        {
            _requests.KeepSdp(body);
        }
        int response = lines.IsComplete ? _messages.BuildResponse(transaction, transaction.Id == InviteTransaction, status, default, body, lines.Written) : -1;
        return _core.Server.Respond(transaction, response, status, now);
    }

    private bool SendProvisional(int status, ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extra, MonoTime now)
    {
        NoteTaken(now);
        bool isSent = State == SipDialogState.Early && _core.Server.TryGet(InviteTransaction, out ServerTransaction? invite)
            && invite.State == ServerState.Proceeding && _early.Send(invite, status, sdp, extra, now);
        Arm();
        return isSent;
    }

    private void NoteTaken(MonoTime now)
    {
        if (!_isTaken)
        {
            _isTaken = true;
            _targets.Follow(now);
            _core.Options.Guard?.Forgive(Flow.Remote.Address, now);
        }
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
        if (status < 300 && State == SipDialogState.Early && (transaction.Id == PendingUpdate || transaction.Id == PendingPrack))
        {
            _offers.AgreeApart();
        }
        PendingUpdate = transaction.Id == PendingUpdate ? SlotId.None : PendingUpdate;
        PendingPrack = transaction.Id == PendingPrack ? SlotId.None : PendingPrack;
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
        if (!PendingPrack.IsNone)
        {
            Respond(PendingPrack, 487, default, default, now);
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
        NoteUnknown();
        if (_requests.Send(SipMethod.Bye, headers, default, default, now))
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

    private bool SendOffer(SipMethod method, ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extra, MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[SipHeaderLines.ExtraMax];
        var lines = new SipHeaderLines(buffer);
        _session.AddRequestLines(ref lines);
        lines.AddLines(extra);
        return lines.IsComplete && Send(method, lines.Written, "application/sdp"u8, sdp, now);
    }

    private bool Send(SipMethod method, ReadOnlySpan<byte> extra, ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, MonoTime now)
    {
        if (State != SipDialogState.Confirmed)
        {
            return false;
        }
        NoteUnknown();
        return _requests.Send(method, extra, contentType, body, now);
    }

    /// <summary>The next hop is a name that stands for nothing we know of: what we send goes over the call's own flow, which is told once.</summary>
    private void NoteUnknown()
    {
        if (_targets.IsUnknown)
        {
            _core.Counters.TargetsUnknown++;
            if (!_isUnknownTold)
            {
                _isUnknownTold = true;
                _core.Raise(SipEventKind.TargetUnknown, this);
            }
        }
    }

    /// <summary>The peer's Contact may have changed, and with it the name that our requests go to.</summary>
    private void RefreshTarget(in SipMessageView message, MonoTime now)
    {
        _messages.RefreshTarget(in message);
        if (_isTaken && State != SipDialogState.Ended)
        {
            _targets.Follow(now);
        }
    }

    private void Arm()
    {
        if (!Id.IsNone)
        {
            _core.SetTimer(TimerOwner.Dialog, Id.Index, MonoTime.Min(MonoTime.Min(_ack.Deadline, _early.Deadline), _session.Deadline));
        }
    }

    private void End()
    {
        State = SipDialogState.Ended;
        _ack.Stop();
        _early.Stop();
        _session.Stop();
        _targets.Release();
        _core.Dialogs.Remove(this);
        Id = SlotId.None;
    }

    /// <summary>What waits for something of the peer.</summary>
    private sealed record DueMessage(byte[] Body, byte[] Headers);
}
