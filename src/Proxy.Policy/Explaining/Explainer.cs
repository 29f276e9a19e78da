using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Explaining;

/// <summary>One decision. Tells what a decision looked at, with the same predicates that decided.</summary>
internal static class Explainer
{
    public static void Tell(in CallLook look, in TrunkChoice choice, int number, PinAnswer pin, Verdict verdict, DecisionTrace trace)
    {
        bool everything = trace.IsFull || verdict.Kind == VerdictKind.Reject;
        TellTrunks(look, choice, everything, trace);
        if (number >= 0)
        {
            trace.Add(new TraceStep("number", look.Snapshot.Inventory.Id(number), look.Facts.ToUser, true, "", ""));
        }
        if (verdict.Kind != VerdictKind.Challenge)
        {
            TellRules(look, choice, pin, verdict, everything, trace);
        }
    }

    private static void TellTrunks(in CallLook look, in TrunkChoice choice, bool everything, DecisionTrace trace)
    {
        CompiledTrunk[] all = look.Snapshot.Trunks.All;
        for (int i = 0; i < all.Length; i++)
        {
            if (!everything && i != choice.Trunk)
            {
                continue;
            }
            TrunkFail failed = TrunkChoice.Check(look, i, out _);
            trace.Add(new TraceStep("trunk", all[i].Trunk.Id, all[i].Trunk.Name, failed == TrunkFail.None,
                TrunkWords.Failed(look, all[i], failed), TrunkWords.NearMiss(look, all[i], i, failed)));
        }
    }

    private static void TellRules(in CallLook look, in TrunkChoice choice, PinAnswer pin, Verdict verdict, bool everything, DecisionTrace trace)
    {
        DispatchRule[] all = look.Snapshot.Rules.All;
        for (int i = 0; i < all.Length; i++)
        {
            if (!everything && all[i].Id != verdict.RuleId)
            {
                continue;
            }
            RuleFail failed = RuleChoice.Check(look, choice.Trunk, i, pin);
            trace.Add(new TraceStep("rule", all[i].Id, all[i].Name, failed == RuleFail.None,
                RuleWords.Failed(look, choice, all[i], failed), RuleWords.NearMiss(look, choice, all[i], failed)));
        }
    }
}
