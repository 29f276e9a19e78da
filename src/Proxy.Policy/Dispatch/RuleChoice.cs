using System;
using Proxy.Core.Diagnostics;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Dispatch;

/// <summary>Any thread. The first thing about a rule that did not hold.</summary>
internal enum RuleFail
{
    None = 0,
    Trunk,
    CalledNumber,
    Caller,
    Pin,
    Match,
}

/// <summary>One decision. What the caller keyed so far.</summary>
/// <param name="IsAnswer">False in the first pass: rules with and without PIN are both looked at.</param>
/// <param name="Digits">Empty means that only <c>#</c> was pressed: open rules only.</param>
internal readonly record struct PinAnswer(bool IsAnswer, string Digits);

/// <summary>One decision. Which rule takes a call.</summary>
internal static class RuleChoice
{
    /// <param name="look">The call.</param>
    /// <param name="trunk">Place of the trunk, or −1 for none.</param>
    /// <param name="number">Place of the inventory number that took the call, or −1.</param>
    /// <param name="pin">What was keyed.</param>
    /// <returns>Place of the rule, or −1.</returns>
    [NoAlloc]
    public static int For(in CallLook look, int trunk, int number, PinAnswer pin)
    {
        CompiledTrunk? compiled = trunk < 0 ? null : look.Snapshot.Trunks.All[trunk];
        if (number >= 0)
        {
            ReadOnlySpan<int> own = look.Snapshot.Inventory.Rules(number);
            if (own.IsEmpty)
            {
                // A number without a rule is offline, whatever rules for everybody there are.
                return -1;
            }
            foreach (int rule in own)
            {
                if (CheckOwn(look, compiled, rule, pin) == RuleFail.None)
                {
                    return rule;
                }
            }
        }
        int specific = trunk < 0 ? -1 : First(look, compiled, trunk, pin);
        return specific >= 0 ? specific : First(look, compiled, RuleIndex.Any, pin);
    }

    /// <summary>Everything about one rule, in the order in which it is checked; the same for a call and for explain.</summary>
    [NoAlloc]
    public static RuleFail Check(in CallLook look, int trunk, int index, PinAnswer pin)
    {
        RuleIndex rules = look.Snapshot.Rules;
        if (rules.All[index].TrunkIds.Length > 0 && !rules.TrunksOf.Contains(index, trunk))
        {
            return RuleFail.Trunk;
        }
        return CheckOwn(look, trunk < 0 ? null : look.Snapshot.Trunks.All[trunk], index, pin);
    }

    /// <summary>Everything but the trunk.</summary>
    public static RuleFail CheckOwn(in CallLook look, CompiledTrunk? trunk, int index, PinAnswer pin)
    {
        RuleIndex rules = look.Snapshot.Rules;
        DispatchRule rule = rules.All[index];
        if (rule.Numbers.Length > 0 && !rules.CalledOf.Contains(index, look.CalledText(trunk)))
        {
            return RuleFail.CalledNumber;
        }
        if (rule.InboundNumbers.Length > 0 && !rules.CallersOf.Contains(index, look.CallerText(trunk)))
        {
            return RuleFail.Caller;
        }
        if (pin.IsAnswer && !PinFits(rule, pin.Digits))
        {
            return RuleFail.Pin;
        }
        RuleMatch match = rule.Extras.Match;
        return ReferenceEquals(match, RuleMatch.None) || match.FirstFailed(look.Facts, rule.Id) == RuleMatch.AllHold ? RuleFail.None : RuleFail.Match;
    }

    private static bool PinFits(DispatchRule rule, string digits) => PinCompare.Equal(rule.Pin, digits);

    /// <summary>The most preferred rule that holds among those posted for one trunk; a rule's place is its rank.</summary>
    private static int First(in CallLook look, CompiledTrunk? compiled, int trunk, PinAnswer pin)
    {
        int best = int.MaxValue;
        int called = look.CalledText(compiled);
        int caller = look.CallerText(compiled);
        for (int mask = 0; mask < 6; mask++)
        {
            int calledKey = mask < 3 ? called : RuleIndex.Any;
            int callerKey = (mask % 3) switch { 0 => caller, 1 => RuleIndex.Many, _ => RuleIndex.Any };
            if ((mask < 3 && called < 0) || (mask % 3 < 2 && caller < 0))
            {
                continue;
            }
            foreach (int rule in look.Snapshot.Rules.Posted(trunk, calledKey, callerKey))
            {
                if (rule >= best)
                {
                    break;
                }
                if (CheckOwn(look, compiled, rule, pin) == RuleFail.None)
                {
                    best = rule;
                    break;
                }
            }
        }
        return best == int.MaxValue ? -1 : best;
    }
}
