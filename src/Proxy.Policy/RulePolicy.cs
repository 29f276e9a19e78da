using System;
using Proxy.Core;
using Proxy.Core.Diagnostics;
using Proxy.Policy.Caps;
using Proxy.Policy.Deferred;
using Proxy.Policy.Digest;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Explaining;
using Proxy.Policy.Trunks;

namespace Proxy.Policy;

/// <summary>
/// Signal thread. The policy of trunks, numbers and dispatch rules over the store's current snapshot. A decision reads the
/// snapshot once, so that it never sees two versions.
/// </summary>
public sealed class RulePolicy : IPolicy
{
    private readonly IRuleStore _store;
    private readonly PolicySettings _settings;
    private readonly DigestGate _digest;
    private readonly PinAttempts _pins;

    public RulePolicy(IRuleStore store, PolicySettings settings)
    {
        _store = store;
        _settings = settings;
        _digest = new DigestGate(settings.Secret);
        _pins = new PinAttempts(settings.Limits);
    }

    public Verdict Decide(in CallFacts facts, in CapsView limits, DecisionTrace? trace)
    {
        var look = new CallLook(_store.Current, facts);
        Decision decision = Judge(look, limits);
        Verdict verdict = Write(look, decision);
        if (trace is not null)
        {
            Explainer.Tell(look, decision.Trunk, decision.Number, default, verdict, trace);
        }
        return verdict;
    }

    public Verdict DecidePin(in CallFacts facts, Verdict asked, string pin, in CapsView limits, DecisionTrace? trace)
    {
        var look = new CallLook(_store.Current, facts);
        var answer = new PinAnswer(true, pin);
        TrunkChoice trunk = TrunkChoice.None with { Trunk = look.Snapshot.Trunks.Find(asked.TrunkId), Compat = asked.Compat };
        int number = asked.PhoneNumberId.Length > 0 ? look.InventoryNumber : -1;
        Verdict verdict = AnswerPin(look, asked, answer, trunk, number, limits);
        if (trace is not null)
        {
            Explainer.Tell(look, trunk, number, answer, verdict, trace);
        }
        return verdict;
    }

    public Verdict Prove(in CallFacts facts, string trunkId, in CapsView limits)
    {
        var look = new CallLook(_store.Current, facts);
        int index = look.Snapshot.Trunks.Find(trunkId);
        CompiledTrunk? trunk = index < 0 ? null : look.Snapshot.Trunks.All[index];
        if (trunk is not { HasAuth: true })
        {
            return Verdict.Refuse(RefusalCode.SourceNotAllowed, $"address {facts.Source.Address} has no part in the call, and its trunk has no credentials to prove", _settings.Refusals);
        }
        var decision = new Decision
        {
            Kind = VerdictKind.Join,
            Trunk = TrunkChoice.None with { Trunk = index },
            Number = -1,
            Rule = -1,
            IsListed = look.Snapshot.Listed.Contains(facts.Source.Address),
        };
        JudgeDigest(look, ref decision, trunk, limits);
        return decision.Kind == VerdictKind.Join ? new Verdict { Kind = VerdictKind.Join, TrunkId = trunkId, TrunkName = trunk.Trunk.Name } : Write(look, decision);
    }

    /// <summary>The rules alone never defer.</summary>
    public Verdict Resume(in CallFacts facts, Verdict deferred, in DeferredAnswer answer, in CapsView limits, DecisionTrace? trace) =>
        Decide(facts with { IsSecondLook = true }, limits, trace);

    /// <summary>Everything about a call but the words.</summary>
    [NoAlloc]
    internal Decision Judge(in CallLook look, in CapsView limits)
    {
        int number = InventoryNumber(look, out bool isForeign);
        var decision = new Decision
        {
            Kind = VerdictKind.Join,
            Number = number,
            Rule = -1,
            IsForeign = isForeign,
            IsListed = look.Snapshot.Listed.Contains(look.Facts.Source.Address),
            Trunk = number >= 0 ? TrunkChoice.None : TrunkChoice.For(look),
        };
        if (number < 0)
        {
            JudgeTrunk(look, ref decision, limits);
        }
        if (decision.Kind == VerdictKind.Join)
        {
            JudgeRule(look, ref decision, limits);
        }
        return decision;
    }

    /// <summary>An inventory number takes calls from the interconnect only.</summary>
    private static int InventoryNumber(in CallLook look, out bool isForeign)
    {
        isForeign = false;
        int number = look.InventoryNumber;
        if (number < 0)
        {
            return -1;
        }
        bool comesFromThere = !look.Facts.Source.IsSet || look.Snapshot.Interconnect.Contains(look.Facts.Source.Address);
        isForeign = !comesFromThere;
        return comesFromThere && !look.Snapshot.Interconnect.IsEmpty ? number : -1;
    }

