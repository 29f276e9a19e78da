using Proxy.Bridge.Media;
using Proxy.Bridge.Pin;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Policy.Deferred;
using Proxy.Policy.Dispatch;

namespace Proxy.Bridge;

/// <summary>Signal thread. What is asked before a running call may go into a room: the caller for a PIN, somebody else for a deferred verdict.</summary>
internal sealed class Admission(Call call, CallServices services, Questions questions)
{
    private PinDialogue? _pin;
    private Question? _question;
    /// <summary>How the call ends when the goodbye is said.</summary>
    private Outcome _refused;

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline => _pin?.NextDeadline ?? MonoTime.Never;

    /// <summary>The call's verdict wants a PIN.</summary>
    public void Prepare()
    {
        _pin = new PinDialogue(call.Verdict.Pin ?? PinPrompt.Default, services.Prompts, services.Limits);
        services.Pins.Asked++;
    }

    /// <summary>The caller can hear us now.</summary>
    public void Begin(MonoTime now) => _pin!.Begin(now);

    public void Press(char digit, bool isInfo, MonoTime now) => _pin!.Press(digit, isInfo, now);

    public void HandlePlayed(int number, MonoTime now) => _pin?.HandlePlayed(number, now);

    public void HandleTimeout(MonoTime now) => _pin?.HandleTimeout(now);

    /// <summary>Does what the PIN dialogue wants; after every input of the call.</summary>
    public void Drain(MonoTime now)
    {
        while (_pin is not null && _pin.TryPoll(out PinOutput output))
        {
            HandlePin(output, now);
        }
    }

    /// <summary>The verdict waits for an answer; where nobody can be asked it is decided at once.</summary>
    public void Await(in CallFacts facts, Verdict deferred, MonoTime now)
    {
        var question = new Question(call, facts, deferred);
        if (questions.TryAsk(question, now, out string why))
        {
            _question = question;
            return;
        }
        Resume(question, DeferredAnswer.Failed(why), now);
    }

    /// <summary>The answer came, or never will.</summary>
    public void HandleAnswer(Question question, in DeferredAnswer answer, MonoTime now)
    {
        _question = null;
        Resume(question, answer, now);
    }

    /// <summary>Nobody waits for the answer any more.</summary>
    public void Drop()
    {
        if (_question is not null)
        {
            questions.GiveUp(_question);
            _question = null;
        }
    }

    private void HandlePin(in PinOutput output, MonoTime now)
    {
        if (call.Phase != CallPhase.Asking)
        {
            return;
        }
        switch (output.Wish)
        {
            case PinWish.Play:
            case PinWish.Quiet:
                call.Command(CallCommandKind.Play, output.Playback);
                break;
            case PinWish.Ask:
                Judge(output.Digits, now);
                break;
            case PinWish.GiveUp:
                services.Pins.GivenUp++;
                call.EndRefused(RefusalCode.PinTimeout, "no PIN was keyed in time", now);
                break;
            default:
                call.End(_refused, now);
                break;
        }
    }

    /// <param name="digits">A secret: it goes to the policy and nowhere else.</param>
    private void Judge(string digits, MonoTime now)
    {
        CallFacts facts = call.Facts;
        Verdict verdict = services.Policy.DecidePin(facts, call.Verdict, digits, services.Caps.At(now), null);
        switch (verdict.Kind)
        {
            case VerdictKind.Join:
                services.Pins.Right++;
                call.Admit(verdict, now);
                break;
            case VerdictKind.Deferred:
                services.Pins.Right++;
                // What the call will count against is taken before somebody is asked: nobody else gets the last place meanwhile.
                CapClaim[] caps = verdict.Deferral!.Local.Caps;
                services.Caps.Move(call.Verdict.Caps, caps, now);
                call.Verdict = call.Verdict with { Caps = caps };
                call.PlayRingback();
                Await(facts, verdict, now);
                break;
            case VerdictKind.AskPin:
                services.Pins.Wrong++;
                call.Verdict = verdict;
                break;
            default:
                services.Pins.Wrong++;
                _refused = Refused(verdict);
                break;
        }
        _pin!.Judge(verdict, now);
    }

    private void Resume(Question question, in DeferredAnswer answer, MonoTime now)
    {
        services.Caps.Release(call.Verdict.Caps, now);
        Verdict verdict = services.Policy.Resume(question.Facts, question.Deferred, answer, services.Caps.At(now), null);
        services.Caps.Restore(call.Verdict.Caps);
        Note(verdict.Note);
        if (verdict.Kind == VerdictKind.Deferred)
        {
            Await(question.Facts, verdict, now);
        }
        else if (!question.Deferred.Deferral!.IsPinPassed)
        {
            call.CarryReferral(verdict, now);
        }
        else if (verdict.Kind == VerdictKind.Join)
        {
            call.Admit(verdict, now);
        }
        else
        {
            call.End(Refused(verdict), now);
        }
    }

    private void Note(string note) =>
        call.Record.Note = call.Record.Note.Length == 0 || note.Length == 0 ? call.Record.Note + note : call.Record.Note + "; " + note;

    private static Outcome Refused(Verdict verdict) =>
        new(EndedBy.Us, Refusals.Name(verdict.Code), verdict.Sentence, verdict.SipStatus, verdict.Q850Cause);
}
