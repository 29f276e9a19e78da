using System;
using Proxy.Bridge.Media;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Proxy.Sdp;
using Proxy.Sip;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Parsing;
using Proxy.Sip.Writing;

namespace Proxy.Bridge;

/// <summary>
/// Signal thread. The caller's side of one call, from the first 180 to the BYE: its leg, for which another one may stand in, whether it is answered
/// and confirmed, and what it changes of the session.
/// </summary>
internal sealed class CallerSide(Call call, CallServices services, SipLeg first)
{
    /// <summary>A provisional response each minute keeps proxies from giving up (RFC 3261 §13.3.1.1).</summary>
    private static readonly TimeSpan s_progressInterval = TimeSpan.FromSeconds(55);

    private SipLeg _leg = first;
    private bool _hasEarlyMedia;

    public SipDialog Dialog => _leg.Dialog;

    /// <summary>What was agreed; null before.</summary>
    public NegotiatedAudio? Audio => _leg.Audio;

    /// <summary>The 200 went out, or waits for a PRACK only.</summary>
    public bool IsAnswered { get; private set; }

    public MonoTime AnsweredAt { get; private set; }

    /// <summary>The ACK came.</summary>
    public bool IsConfirmed { get; private set; }

    /// <summary>RTP came.</summary>
    public bool IsHeard { get; set; }

    /// <summary>The caller can hear us: answered, or by early media.</summary>
    public bool IsListening => IsAnswered || _hasEarlyMedia;

    /// <summary>Audio is agreed on and the caller sends it (no hold).</summary>
    public bool IsReceiving => _leg.IsReceiving;

    /// <summary>Audio is agreed on and an answered caller hears it.</summary>
    public bool IsSending => _leg.IsSending && Dialog.State == SipDialogState.Confirmed;

    /// <summary>Before the first <see cref="Ring"/>.</summary>
    public void BeginRinging()
    {
        _hasEarlyMedia = call.Verdict.AnswerMode == AnswerMode.EarlyMedia && (_leg.Audio is not null || Dialog.TakesReliable);
        BeginEarlyMedia();
    }

    /// <returns>When to ring again.</returns>
    public MonoTime Ring(MonoTime now)
    {
        if (_hasEarlyMedia)
        {
            Dialog.Progress(_leg.Description, now);
            return now + s_progressInterval;
        }
        Dialog.Ring(now, _leg.IsLateOffer ? _leg.Description : default);
        return now + services.Limits.RingingInterval;
    }

    /// <summary>Sends the 200; where that cannot be, the call ends.</summary>
    public bool TryAccept(MonoTime now)
    {
        if (!TryAccept(_leg, now))
        {
            call.EndRefused(RefusalCode.Internal, "the answer could not be sent", now);
            return false;
        }
        IsAnswered = true;
        AnsweredAt = now;
        call.Record.AnsweredMs = call.Elapsed(now);
        if (_leg.Audio is not null)
        {
            StartMedia(_hasEarlyMedia ? CallCommandKind.Renegotiate : CallCommandKind.StartSip);
        }
        services.Observer.Answered(call.Record);
        return true;
    }

    /// <summary>What happens in the dialog and is about the session.</summary>
    public void HandleSip(in SipEvent e, MonoTime now)
    {
        switch (e.Kind)
        {
            case SipEventKind.Confirmed:
                Confirm(e, now);
                break;
            case SipEventKind.AckTimeout:
                HandleAckTimeout(now);
                break;
            case SipEventKind.ReInvite:
            case SipEventKind.Update:
                Renegotiate(e, now);
                break;
            case SipEventKind.Info:
                HandleInfo(e, now);
                break;
            case SipEventKind.OtherRequest:
                Dialog.Respond(e.Request, 405, default, default, now);
                break;
            case SipEventKind.Prack:
                HandlePrack(e, now);
                break;
            case SipEventKind.TargetUnknown:
                Reroute("next_hop_unknown", "the name of the next hop is not known to the DNS (yet); the call's own flow is used");
                break;
            case SipEventKind.TargetFailed:
                Reroute("next_hop_failed", $"{(e.Status == 408 ? "no answer to" : "no service for")} {e.Method.ToString().ToUpperInvariant()} there; the next place is tried");
                break;
            default:
                break;
        }
    }