    /// <summary>Refuses or challenges, or leaves the call to the rules.</summary>
    private void JudgeTrunk(in CallLook look, ref Decision decision, in CapsView limits)
    {
        if (decision.Trunk.IsNone)
        {
            JudgeNoTrunk(look, ref decision);
            return;
        }
        CompiledTrunk trunk = look.Snapshot.Trunks.All[decision.Trunk.Trunk];
        if (decision.Trunk.Rival >= 0)
        {
            decision.Refuse(RefusalCode.AmbiguousTrunk);
        }
        else if (trunk.HasAuth)
        {
            JudgeDigest(look, ref decision, trunk, limits);
        }
        else if (trunk.HasHalfAuth && look.Snapshot.Compat == Compat.LiveKit)
        {
            decision.Trunk = decision.Trunk with { Compat = decision.Trunk.Compat | CompatUse.HalfCredentials };
        }
        else if (trunk.HasHalfAuth)
        {
            decision.Refuse(RefusalCode.TrunkMisconfigured);
        }
    }

    private static void JudgeNoTrunk(in CallLook look, ref Decision decision)
    {
        if (look.Snapshot.Compat == Compat.LiveKit && RuleChoice.For(look, -1, -1, default) >= 0)
        {
            decision.Trunk = decision.Trunk with { Compat = decision.Trunk.Compat | CompatUse.NoTrunk };
            return;
        }
        decision.Refuse(decision.Trunk.Failed switch
        {
            TrunkFail.Source => RefusalCode.SourceNotAllowed,
            TrunkFail.Caller => RefusalCode.CallerNotAllowed,
            _ when decision.IsForeign => RefusalCode.SourceNotAllowed,
            _ => RefusalCode.NoTrunk,
        });
    }

    private void JudgeDigest(in CallLook look, ref Decision decision, CompiledTrunk trunk, in CapsView limits)
    {
        CompiledTrunk? named = decision.Trunk.NeedsUserName ? null : trunk;
        decision.Digest = _digest.Decide(look.Facts, named, trunk.Realm, trunk.Trunk.Extras.DigestAlgorithm, decision.IsListed, limits.IsSet);
        switch (decision.Digest)
        {
            case DigestOutcome.Passed:
                break;
            case DigestOutcome.Ask:
            case DigestOutcome.AskStale:
                decision.Kind = VerdictKind.Challenge;
                break;
            default:
                decision.Refuse(decision.Digest == DigestOutcome.LockedOut ? RefusalCode.LockedOut : RefusalCode.BadCredentials);
                break;
        }
    }

    private void JudgeRule(in CallLook look, ref Decision decision, in CapsView limits)
    {
        CompiledTrunk? trunk = decision.Trunk.IsNone ? null : look.Snapshot.Trunks.All[decision.Trunk.Trunk];
        decision.Rule = RuleChoice.For(look, decision.Trunk.Trunk, decision.Number, default);
        if (decision.Rule < 0)
        {
            bool isOffline = decision.Number >= 0 && look.Snapshot.Inventory.Rules(decision.Number).IsEmpty;
            decision.Refuse(isOffline ? RefusalCode.NumberOffline : RefusalCode.NoRule);
            return;
        }
        DispatchRule rule = look.Snapshot.Rules.All[decision.Rule];
        if (CallClaims.TryFindBroken(look, trunk, rule, limits, out decision.Broken))
        {
            decision.Refuse(CapCode(decision.Broken.Scope));
        }
        else if (rule.Pin.Length > 0 && limits.IsSet && _pins.IsLocked(look.CallerUser(trunk), rule.Id, look.Facts.Utc))
        {
            decision.Refuse(RefusalCode.PinLockedOut);
        }
        else if (rule.Pin.Length > 0)
        {
            decision.Kind = VerdictKind.AskPin;
        }
    }

    private Verdict Write(in CallLook look, in Decision decision)
    {
        CompiledTrunk? taken = decision.Trunk.IsNone ? null : look.Snapshot.Trunks.All[decision.Trunk.Trunk];
        return decision.Kind switch
        {
            VerdictKind.Reject => WriteRefusal(look, decision),
            VerdictKind.Challenge => WriteChallenge(look, decision, taken!),
            _ => VerdictWriter.Write(look, decision, taken, look.Snapshot.Rules.All[decision.Rule], _settings.Secret),
        };
    }

    private Verdict WriteRefusal(in CallLook look, in Decision decision)
    {
        CompiledTrunk? trunk = DecisionWords.TrunkOf(look, decision);
        DispatchRule? rule = decision.Rule < 0 ? null : look.Snapshot.Rules.All[decision.Rule];
        Refusal refusal = _settings.Refusals[decision.Code];
        return new Verdict
        {
            Kind = VerdictKind.Reject,
            PolicyVersion = look.Snapshot.Version,
            IsListedSource = decision.IsListed,
            MayTellWhy = decision.IsListed,
            Compat = decision.Trunk.Compat,
            Code = decision.Code,
            Sentence = DecisionWords.Sentence(look, decision, trunk),
            SipStatus = refusal.Status,
            SipReason = refusal.Reason,
            Q850Cause = refusal.Q850Cause,
            RetryAfterSeconds = refusal.RetryAfterSeconds,
            TrunkId = trunk?.Trunk.Id ?? "",
            TrunkName = trunk?.Trunk.Name ?? "",
            Sources = trunk?.Addresses,
            RuleId = rule?.Id ?? "",
            RuleName = rule?.Name ?? "",
            PhoneNumberId = decision.Code == RefusalCode.NumberOffline ? look.Snapshot.Inventory.Id(decision.Number) : "",
        };
    }

