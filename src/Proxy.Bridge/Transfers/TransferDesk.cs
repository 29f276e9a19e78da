using System;
using System.Text;
using Proxy.Bridge.Media;
using Proxy.Bridge.Records;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Sip;
using Proxy.Sip.Parsing;
using Proxy.Sip.Writing;

namespace Proxy.Bridge.Transfers;

/// <summary>Signal thread. The transfers of one call, of which one at a time is under way: the REFER that an agent asks for, and the one that the caller's side sends.</summary>
internal sealed class TransferDesk
{
    private readonly Call _call;
    private readonly CallServices _services;
    private readonly CallFacts _facts;
    private readonly Admission _admission;
    private CallTransfer? _transfer;
    private Referral? _referral;

    public TransferDesk(Call call, CallServices services, in CallFacts facts, Admission admission)
    {
        _call = call;
        _services = services;
        _facts = facts;
        _admission = admission;
    }

    /// <summary>Nothing else may begin.</summary>
    public bool IsTransferring => _referral is not null || _transfer is { IsOpen: true };

    /// <summary>The caller's side took our REFER: its BYE is the transfer's end.</summary>
    public bool IsGivenAway => _transfer is { IsOpen: true, IsAccepted: true };

    /// <summary>A REFER of the caller's side is being carried out.</summary>
    public bool IsReferred => _referral is not null;

    /// <summary>The caller hears ringing instead of the room.</summary>
    public bool IsRinging { get; private set; }

    /// <summary>The caller's side may send nothing meanwhile, and is not gone for that.</summary>
    public bool IsTimeoutResting { get; private set; }

    /// <summary>What the policy is asked about: the INVITE, or the REFER that is carried out.</summary>
    public CallFacts Facts => _referral?.Facts ?? _facts;

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline => _transfer?.NextDeadline ?? MonoTime.Never;

    /// <summary>Asks the caller's side to call somebody else instead (REFER); a second wish for the same target waits for the first.</summary>
    /// <param name="done">Hears the outcome, once.</param>
    /// <returns>False when no transfer began; that is told already, or will be by the one under way.</returns>
    public bool TryBegin(TransferRequest request, Action<TransferOutcome> done, MonoTime now)
    {
        if (_transfer is { IsOpen: true } running && running.Target == request.Target)
        {
            running.Await(done);
            return false;
        }
        if (IsTransferring)
        {
            done(new TransferOutcome("", TransferResult.Elsewhere, 0, ""));
            return false;
        }
        if (!_call.IsAnswered || _call.Phase == CallPhase.Parting)
        {
            done(new TransferOutcome("", TransferResult.NotEstablished, 0, ""));
            return false;
        }
        TimeSpan timeout = request.Timeout > TimeSpan.Zero ? request.Timeout : _services.Limits.TransferTimeout;
        timeout = timeout < _services.Limits.TransferTimeoutMax ? timeout : _services.Limits.TransferTimeoutMax;
        _transfer = new CallTransfer(request, timeout, _services.Random, now);
        _transfer.Await(done);
        _call.Record.Add(new TransferRecord(_transfer.Id, request.Target, _call.Elapsed(now)));
        Send(now);
        return true;
    }

    /// <summary>Before the ACK the caller's side may not know its dialog yet; after it, or where RTP stands for it, the REFER goes out.</summary>
    public void Send(MonoTime now)
    {
        if (_transfer is null || !_call.IsEstablished)
        {
            return;
        }
        Span<byte> buffer = stackalloc byte[CallHeaders.Max];
        var headers = new SipHeaderLines(buffer);
        _call.AddMapped(ref headers);
        _transfer.Send(_call.Dialog, headers.Written, now);
    }

    /// <summary>An answer to our REFER, or a NOTIFY.</summary>
    public void HandleSip(in SipEvent e, MonoTime now) => _transfer?.HandleSip(e, now);

    public void HandleTimeout(MonoTime now) => _transfer?.HandleTimeout(now);

    /// <summary>The caller hears ringing for another reason, or none.</summary>
    public void StopRinging() => IsRinging = false;

    /// <summary>Does what the transfer wants; after every input of the call.</summary>
    public void Drain(MonoTime now)
    {
        while (_transfer is not null && _transfer.TryPoll(out TransferWish wish))
        {
            switch (wish)
            {
                case TransferWish.Ring:
                    IsRinging = _call.IsBridged;
                    break;
                case TransferWish.Resume:
                    IsRinging = false;
                    break;
                case TransferWish.Note:
                    TransferOutcome outcome = _transfer.Outcome!.Value;
                    _services.Transfers[outcome.Result]++;
                    Note(TransferCounters.Name(outcome.Result), outcome.SipStatus, now);
                    break;
                case TransferWish.HangUp:
                    _call.End(new Outcome(EndedBy.Us, "transferred", "the caller was transferred", 200, 16), now);
                    break;
                default:
                    break;
            }
        }
        bool isPending = _transfer is { IsPending: true };
        if (isPending != IsTimeoutResting && _call.Phase < CallPhase.Ending)
        {
            IsTimeoutResting = isPending;
            _call.Command(CallCommandKind.RestTimeout, isPending);
        }
    }

