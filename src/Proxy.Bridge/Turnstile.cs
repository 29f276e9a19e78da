using System;
using System.Globalization;
using System.Text;
using Proxy.Bridge.Records;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Deferred;
using Proxy.Policy.Explaining;
using Proxy.Sdp;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Writing;

namespace Proxy.Bridge;

/// <summary>Signal thread. Where an INVITE meets the policy: asks for the verdict, and carries out the verdicts that end the attempt.</summary>
internal sealed class Turnstile(CallServices services, CallCounters counters)
{
    private const long SecondMicros = 1_000_000;
    private readonly DecisionTrace _trace = new(TraceDepth.Refusals);
    private long _second;
    private int _explained;

    public static CallRecord NewRecord(in CallFacts facts) => new()
    {
        CallId = facts.CallId,
        SipCallId = facts.SipCallId,
        ProviderCallId = facts.Header("X-Twilio-CallSid"),
        FromUser = facts.FromUser,
        ToUser = facts.ToUser,
        Source = facts.Source.ToString(),
        Proxy = facts.Proxy == facts.Source ? "" : facts.Proxy.ToString(),
        Transport = facts.Transport,
        StartedAt = facts.Utc,
    };

    /// <summary>Asks the policy and notes in the record what it said; a refused call's record explains why.</summary>
    public Verdict Decide(in CallFacts facts, CallRecord record, MonoTime now)
    {
        _trace.Clear();
        Verdict verdict = services.Policy.Decide(facts, services.Caps.At(now), MayExplain(now) ? _trace : null);
        Note(facts, verdict, record, now);
        return verdict;
    }

    /// <summary>Asks the policy again about a call that waited.</summary>
    public Verdict Resume(WaitingCall call, in DeferredAnswer answer, MonoTime now)
    {
        _trace.Clear();
        Verdict verdict = services.Policy.Resume(call.Facts, call.Question!.Deferred, answer, services.Caps.At(now), MayExplain(now) ? _trace : null);
        Note(call.Facts, verdict, call.Record, now);
        return verdict;
    }

    /// <summary>The caller gave up while the verdict waited; its 487 is sent.</summary>
    public void Cancelled(CallRecord record, MonoTime now)
    {
        record.EndedBy = "caller";
        Close(record, "cancelled", "the caller hung up before it was decided", 487, now);
    }

    public void Challenge(SipDialog dialog, CallRecord record, Verdict verdict, MonoTime now)
    {
        dialog.Challenge(Encoding.UTF8.GetBytes(ChallengeText(verdict.Challenge!)), now);
        counters.Challenged++;
        Close(record, "challenged", "credentials were asked for", dialog.FinalStatus, now);
    }

    /// <summary>The value of WWW-Authenticate or Proxy-Authenticate.</summary>
    public static string ChallengeText(DigestChallenge challenge) =>
        $"Digest realm=\"{challenge.Realm}\", nonce=\"{challenge.Nonce}\", algorithm={challenge.Algorithm}, qop=\"{challenge.Qop}\""
            + (challenge.IsStale ? ", stale=true" : "");

    public void Refuse(SipDialog dialog, CallRecord record, Verdict verdict, MonoTime now)
    {
        if (IsSilent(verdict))
        {
            dialog.Drop(now);
            counters.Silenced++;
            Close(record, Refusals.Name(verdict.Code), verdict.Sentence + "; no answer, because of hide_inbound_port", 0, now);
            return;
        }
        Span<byte> buffer = stackalloc byte[512];
        var headers = new SipHeaderLines(buffer);
        AddRefusal(ref headers, verdict);
        // A stranger's INVITE is answered once and not repeated: what we send must not exceed what it sent.
        dialog.Reject(verdict.SipStatus, Encoding.UTF8.GetBytes(verdict.SipReason), headers.Written, now, verdict.IsListedSource || verdict.RetryAfterSeconds > 0);
        counters.Refused++;
        Close(record, Refusals.Name(verdict.Code), verdict.Sentence, dialog.FinalStatus > 0 ? dialog.FinalStatus : verdict.SipStatus, now);
    }

    /// <summary>When to try again, and why it was refused where that may be told.</summary>
    public static void AddRefusal(ref SipHeaderLines headers, Verdict verdict)
    {
        if (verdict.RetryAfterSeconds > 0)
        {
            headers.Add("Retry-After", verdict.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture));
        }
        if (verdict.MayTellWhy && verdict.Q850Cause > 0)
        {
            headers.Add("Reason", $"Q.850;cause={verdict.Q850Cause};text=\"{Refusals.Name(verdict.Code)}\"");
        }
    }

    /// <summary>What a node says of itself goes to everybody, and who was asked for credentials knows already that we are here.</summary>
    private bool IsSilent(Verdict verdict) => services.HidesFromStrangers && !verdict.IsListedSource && verdict.RetryAfterSeconds == 0
        && verdict.Code is not (RefusalCode.BadCredentials or RefusalCode.Internal);

    public void RefuseMedia(SipDialog dialog, CallRecord record, in AnswerVerdict answer, MonoTime now)
    {
        Span<byte> buffer = stackalloc byte[512];
        var headers = new SipHeaderLines(buffer);
        CallHeaders.AddWarning(ref headers, answer, services.AgentName);
        dialog.Reject(answer.SipStatus, default, headers.Written, now);
        bool isKeys = answer.Code is AnswerCode.SrtpRequired or AnswerCode.SrtpDisabled;
        counters.Refused++;
        Close(record, Refusals.Name(isKeys ? RefusalCode.MediaEncryption : RefusalCode.MediaNotAcceptable), answer.WarningText, answer.SipStatus, now);
    }

    private void Note(in CallFacts facts, Verdict verdict, CallRecord record, MonoTime now)
    {
        record.Note = verdict.Note;
        record.TrunkId = verdict.TrunkId;
        record.RuleId = verdict.RuleId;
        record.Room = verdict.Room;
        record.Identity = verdict.Identity;
        record.PolicyVersion = verdict.PolicyVersion;
        if (verdict.HidesNumber)
        {
            // The pseudonym stands for the number in the log and the records too.
            record.FromUser = verdict.Identity.Replace("sip_", "", StringComparison.Ordinal);
        }
        if (verdict.Kind == VerdictKind.Deferred)
        {
            return;
        }
        record.DecidedMs = Elapsed(record, now);
        if (verdict.Kind == VerdictKind.Reject && _trace.Steps.Count > 0)
        {
            _explained++;
            record.Explanation = ExplainText.Write(facts, verdict, _trace);
        }
        if (verdict.Compat != CompatUse.None && verdict.Kind is VerdictKind.Join or VerdictKind.AskPin)
        {
            services.Observer.Lenient(record, verdict.Compat);
        }
    }

    /// <summary>A flood of refused calls must not be answered with a flood of explanations.</summary>
    private bool MayExplain(MonoTime now)
    {
        long second = now.Micros / SecondMicros;
        if (second != _second)
        {
            _second = second;
            _explained = 0;
        }
        return _explained < services.Limits.ExplainedPerSecond;
    }

    /// <summary>Since the INVITE, milliseconds.</summary>
    private double Elapsed(CallRecord record, MonoTime now) => (now - services.TimeOf(record.StartedAt)).TotalMilliseconds;

    private void Close(CallRecord record, string code, string sentence, int status, MonoTime now)
    {
        record.Code = code;
        record.Sentence = sentence;
        record.SipStatus = status;
        record.EndedBy = record.EndedBy.Length > 0 ? record.EndedBy : "us";
        record.EndedMs = Elapsed(record, now);
        services.Observer.Ended(record);
    }
}
