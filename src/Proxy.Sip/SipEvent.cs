using System;
using Proxy.Core.Collections;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Transactions;

namespace Proxy.Sip;

/// <summary>Any thread. What happened to a dialog.</summary>
public enum SipEventKind : byte
{
    None,

    /// <summary>A new call. Answer with Ring, Progress, Accept, Reject, Challenge or Drop. With Dialog.Replaced it takes another call's place.</summary>
    Invite,

    /// <summary>The caller gave up before the answer (CANCEL, or BYE in the early dialog). 487 is sent already; the dialog is over.</summary>
    Cancelled,

    /// <summary>The ACK of our 2xx came. Its body is the answer when the 2xx carried the offer (to the INVITE or a re-INVITE).</summary>
    Confirmed,

    /// <summary>No ACK for 64·T1. The owner sends Bye, or keeps the call because media flows.</summary>
    AckTimeout,

    /// <summary>The peer hung up. 200 is sent already; the dialog is over.</summary>
    ByeReceived,

    /// <summary>INVITE inside the dialog: answer with Respond. Without a body it asks for our offer.</summary>
    ReInvite,

    /// <summary>UPDATE: answer with Respond. Without a body it only refreshes the session (answered already; Request is none).</summary>
    Update,

    /// <summary>INFO: answer with Respond.</summary>
    Info,

    /// <summary>REFER to us: answer with Respond.</summary>
    Refer,

    /// <summary>A NOTIFY of our REFER (200 is sent already). Status holds the sipfrag's status code, IsLast whether the subscription is over.</summary>
    NotifyReceived,

    /// <summary>Another request inside the dialog that may be answered by the owner (MESSAGE): answer with Respond.</summary>
    OtherRequest,

    /// <summary>A re-INVITE of the peer was cancelled; 487 is sent already.</summary>
    ReInviteCancelled,

    /// <summary>The 2xx to our request came: Method says which, RequestBytes holds the response.</summary>
    RequestSucceeded,

    /// <summary>Our request failed for good: Method says which, Status the code (408 for silence, 503 for a transport failure).</summary>
    RequestFailed,

    /// <summary>Our BYE was answered or given up; nothing of the dialog is left.</summary>
    ByeFinished,

    /// <summary>The peer did not refresh the session in time (RFC 4028 §10), or our refresh failed. The owner sends Bye.</summary>
    SessionExpired,

    /// <summary>
    /// PRACK of a reliable provisional response came; RequestBytes holds it. With Request none 200 is sent already, and SDP is the answer to our offer in
    /// that response. Else its SDP is an offer: answer with Respond and 200, a PRACK cannot be refused (RFC 3262 §3, §5).
    /// </summary>
    Prack,

    /// <summary>A reliable provisional response got no PRACK for 64·T1; the INVITE is rejected with 504 already; the dialog is over.</summary>
    PrackTimeout,

    /// <summary>The stream connection of the dialog closed. Requests to come open a new one to the remote target.</summary>
    FlowClosed,

    /// <summary>The next hop of our requests is a name that the DNS gave nothing for (yet): they go over the call's own flow. Told once.</summary>
    TargetUnknown,

    /// <summary>A place did not take our request (Method; Status 408 for silence, 503): it goes to the next one.</summary>
    TargetFailed,
}

/// <summary>Signal thread. One event of <see cref="SipEndpoint.TryPollEvent"/>; its bytes stay readable until the next poll.</summary>
public readonly struct SipEvent
{
    private readonly MessagePool? _pool;
    private readonly int _message;

    internal SipEvent(SipEventKind kind, SipDialog dialog, MessagePool? pool, int message, SlotId request, Parsing.SipMethod method, int status, bool isLast)
    {
        Kind = kind;
        Dialog = dialog;
        _pool = pool;
        _message = message;
        Request = request;
        Method = method;
        Status = status;
        IsLast = isLast;
    }

    public SipEventKind Kind { get; }

    /// <summary>The dialog it belongs to.</summary>
    public SipDialog Dialog { get; }

    /// <summary>The request to answer with <see cref="SipDialog.Respond"/>; none when nothing is to be answered.</summary>
    public SlotId Request { get; }

    /// <summary>The request's method; for RequestSucceeded and RequestFailed that of our own request.</summary>
    public Parsing.SipMethod Method { get; }

    /// <summary>RequestFailed: the response's code. NotifyReceived: the code in the sipfrag, 0 without one.</summary>
    public int Status { get; }

    /// <summary>NotifyReceived: whether the subscription is over.</summary>
    public bool IsLast { get; }

    /// <summary>The message behind the event, parseable by <see cref="Parsing.SipMessageView"/>; empty when there is none. Valid until the next <see cref="SipEndpoint.TryPollEvent"/>.</summary>
    public ReadOnlySpan<byte> RequestBytes => _pool is null || _message < 0 ? default : _pool.Bytes(_message);

    internal int Message => _message;
}
