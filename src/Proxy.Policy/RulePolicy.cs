using System;
using Proxy.Core;
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
        TrunkChoice trunk = default;
        Verdict verdict = Decide(look, limits, default, ref trunk, out int number);
        if (trace is not null)
        {
            Explainer.Tell(look, trunk, number, default, verdict, trace);
        }
        return verdict;
    }

    public Verdict DecidePin(in CallFacts facts, Verdict asked, string pin, in CapsView limits, DecisionTrace? trace)
    {
        var look = new CallLook(_store.Current, facts);
        var answer = new PinAnswer(true, pin);
        TrunkChoice trunk = new() { Trunk = look.Snapshot.Trunks.Find(asked.TrunkId), Rival = -1, FailedTrunk = -1, Compat = asked.Compat };
        int number = asked.PhoneNumberId.Length > 0 ? look.Snapshot.Inventory.Find(look.ToText) : -1;
        Verdict verdict = AnswerPin(look, asked, answer, trunk, number, limits);
        if (trace is not null)
        {
            Explainer.Tell(look, trunk, number, answer, verdict, trace);
        }
        return verdict;
    }

    /// <summary>The rules alone never defer.</summary>
    public Verdict Resume(in CallFacts facts, Verdict deferred, in DeferredAnswer answer, in CapsView limits, DecisionTrace? trace) =>
        Decide(facts with { IsSecondLook = true }, limits, trace);

    private Verdict Decide(in CallLook look, in CapsView limits, PinAnswer pin, ref TrunkChoice trunk, out int number)
    {
        number = InventoryNumber(look, out bool isForeign);
        trunk = number >= 0 ? new TrunkChoice { Trunk = -1, Rival = -1, FailedTrunk = -1 } : TrunkChoice.For(look);
        bool isListed = look.Snapshot.Listed.Contains(look.Facts.Source.Address);
        Verdict? refused = number >= 0 ? null : CheckTrunk(look, ref trunk, isForeign, isListed, limits);
        refused ??= ChooseRule(look, trunk, number, pin, limits, out Verdict? chosen) ?? chosen;
        return refused! with
        {
            PolicyVersion = look.Snapshot.Version,
            IsListedSource = isListed,
            MayTellWhy = isListed,
            Compat = trunk.Compat,
        };
    }

    /// <summary>An inventory number takes calls from the interconnect only.</summary>
    private static int InventoryNumber(in CallLook look, out bool isForeign)
    {
        isForeign = false;
        int number = look.Snapshot.Inventory.Find(look.ToText);
        if (number < 0)
        {
            return -1;
        }
        bool comesFromThere = !look.Facts.Source.IsSet || look.Snapshot.Interconnect.Contains(look.Facts.Source.Address);
        isForeign = !comesFromThere;
        return comesFromThere && !look.Snapshot.Interconnect.IsEmpty ? number : -1;
    }

    /// <returns>A refusal or a challenge; null when the call may go on to the rules.</returns>
    private Verdict? CheckTrunk(in CallLook look, ref TrunkChoice choice, bool isForeign, bool isListed, in CapsView limits)
    {
        if (choice.IsNone)
        {
            return NoTrunk(look, ref choice, isForeign);
        }
        CompiledTrunk trunk = look.Snapshot.Trunks.All[choice.Trunk];
        if (choice.Rival >= 0)
        {
            CompiledTrunk rival = look.Snapshot.Trunks.All[choice.Rival];
            return Refuse(RefusalCode.AmbiguousTrunk, $"trunks {Label(trunk)} and {Label(rival)} both take this call and nothing tells them apart", trunk);
        }
        if (trunk.HasAuth)
        {
            return CheckDigest(look, choice, trunk, isListed, limits);
        }
        if (!trunk.HasHalfAuth)
        {
            return null;
        }
        if (look.Snapshot.Compat == Compat.LiveKit)
        {
            choice = choice with { Compat = choice.Compat | CompatUse.HalfCredentials };
            return null;
        }
        return Refuse(RefusalCode.TrunkMisconfigured, $"trunk {Label(trunk)} has only one of auth_username and auth_password", trunk);
    }

    private Verdict? NoTrunk(in CallLook look, ref TrunkChoice choice, bool isForeign)
    {
        if (look.Snapshot.Compat == Compat.LiveKit && RuleChoice.For(look, -1, -1, default) >= 0)
        {
            choice = choice with { Compat = choice.Compat | CompatUse.NoTrunk };
            return null;
        }
        CompiledTrunk? near = choice.FailedTrunk < 0 ? null : look.Snapshot.Trunks.All[choice.FailedTrunk];
        return choice.Failed switch
        {
            TrunkFail.Source => Refuse(RefusalCode.SourceNotAllowed,
                $"address {look.Facts.Source.Address} is not in allowed_addresses of trunk {Label(near!)}, which owns {Shown(look.CalledUser(near))}", near),
            TrunkFail.Caller => Refuse(RefusalCode.CallerNotAllowed,
                $"caller {Shown(look.CallerUser(near))} is not in allowed_numbers of trunk {Label(near!)}, which owns {Shown(look.CalledUser(near))}", near),
            _ when isForeign => Refuse(RefusalCode.SourceNotAllowed,
                $"address {look.Facts.Source.Address} is not in interconnect.allowed_addresses and no trunk owns {Shown(look.Facts.ToUser)}", null),
            _ => Refuse(RefusalCode.NoTrunk, $"no trunk takes calls to {Shown(look.Facts.ToUser)}", null),
        };
    }

    private Verdict? CheckDigest(in CallLook look, in TrunkChoice choice, CompiledTrunk trunk, bool isListed, in CapsView limits)
    {
        string algorithm = trunk.Trunk.Extras.DigestAlgorithm;
        CompiledTrunk? named = choice.NeedsUserName ? null : trunk;
        DigestOutcome outcome = _digest.Decide(look.Facts, named, trunk.Realm, algorithm, isListed, limits.IsSet);
        string who = choice.NeedsUserName ? "the trunks of this number" : "trunk " + Label(trunk);
        return outcome switch
        {
            DigestOutcome.Passed => null,
            DigestOutcome.Ask or DigestOutcome.AskStale => new Verdict
            {
                Kind = VerdictKind.Challenge,
                Sentence = outcome == DigestOutcome.Ask ? $"{who} ask for a user and a password" : "the password is right, the nonce was used or is too old",
                SipStatus = 407,
                SipReason = "Proxy Authentication Required",
                Challenge = _digest.Challenge(look.Facts, trunk.Realm, algorithm, outcome == DigestOutcome.AskStale),
                TrunkId = choice.NeedsUserName ? "" : trunk.Trunk.Id,
                TrunkName = choice.NeedsUserName ? "" : trunk.Trunk.Name,
            },
            DigestOutcome.LockedOut => Refuse(RefusalCode.LockedOut, $"address {look.Facts.Source.Address} failed too often; it is locked out for a while", null),
            _ => Refuse(RefusalCode.BadCredentials, $"user or password is wrong for {who}", null),
        };
    }

    /// <returns>A refusal; null with <paramref name="verdict"/> set when a rule takes the call.</returns>
    private Verdict? ChooseRule(in CallLook look, in TrunkChoice choice, int number, PinAnswer pin, in CapsView limits, out Verdict? verdict)
    {
        verdict = null;
        CompiledTrunk? trunk = choice.IsNone ? null : look.Snapshot.Trunks.All[choice.Trunk];
        int index = RuleChoice.For(look, choice.Trunk, number, pin);
        if (index < 0)
        {
            return NoRule(look, trunk, number);
        }
        DispatchRule rule = look.Snapshot.Rules.All[index];
        verdict = VerdictWriter.Write(look, trunk, rule, number, _settings.Secret);
        if (VerdictWriter.BrokenCap(verdict.Caps, limits) is { } claim)
        {
            return Refuse(CapCode(claim.Scope), VerdictWriter.CapSentence(claim), trunk) with { RuleId = rule.Id, RuleName = rule.Name };
        }
        if (rule.Pin.Length == 0 || pin.IsAnswer)
        {
            return null;
        }
        if (limits.IsSet && _pins.IsLocked(look.CallerUser(trunk), rule.Id, look.Facts.Utc))
        {
            return Refuse(RefusalCode.PinLockedOut, $"caller {Shown(look.CallerUser(trunk))} keyed too many wrong PINs for rule {rule.Id}", trunk) with { RuleId = rule.Id };
        }
        verdict = VerdictWriter.AskPin(verdict, rule);
        return null;
    }

    private Verdict AnswerPin(in CallLook look, Verdict asked, PinAnswer pin, in TrunkChoice choice, int number, in CapsView limits)
    {
        CompiledTrunk? trunk = choice.IsNone ? null : look.Snapshot.Trunks.All[choice.Trunk];
        string caller = look.CallerUser(trunk);
        int index = RuleChoice.For(look, choice.Trunk, number, pin);
        if (index >= 0)
        {
            DispatchRule rule = look.Snapshot.Rules.All[index];
            Verdict join = VerdictWriter.Write(look, trunk, rule, number, _settings.Secret);
            // What the question took is taken; another rule's cap may be full.
            CapClaim? claim = VerdictWriter.BrokenCap(CallCaps.Without(join.Caps, asked.Caps), limits);
            Verdict verdict = claim is null ? join
                : Refuse(CapCode(claim.Value.Scope), VerdictWriter.CapSentence(claim.Value), trunk) with { RuleId = rule.Id, RuleName = rule.Name };
            return verdict with
            {
                PolicyVersion = look.Snapshot.Version,
                IsListedSource = asked.IsListedSource,
                MayTellWhy = asked.MayTellWhy,
                Compat = asked.Compat,
            };
        }
        bool isLocked = limits.IsSet && _pins.Add(caller, asked.RuleId, look.Facts.Utc);
        if (!isLocked && asked.PinAttemptsLeft > 1)
        {
            return asked with { PinAttemptsLeft = asked.PinAttemptsLeft - 1, PolicyVersion = look.Snapshot.Version, Sentence = "no rule has this PIN; the caller may try again" };
        }
        return Refuse(isLocked ? RefusalCode.PinLockedOut : RefusalCode.WrongPin, $"no rule has the PIN that caller {Shown(asked.HidesNumber ? asked.Identity : caller)} keyed", trunk) with
        {
            PolicyVersion = look.Snapshot.Version,
            IsListedSource = asked.IsListedSource,
            MayTellWhy = asked.MayTellWhy,
            RuleId = asked.RuleId,
        };
    }

    private Verdict NoRule(in CallLook look, CompiledTrunk? trunk, int number)
    {
        if (number >= 0 && look.Snapshot.Inventory.Rules(number).IsEmpty)
        {
            return Refuse(RefusalCode.NumberOffline, $"number {Shown(look.Facts.ToUser)} has no dispatch rule: it is offline", null)
                with
            { PhoneNumberId = look.Snapshot.Inventory.Id(number) };
        }
        string via = trunk is null ? "without a trunk" : "on trunk " + Label(trunk);
        return Refuse(RefusalCode.NoRule,
            $"no dispatch rule takes a call from {Shown(look.CallerUser(trunk))} to {Shown(look.CalledUser(trunk))} {via}", trunk);
    }

    private Verdict Refuse(RefusalCode code, string sentence, CompiledTrunk? trunk) => Verdict.Refuse(code, sentence, _settings.Refusals) with
    {
        TrunkId = trunk?.Trunk.Id ?? "",
        TrunkName = trunk?.Trunk.Name ?? "",
        Sources = trunk?.Addresses,
    };

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
