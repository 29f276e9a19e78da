using System;
using Proxy.Core.Collections;
using Proxy.Core.Net;
using Proxy.Core.Time;

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
    /// <summary>The owner's own object (the call).</summary>
    public object? Owner { get; set; }

    public SipDialogState State => throw new NotImplementedException();

    /// <summary>Our tag, <c>SCL_</c> and 12 base57 characters: the same on every response, 100 too.</summary>
    public string LocalTag => throw new NotImplementedException();

    public ReadOnlySpan<byte> CallId => throw new NotImplementedException();

    /// <summary>The caller's From tag; empty for RFC 2543 callers.</summary>
    public ReadOnlySpan<byte> RemoteTag => throw new NotImplementedException();

    /// <summary>The Route values of our requests, comma-separated, in sending order; empty without a route set.</summary>
    public ReadOnlySpan<byte> RouteSet => throw new NotImplementedException();

    /// <summary>The peer's Contact URI.</summary>
    public ReadOnlySpan<byte> RemoteTarget => throw new NotImplementedException();

    /// <summary>Where the dialog lives: the flow of the INVITE.</summary>
    public SipFlow Flow => throw new NotImplementedException();

    /// <summary>The INVITE that made the dialog, as received; empty once its transaction is over (at least until 64·T1 after the answer).</summary>
    public ReadOnlySpan<byte> InviteBytes => throw new NotImplementedException();

    /// <summary>Whether our 2xx was acknowledged.</summary>
    public bool IsAcknowledged => throw new NotImplementedException();

    /// <summary>Networks, beside the address of the INVITE, from which in-dialog requests are taken (the trunk's addresses).</summary>
    public SipSourceRange[] AllowedSources { get; set; } = [];

    /// <summary>Sends 180.</summary>
    /// <param name="extraHeaders">Whole header lines, each ended by CRLF (see <see cref="Writing.SipHeaderLines"/>); may be empty.</param>
    public bool Ring(MonoTime now, ReadOnlySpan<byte> extraHeaders = default) => throw new NotImplementedException();

    /// <summary>Sends 183 with a body; reliably (RFC 3262) when the caller requires it.</summary>
    /// <param name="sdp">The answer (or offer) for early media; may be empty.</param>
    public bool Progress(ReadOnlySpan<byte> sdp, MonoTime now, ReadOnlySpan<byte> extraHeaders = default) => throw new NotImplementedException();

    /// <summary>Sends 200 with Contact, Allow, Supported and the Record-Route of the INVITE; repeats it until the ACK or for 64·T1.</summary>
    /// <param name="sdp">The answer; or the offer when the INVITE had none.</param>
    /// <param name="extraHeaders">Whole header lines, each ended by CRLF; may be empty.</param>
    public bool Accept(ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extraHeaders, MonoTime now) => throw new NotImplementedException();

    /// <summary>Refuses the INVITE, repeats the response until its ACK; the dialog is over.</summary>
    /// <param name="status">300–699.</param>
    /// <param name="reason">Reason phrase; empty takes the usual one.</param>
    /// <param name="extraHeaders">Whole header lines (Retry-After, Warning, Reason); may be empty.</param>
    public bool Reject(int status, ReadOnlySpan<byte> reason, ReadOnlySpan<byte> extraHeaders, MonoTime now) => throw new NotImplementedException();

    /// <summary>Asks for credentials; the dialog is over, the next INVITE of the same Call-ID and From tag gets the same LocalTag for 60 s.</summary>
    /// <param name="status">401 (WWW-Authenticate) or 407 (Proxy-Authenticate).</param>
    /// <param name="headerValue">The challenge, see <see cref="Auth.DigestChallenge"/>.</param>
    public bool Challenge(int status, ReadOnlySpan<byte> headerValue, MonoTime now) => throw new NotImplementedException();

    /// <summary>Forgets the INVITE without any response; its retransmissions are absorbed for 64·T1. Counted.</summary>
    public void Drop(MonoTime now) => throw new NotImplementedException();

    /// <summary>Hangs up. Before the answer it rejects with 480 instead. BYE is repeated in the background; the end is ByeFinished.</summary>
    /// <param name="reasonHeader">Value of the Reason field (RFC 3326), for example <c>Q.850;cause=16</c>; may be empty.</param>
    public bool Bye(ReadOnlySpan<byte> reasonHeader, ReadOnlySpan<byte> extraHeaders, MonoTime now) => throw new NotImplementedException();

    /// <summary>Answers a request of the peer inside the dialog (ReInvite, Update, Info, Refer, OtherRequest).</summary>
    /// <param name="request">From the event.</param>
    /// <param name="status">100–699; a final one ends the request.</param>
    /// <param name="body">SDP for ReInvite and Update, else as Content-Type in <paramref name="extraHeaders"/> says; may be empty.</param>
    public bool Respond(SlotId request, int status, ReadOnlySpan<byte> body, ReadOnlySpan<byte> extraHeaders, MonoTime now) => throw new NotImplementedException();

    /// <summary>Sends REFER (blind transfer, RFC 3515); its progress comes as NotifyReceived.</summary>
    /// <param name="referTo">The URI, without angle brackets.</param>
    public bool Refer(ReadOnlySpan<byte> referTo, ReadOnlySpan<byte> extraHeaders, MonoTime now) => throw new NotImplementedException();

    /// <summary>Sends a re-INVITE with an offer; ends in RequestSucceeded (the ACK is sent by the dialog) or RequestFailed.</summary>
    public bool Invite(ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extraHeaders, MonoTime now) => throw new NotImplementedException();

    /// <summary>Sends UPDATE (RFC 3311).</summary>
    public bool Update(ReadOnlySpan<byte> sdp, ReadOnlySpan<byte> extraHeaders, MonoTime now) => throw new NotImplementedException();

    /// <summary>Sends INFO.</summary>
    public bool Info(ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, ReadOnlySpan<byte> extraHeaders, MonoTime now) => throw new NotImplementedException();
}
