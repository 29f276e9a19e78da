using System;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Explaining;

/// <summary>One decision. Sentences about rules.</summary>
internal static class RuleWords
{
    public static string Failed(in CallLook look, in TrunkChoice choice, DispatchRule rule, RuleFail failed)
    {
        CompiledTrunk? trunk = choice.IsNone ? null : look.Snapshot.Trunks.All[choice.Trunk];
        return failed switch
        {
            RuleFail.None => "",
            RuleFail.Trunk => trunk is null
                ? $"it is for trunks {string.Join(", ", rule.TrunkIds)}, and no trunk took the call"
                : $"it is for trunks {string.Join(", ", rule.TrunkIds)}, not {trunk.Trunk.Id}",
            RuleFail.CalledNumber => $"called number {RulePolicy.Shown(look.CalledUser(trunk))} is not in numbers",
            RuleFail.Caller => $"caller {RulePolicy.Shown(look.CallerUser(trunk))} is not in inbound_numbers",
            RuleFail.Match => rule.Extras.Match.Describe(rule.Extras.Match.FirstFailed(look.Facts, rule.Id)),
            _ => rule.Pin.Length == 0 ? "a PIN was keyed and the rule has none" : "another PIN was keyed",
        };
    }

    /// <summary>What would have made it hold.</summary>
    public static string NearMiss(in CallLook look, in TrunkChoice choice, DispatchRule rule, RuleFail failed, DecisionTrace trace)
    {
        CompiledTrunk? trunk = choice.IsNone ? null : look.Snapshot.Trunks.All[choice.Trunk];
        return failed switch
        {
            RuleFail.CalledNumber => TrunkWords.NearText(look.CalledUser(trunk), rule.Numbers, trace),
            RuleFail.Caller => TrunkWords.NearText(look.CallerUser(trunk), rule.InboundNumbers, trace),
            RuleFail.Trunk when trunk is null && choice.FailedTrunk >= 0
                && Array.IndexOf(rule.TrunkIds, look.Snapshot.Trunks.All[choice.FailedTrunk].Trunk.Id) >= 0
                => "its trunk owns the number but did not take the call",
            _ => "",
        };
    }
}