    /// <summary>Another dialog of the caller's side is to take the place of ours: its INVITE is answered.</summary>
    /// <param name="next">What <see cref="Become"/> gets when the offer is taken.</param>
    public AnswerVerdict Accept(SipDialog dialog, in SipMessageView invite, out SipLeg next, MonoTime now)
    {
        next = new SipLeg(dialog, call.Verdict, services.Limits);
        invite.TryGetSdp(out ReadOnlySpan<byte> offer);
        var local = new NetEndPoint(services.MediaAddress(Dialog.Flow), (ushort)call.Reservation.SipPort);
        AnswerVerdict answer = next.Open(offer, local, default, services.AnswersSecureInClear, services.Random);
        return answer.IsAccepted && !TryAccept(next, now) ? new AnswerVerdict(AnswerCode.TooLong) : answer;
    }

    /// <returns>The leg before; it is to be ended.</returns>
    public SipLeg Become(SipLeg next)
    {
        SipLeg old = _leg;
        (_leg, IsConfirmed) = (next, false);
        (next.Dialog.Owner, next.Dialog.AllowedSources, next.Dialog.Login, next.Dialog.Judge) = (call, old.Dialog.AllowedSources, old.Dialog.Login, old.Dialog.Judge);
        return old;
    }

    /// <summary>The audio of the leg that took the place of another.</summary>
    public void FollowNext()
    {
        if (_leg.Audio is not null)
        {
            StartMedia(CallCommandKind.Renegotiate);
        }
    }

    /// <summary>Hangs up where an answer stands, refuses where none does yet.</summary>
    public void End(in Outcome outcome, ReadOnlySpan<byte> extraHeaders, MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[CallHeaders.Max];
        var headers = new SipHeaderLines(buffer);
        headers.AddLines(extraHeaders);
        call.AddMapped(ref headers);
        _leg.End(outcome, outcome.SipStatus, headers.Written, now);
    }

    private bool TryAccept(SipLeg leg, MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[CallHeaders.Max];
        var headers = new SipHeaderLines(buffer);
        CallHeaders.AddStatic(ref headers, call.Verdict);
        call.AddMapped(ref headers);
        return leg.Dialog.Accept(leg.Description, headers.Written, now);
    }

    /// <summary>As soon as the session is agreed on: with the INVITE, or with the PRACK that answers our offer.</summary>
    private void BeginEarlyMedia()
    {
        if (_hasEarlyMedia && _leg.Audio is not null)
        {
            StartMedia(CallCommandKind.StartSip);
            call.PlayRingback();
        }
    }

    private void StartMedia(CallCommandKind kind)
    {
        NegotiatedAudio audio = _leg.Audio!;
        call.Record.SipCodec = audio.Codec == SipAudioCodec.Pcma ? "PCMA/8000" : "PCMU/8000";
        call.Record.SrtpProfile = audio.Srtp?.ToString() ?? "";
        call.Command(kind, _leg.ToMedia(IsAnswered));
    }

    private void Confirm(in SipEvent e, MonoTime now)
    {
        if (!IsConfirmed)
        {
            IsConfirmed = true;
            call.HandleConfirmed(now);
        }
        if (!_leg.IsLateOffer)
        {
            return;
        }
        bool isThere = SipMessageView.TryParse(e.RequestBytes, out SipMessageView ack, out _);
        if (!isThere || !ack.TryGetSdp(out ReadOnlySpan<byte> answer))
        {
            call.End(new Outcome(EndedBy.Us, "no_answer_in_ack", "the ACK carries no answer to our offer", 200, 88), now);
            return;
        }
        bool isFirst = call.Record.SipCodec.Length == 0;
        AnswerVerdict verdict = _leg.TakeAnswer(answer);
        if (!verdict.IsAccepted)
        {
            call.End(new Outcome(EndedBy.Us, "media_not_acceptable", verdict.WarningText, 200, 88), now);
            return;
        }
        StartMedia(isFirst ? CallCommandKind.StartSip : CallCommandKind.Renegotiate);
    }