    private Verdict WriteChallenge(in CallLook look, in Decision decision, CompiledTrunk trunk) => new()
    {
        Kind = VerdictKind.Challenge,
        PolicyVersion = look.Snapshot.Version,
        IsListedSource = decision.IsListed,
        MayTellWhy = decision.IsListed,
        Compat = decision.Trunk.Compat,
        Sentence = DecisionWords.Challenge(look, decision),
        SipStatus = 407,
        SipReason = "Proxy Authentication Required",
        Challenge = _digest.Challenge(look.Facts, trunk.Realm, trunk.Trunk.Extras.DigestAlgorithm, decision.Digest == DigestOutcome.AskStale),
        TrunkId = decision.Trunk.NeedsUserName ? "" : trunk.Trunk.Id,
        TrunkName = decision.Trunk.NeedsUserName ? "" : trunk.Trunk.Name,
    };

    private Verdict AnswerPin(in CallLook look, Verdict asked, PinAnswer pin, in TrunkChoice choice, int number, in CapsView limits)
    {
        CompiledTrunk? trunk = choice.IsNone ? null : look.Snapshot.Trunks.All[choice.Trunk];
        int index = RuleChoice.For(look, choice.Trunk, number, pin);
        var decision = new Decision { Kind = VerdictKind.Join, Trunk = choice, Number = number, Rule = index, IsListed = asked.IsListedSource };
        if (index >= 0)
        {
            Verdict join = VerdictWriter.Write(look, decision, trunk, look.Snapshot.Rules.All[index], _settings.Secret, isPinAnswered: true);
            // What the question took is taken; another rule's cap may be full.
            foreach (CapClaim claim in CallCaps.Without(join.Caps, asked.Caps))
            {
                if (!limits.Allows(claim))
                {
                    decision.Broken = claim;
                    decision.Refuse(CapCode(claim.Scope));
                    return WriteRefusal(look, decision) with { MayTellWhy = asked.MayTellWhy };
                }
            }
            return join with { MayTellWhy = asked.MayTellWhy };
        }
        string caller = look.CallerUser(trunk);
        bool isLocked = limits.IsSet && _pins.Add(caller, asked.RuleId, look.Facts.Utc);
        if (!isLocked && asked.PinAttemptsLeft > 1)
        {
            return asked with { PinAttemptsLeft = asked.PinAttemptsLeft - 1, PolicyVersion = look.Snapshot.Version, Sentence = "no rule has this PIN; the caller may try again" };
        }
        string sentence = $"no rule has the PIN that caller {Shown(asked.HidesNumber ? asked.Identity : caller)} keyed";
        return Verdict.Refuse(isLocked ? RefusalCode.PinLockedOut : RefusalCode.WrongPin, sentence, _settings.Refusals) with
        {
            PolicyVersion = look.Snapshot.Version,
            IsListedSource = asked.IsListedSource,
            MayTellWhy = asked.MayTellWhy,
            TrunkId = asked.TrunkId,
            TrunkName = asked.TrunkName,
            Sources = asked.Sources,
            RuleId = asked.RuleId,
        };
    }

    private static RefusalCode CapCode(CapScope scope) => scope switch
    {
        CapScope.Trunk => RefusalCode.TrunkCap,
        CapScope.Rule => RefusalCode.RuleCap,
        CapScope.Number => RefusalCode.NumberCap,
        _ => RefusalCode.CallerCap,
    };

    internal static string Label(CompiledTrunk trunk) =>
        trunk.Trunk.Name.Length == 0 ? trunk.Trunk.Id : $"{trunk.Trunk.Id} (\"{Shown(trunk.Trunk.Name)}\")";

    /// <summary>Wire text as a sentence may hold it: no control characters, no end of line, not endless.</summary>
    internal static string Shown(string text)
    {
        if (text.Length == 0)
        {
            return "(empty)";
        }
        Span<char> shown = stackalloc char[Math.Min(text.Length, 64)];
        for (int i = 0; i < shown.Length; i++)
        {
            shown[i] = char.IsControl(text[i]) || text[i] is '\u2028' or '\u2029' ? '?' : text[i];
        }
        return shown.ToString();
    }
}

/// <summary>Any thread. What the policy takes from the configuration.</summary>
public sealed record PolicySettings
{
    public Refusals Refusals { get; init; } = Refusals.Default;

    /// <summary>Keys the hidden caller's pseudonym, room suffixes and nonces; the LiveKit API secret. Never logged.</summary>
    public byte[] Secret { get; init; } = [];

    public Limits Limits { get; init; } = new();

    public override string ToString() => nameof(PolicySettings);
}
