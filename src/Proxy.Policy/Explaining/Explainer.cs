using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Explaining;

/// <summary>One decision. Tells what a decision looked at, with the same predicates that decided.</summary>
internal static class Explainer
{
    public static void Tell(in CallLook look, in TrunkChoice choice, int number, PinAnswer pin, Verdict verdict, DecisionTrace trace)
    {
        bool isRefused = verdict.Kind == VerdictKind.Reject;
        if (trace.Depth == TraceDepth.Refusals && !isRefused)
        {
            return;
        }
        if (trace.Depth == TraceDepth.Everything || isRefused)
        {
            TellTrunks(look, trace);
        }
        else if (!choice.IsNone)
        {
            TellTrunk(look, choice.Trunk, trace);
        }
        if (number >= 0)
        {
            trace.Add(new TraceStep("number", look.Snapshot.Inventory.Id(number), look.Facts.ToUser, true, "", ""));
        }
        if (verdict.Kind != VerdictKind.Challenge)
        {
            TellRules(look, choice, pin, verdict, trace);
        }
    }

    private static void TellTrunks(in CallLook look, DecisionTrace trace)
    {
        int count = look.Snapshot.Trunks.All.Length;
        for (int i = 0; i < count; i++)
        {
            if (IsOver(trace, count - i))
            {
                return;
            }
            TellTrunk(look, i, trace);
        }
    }

    private static void TellTrunk(in CallLook look, int index, DecisionTrace trace)
    {
        CompiledTrunk trunk = look.Snapshot.Trunks.All[index];
        TrunkFail failed = TrunkChoice.Check(look, index, out _);
        trace.Add(new TraceStep("trunk", trunk.Trunk.Id, trunk.Trunk.Name, failed == TrunkFail.None,
            TrunkWords.Failed(look, trunk, failed), TrunkWords.NearMiss(look, trunk, index, failed, trace)));
    }

    private static void TellRules(in CallLook look, in TrunkChoice choice, PinAnswer pin, Verdict verdict, DecisionTrace trace)
    {
        bool everything = trace.Depth == TraceDepth.Everything || verdict.Kind == VerdictKind.Reject;
        DispatchRule[] all = look.Snapshot.Rules.All;
        for (int i = 0; i < all.Length; i++)
        {
            if (!everything && all[i].Id != verdict.RuleId)
            {
                continue;
            }
            if (IsOver(trace, all.Length - i))
            {
                return;
            }
            RuleFail failed = RuleChoice.Check(look, choice.Trunk, i, pin);
            trace.Add(new TraceStep("rule", all[i].Id, all[i].Name, failed == RuleFail.None,
                RuleWords.Failed(look, choice, all[i], failed), RuleWords.NearMiss(look, choice, all[i], failed, trace)));
        }
    }

    /// <summary>Sentences are not made for steps that are not kept.</summary>
    private static bool IsOver(DecisionTrace trace, int left)
    {
        if (trace.Steps.Count < DecisionTrace.Limit && trace.MayLook())
        {
            return false;
        }
        trace.Drop(left);
        return true;
    }
}