    private void HandleAckTimeout(MonoTime now)
    {
        call.Record.Flags.Add("no_ack");
        if (!IsHeard)
        {
            call.End(new Outcome(EndedBy.Us, "no_ack", "neither an ACK nor RTP came after the 200", 200, 102), now);
        }
    }

    /// <summary>The answer to our offer in a 180 or 183; or another offer, which the PRACK's 200 answers (RFC 3262 §5). What cannot be taken ends the call: a PRACK is never refused.</summary>
    private void HandlePrack(in SipEvent e, MonoTime now)
    {
        bool isThere = SipMessageView.TryParse(e.RequestBytes, out SipMessageView prack, out _);
        isThere &= prack.TryGetSdp(out ReadOnlySpan<byte> sdp);
        if (!e.Request.IsNone)
        {
            AnswerVerdict taken = _leg.TakeOffer(sdp);
            if (!taken.IsAccepted)
            {
                Dialog.Recall();
            }
            Dialog.Respond(e.Request, 200, taken.IsAccepted ? _leg.Description : _leg.Refuse(sdp), default, now);
            FollowOffer(taken, now);
        }
        else if (_leg.IsLateOffer)
        {
            AnswerVerdict answered = isThere ? _leg.TakeAnswer(sdp) : new AnswerVerdict(AnswerCode.BadAnswer);
            if (answered.IsAccepted)
            {
                BeginEarlyMedia();
            }
            else
            {
                EndUnagreed(answered, now);
            }
        }
    }

    /// <summary>Re-INVITE or UPDATE: hold, resume, new address, refresh. A refused offer leaves the audio as it was.</summary>
    private void Renegotiate(in SipEvent e, MonoTime now)
    {
        bool isThere = SipMessageView.TryParse(e.RequestBytes, out SipMessageView request, out _);
        if (!isThere || !request.TryGetSdp(out ReadOnlySpan<byte> offer))
        {
            bool hasOffer = e.Kind == SipEventKind.ReInvite && _leg.TryOffer();
            Dialog.Respond(e.Request, 200, hasOffer ? _leg.Description : default, default, now);
            return;
        }
        AnswerVerdict verdict = _leg.TakeOffer(offer);
        if (!verdict.IsAccepted)
        {
            Span<byte> buffer = stackalloc byte[256];
            var headers = new SipHeaderLines(buffer);
            CallHeaders.AddWarning(ref headers, verdict, services.AgentName);
            Dialog.Respond(e.Request, verdict.SipStatus, default, headers.Written, now);
            return;
        }
        Dialog.Respond(e.Request, 200, _leg.Description, default, now);
        FollowOffer(verdict, now);
    }

    /// <summary>The session changed, or could not be kept, before the answer.</summary>
    private void FollowOffer(in AnswerVerdict verdict, MonoTime now)
    {
        if (!verdict.IsAccepted)
        {
            EndUnagreed(verdict, now);
        }
        else if (IsListening)
        {
            StartMedia(CallCommandKind.Renegotiate);
        }
    }

    /// <summary>No session came about by PRACK: the INVITE is refused.</summary>
    private void EndUnagreed(in AnswerVerdict verdict, MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[256];
        var headers = new SipHeaderLines(buffer);
        CallHeaders.AddWarning(ref headers, verdict, services.AgentName);
        call.End(new Outcome(EndedBy.Us, "media_not_acceptable", verdict.WarningText, 488, 88), now, headers.Written);
    }

    /// <summary>INFO with <c>application/dtmf-relay</c> or <c>application/dtmf</c> is a key press; anything else is taken and ignored.</summary>
    private void HandleInfo(in SipEvent e, MonoTime now)
    {
        bool isThere = SipMessageView.TryParse(e.RequestBytes, out SipMessageView request, out _);
        if (isThere && InfoDigits.TryRead(request.ContentType, request.Body, out char digit))
        {
            call.HandleDigit(digit, isInfo: true, now);
        }
        Dialog.Respond(e.Request, 200, default, default, now);
    }

    private void Reroute(string flag, string what)
    {
        // The BYE may outlive the call: its record is given away then.
        if (call.Phase < CallPhase.Over)
        {
            call.Flag(flag);
        }
        services.Observer.Rerouted(call.Record, what);
    }
}
