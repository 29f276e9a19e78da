using System;
using System.Collections.Generic;
using Proxy.Policy.Caps;

namespace Proxy.Policy.Deferred;

/// <summary>
/// Signal thread. The rules, and before their verdict stands whoever else has a say: a store that is read again for a call
/// that would be refused, then the hook. When the answer is there the rules are asked once more: caps and objects may have
/// changed, and what the caller proved counts as proved.
/// </summary>
/// <param name="rules">Decides by itself.</param>
/// <param name="terms">When it is not enough.</param>
/// <param name="settings">Of the rules.</param>
public sealed class DeferringPolicy(IPolicy rules, DeferralTerms terms, PolicySettings settings) : IPolicy
{
    public Verdict Decide(in CallFacts facts, in CapsView limits, DecisionTrace? trace)
    {
        Verdict local = rules.Decide(facts, limits, trace);
        return terms.RefreshPatience > TimeSpan.Zero && MayChange(local.Code)
            ? Defer(DeferralKind.Refresh, terms.RefreshPatience, local)
            : AskHook(local);
    }

    /// <summary>Whether a PIN is right is the rules' matter; into which room it lets, the hook has the last word about.</summary>
    public Verdict DecidePin(in CallFacts facts, Verdict asked, string pin, in CapsView limits, DecisionTrace? trace)
    {
        Verdict local = rules.DecidePin(facts, asked, pin, limits, trace);
        return local.Kind == VerdictKind.Join && terms.Hook is { } hook ? Defer(DeferralKind.Hook, hook.Patience, local, isPinPassed: true) : local;
    }

    /// <summary>Nobody is asked about a call that runs.</summary>
    public Verdict Prove(in CallFacts facts, string trunkId, in CapsView limits) => rules.Prove(facts, trunkId, limits);

    public Verdict Resume(in CallFacts facts, Verdict deferred, in DeferredAnswer answer, in CapsView limits, DecisionTrace? trace)
    {
        if (deferred.Deferral!.IsPinPassed)
        {
            return Apply(facts, deferred.Deferral.Local, answer);
        }
        Verdict local = rules.Decide(facts with { IsSecondLook = true }, limits, trace) with { Note = deferred.Note };
        if (deferred.Deferral.Kind == DeferralKind.Refresh)
        {
            return AskHook(Noted(local, "policy " + answer.Note));
        }
        return IsForHook(local) ? Apply(facts, local, answer) : local;
    }

    private Verdict AskHook(Verdict local) =>
        terms.Hook is { } hook && IsForHook(local) ? Defer(DeferralKind.Hook, hook.Patience, local) : local;

    private static Verdict Defer(DeferralKind kind, TimeSpan patience, Verdict local, bool isPinPassed = false) => new()
    {
        Kind = VerdictKind.Deferred,
        Deferral = new Deferral(kind, patience, local, isPinPassed),
        PolicyVersion = local.PolicyVersion,
        IsListedSource = local.IsListedSource,
        MayTellWhy = local.MayTellWhy,
        TrunkId = local.TrunkId,
        TrunkName = local.TrunkName,
        HidesNumber = local.HidesNumber,
        Identity = local.HidesNumber ? local.Identity : "",
        Note = local.Note,
    };

    /// <summary>A refusal that another object would turn: those of caps and locks no object can.</summary>
    private static bool MayChange(RefusalCode code) => code is RefusalCode.BadCredentials or RefusalCode.AmbiguousTrunk
        or RefusalCode.TrunkQuarantined or RefusalCode.TrunkMisconfigured || IsUnmatched(code);

    private static bool IsUnmatched(RefusalCode code) => code is RefusalCode.NoTrunk or RefusalCode.NoRule or RefusalCode.SourceNotAllowed
        or RefusalCode.CallerNotAllowed or RefusalCode.NumberOffline;

    /// <summary>Who failed at the digest, or at a cap, is not the hook's concern.</summary>
    private bool IsForHook(Verdict local) => local.Kind switch
    {
        VerdictKind.Join or VerdictKind.AskPin => true,
        VerdictKind.Reject => terms.Hook!.AsksAboutAll && IsUnmatched(local.Code),
        _ => false,
    };