    /// <summary>The dialog ends, or another takes its place: what we asked for in it is over.</summary>
    public void HandleDialogEnded(MonoTime now)
    {
        _transfer?.HandleCallEnded();
        Drain(now);
    }

    /// <summary>Another dialog took the place of the call's.</summary>
    public void NoteReplaced(ReadOnlySpan<byte> callId, MonoTime now)
    {
        _call.Record.Add(new TransferRecord(CallTransfer.NewId(_services.Random), Encoding.UTF8.GetString(callId), _call.Elapsed(now)) { By = "replaces" });
        Note("replaced", 200, now);
    }

    /// <summary>The caller's side asks us to call somebody else: whom the policy sends to another room is moved there, as if the number had been called.</summary>
    public void HandleRefer(in SipEvent e, MonoTime now)
    {
        Referral? referral = null;
        int status = SipMessageView.TryParse(e.RequestBytes, out SipMessageView refer, out _) ? Referral.TryRead(in refer, _call.Dialog, out referral) : 400;
        status = status > 0 ? status : IsTransferring ? 491 : _call.IsBridged ? 0 : 603;
        if (status > 0)
        {
            _call.Dialog.Respond(e.Request, status, default, default, now);
            return;
        }
        referral!.Read(_facts, in refer, _services.UtcAt(now));
        Verdict verdict = DecideAgain(referral.Facts, now);
        if (verdict.Kind == VerdictKind.Challenge)
        {
            _call.Dialog.Challenge(e.Request, Encoding.UTF8.GetBytes(Turnstile.ChallengeText(verdict.Challenge!)), now);
            return;
        }
        _call.Record.Add(new TransferRecord(CallTransfer.NewId(_services.Random), referral.Target, _call.Elapsed(now)) { By = "caller" });
        if (verdict.Kind != VerdictKind.Reject)
        {
            _call.Dialog.Respond(e.Request, 202, default, default, now);
            referral.Tell(100, isLast: false, now);
            _referral = referral;
            Carry(verdict, now);
            return;
        }
        Span<byte> buffer = stackalloc byte[512];
        var headers = new SipHeaderLines(buffer);
        Turnstile.AddRefusal(ref headers, verdict);
        _call.Dialog.Respond(e.Request, verdict.SipStatus, default, headers.Written, now);
        Note("refused", verdict.SipStatus, now);
    }

    /// <summary>The REFER is accepted (202): what becomes of it is told by NOTIFY. A refusal leaves the call where it is.</summary>
    public void Carry(Verdict verdict, MonoTime now)
    {
        switch (verdict.Kind)
        {
            case VerdictKind.Join:
            case VerdictKind.AskPin:
                _services.Caps.Move(_call.Verdict.Caps, verdict.Caps, now);
                _call.Move(verdict, now);
                break;
            case VerdictKind.Deferred:
                _admission.Await(_referral!.Facts, verdict, now);
                break;
            default:
                // Asked for credentials only now, a 407 has no place any more.
                EndReferral("refused", verdict.Kind == VerdictKind.Reject ? verdict.SipStatus : 603, now);
                break;
        }
    }

    /// <summary>The REFER of the caller's side has its result.</summary>
    public void EndReferral(string result, int status, MonoTime now)
    {
        if (_referral is not null)
        {
            _referral.Tell(status, isLast: true, now);
            _referral = null;
            Note(result, status, now);
        }
    }

    /// <summary>What the call counts against now does not stand in its own way.</summary>
    private Verdict DecideAgain(in CallFacts facts, MonoTime now)
    {
        _services.Caps.Release(_call.Verdict.Caps, now);
        Verdict verdict = _services.Policy.Decide(facts, _services.Caps.At(now), null);
        _services.Caps.Restore(_call.Verdict.Caps);
        return verdict;
    }

    /// <summary>The last transfer of the record is over; there is only one at a time.</summary>
    private void Note(string result, int status, MonoTime now)
    {
        CallRecord record = _call.Record;
        TransferRecord done = record.Transfers[^1] with { EndedMs = _call.Elapsed(now), Result = result, SipStatus = status };
        record.Transfers[^1] = done;
        _services.Observer.Transferred(record, done);
    }
}
