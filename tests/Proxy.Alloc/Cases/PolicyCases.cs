using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;
using Proxy.Rigs;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

/// <summary>What becomes of a call among 10,000 numbers; the words of its verdict are made once a call and may allocate.</summary>
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

        RulePolicy policy = new(new OneSnapshot(snapshot), new PolicySettings { Secret = new byte[32] });
        CallCaps caps = new();
        CallFacts stranger = facts with { ToUser = "+49301234567", RequestUser = "+49301234567" };
        list.Add(nameof(RulePolicy), nameof(RulePolicy.Judge), () =>
        {
            Decision joins = policy.Judge(new CallLook(snapshot, facts), caps.At(MonoTime.FromMillis(1)));
            Must(joins.Kind == VerdictKind.Join && joins.Rule >= 0);
            Must(policy.Judge(new CallLook(snapshot, stranger), caps.At(MonoTime.FromMillis(1))).Code == RefusalCode.NoTrunk);
        });

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

    private sealed class OneSnapshot(PolicySnapshot snapshot) : IRuleStore
    {
        public PolicySnapshot Current { get; } = snapshot;
    }
}