    private Verdict Apply(in CallFacts facts, Verdict local, in DeferredAnswer answer)
    {
        if (answer.Hook is not { } said || !answer.IsAnswered)
        {
            return WithoutAnswer(local, answer.Note);
        }
        switch (said.Kind)
        {
            case HookVerdict.Local:
                return Noted(local, $"hook {answer.Note}: as the rules say");
            case HookVerdict.Reject:
                return Noted(Refused(local, said), $"hook {answer.Note}: refuses");
            default:
                Verdict @base = local.Kind is VerdictKind.Join or VerdictKind.AskPin ? local : Plain(facts, local);
                return said.Room.Length == 0 && @base.Room.Length == 0
                    ? WithoutAnswer(local, answer.Note + ", but with no room")
                    : Noted(Joined(@base, said), $"hook {answer.Note}: room {RulePolicy.Shown(said.Room.Length > 0 ? said.Room : @base.Room)}");
        }
    }

    private Verdict WithoutAnswer(Verdict local, string why) => terms.Hook!.RefusesWithoutAnswer
        ? Noted(Verdict.Refuse(RefusalCode.BackendDown, $"the policy hook gave no answer that counts: {why}", settings.Refusals) with
        {
            PolicyVersion = local.PolicyVersion,
            IsListedSource = local.IsListedSource,
            MayTellWhy = local.MayTellWhy,
            TrunkId = local.TrunkId,
            TrunkName = local.TrunkName,
            Note = local.Note,
        }, $"hook {why}: refused, as when_down says")
        : Noted(local, $"hook {why}: local answer");

    private Verdict Refused(Verdict local, HookAnswer said)
    {
        Refusal usual = settings.Refusals[RefusalCode.HookRejected];
        string sentence = said.Sentence.Length > 0 ? "the policy hook refuses: " + RulePolicy.Shown(said.Sentence) : "the policy hook refuses the call";
        return Verdict.Refuse(RefusalCode.HookRejected, sentence, settings.Refusals) with
        {
            SipStatus = said.Status > 0 ? said.Status : usual.Status,
            SipReason = said.Reason.Length > 0 ? said.Reason : said.Status > 0 ? "Refused" : usual.Reason,
            PolicyVersion = local.PolicyVersion,
            IsListedSource = local.IsListedSource,
            MayTellWhy = local.MayTellWhy,
            TrunkId = local.TrunkId,
            TrunkName = local.TrunkName,
            RuleId = local.RuleId,
            RuleName = local.RuleName,
            Note = local.Note,
        };
    }

    /// <summary>What no rule took joins as a caller that is known by its number alone.</summary>
    private Verdict Plain(in CallFacts facts, Verdict local) => PlainJoin.For(facts, "", settings.Secret) with
    {
        PolicyVersion = local.PolicyVersion,
        IsListedSource = local.IsListedSource,
        MayTellWhy = local.MayTellWhy,
        TrunkId = local.TrunkId,
        TrunkName = local.TrunkName,
        Sources = local.Sources,
        Note = local.Note,
    };

    private static Verdict Joined(Verdict @base, HookAnswer said) => @base with
    {
        Kind = VerdictKind.Join,
        Pin = null,
        PinAttemptsLeft = 0,
        Sentence = "",
        Room = said.Room.Length > 0 ? said.Room : @base.Room,
        Identity = said.Identity.Length > 0 ? said.Identity : @base.Identity,
        Name = said.Name ?? @base.Name,
        Metadata = said.Metadata ?? @base.Metadata,
        Attributes = Merge(@base.Attributes, said.Attributes),
        RoomConfigJson = said.RoomConfigJson ?? @base.RoomConfigJson,
        Agents = said.RoomConfigJson is null ? @base.Agents : said.Agents,
        RingingTimeout = said.RingingTimeout > TimeSpan.Zero ? said.RingingTimeout : @base.RingingTimeout,
        MaxCallDuration = said.MaxCallDuration > TimeSpan.Zero ? said.MaxCallDuration : @base.MaxCallDuration,
        AnswerMode = said.AnswerMode ?? @base.AnswerMode,
    };

    /// <summary>The hook's attributes; what we say of the call itself stays ours.</summary>
    private static KeyValuePair<string, string>[] Merge(KeyValuePair<string, string>[] ours, KeyValuePair<string, string>[] theirs)
    {
        var merged = new List<KeyValuePair<string, string>>(ours);
        foreach (KeyValuePair<string, string> attribute in theirs)
        {
            int at = merged.FindIndex(a => a.Key == attribute.Key);
            if (at < 0)
            {
                merged.Add(attribute);
            }
            else if (!attribute.Key.StartsWith("sip.", StringComparison.Ordinal))
            {
                merged[at] = attribute;
            }
        }
        return [.. merged];
    }

    private static Verdict Noted(Verdict verdict, string note) => verdict with { Note = verdict.Note.Length == 0 ? note : verdict.Note + "; " + note };
}
