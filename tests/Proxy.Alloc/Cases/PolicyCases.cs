using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;
using Proxy.Rigs;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

/// <summary>The choice of trunk and rule among 10,000 numbers; the verdict itself is made once a call and may allocate.</summary>
internal static class PolicyCases
{
    public static void Add(CaseList list)
    {
        PolicySnapshot snapshot = PolicyRig.Snapshot(10_000);
        CallFacts facts = PolicyRig.Call(4_242);
        list.Add(nameof(TrunkChoice), nameof(TrunkChoice.For), () =>
        {
            CallLook look = new(snapshot, facts);
            TrunkChoice choice = TrunkChoice.For(look);
            Must(choice.Trunk >= 0 && TrunkChoice.Check(look, choice.Trunk, out _) == TrunkFail.None);
            int rule = RuleChoice.For(look, choice.Trunk, -1, default);
            Must(rule >= 0 && RuleChoice.Check(look, choice.Trunk, rule, default) == RuleFail.None);
        }).Also(nameof(TrunkChoice), nameof(TrunkChoice.Check)).Also(nameof(RuleChoice), nameof(RuleChoice.For)).Also(nameof(RuleChoice), nameof(RuleChoice.Check));

        Trunk ranges = new() { Id = "ST_r", Extras = TrunkExtras.None with { NumberPatterns = ["+4930*", "+1555000..+1555999"] } };
        PolicySnapshot patterns = PolicySnapshot.Build(new PolicyObjects { Trunks = [ranges] }, 1);
        PatternIndex index = patterns.Trunks.Patterns;
        list.Add(nameof(PatternIndex), nameof(PatternIndex.OfPrefix), () =>
        {
            int found = index.OfRange("+1555123").Length;
            for (int rank = 0; rank < index.PrefixLengths; rank++)
            {
                found += index.OfPrefix("+4930123", rank).Length;
            }
            Must(found > 0);
        }).Also(nameof(PatternIndex), nameof(PatternIndex.OfRange));
    }
}
