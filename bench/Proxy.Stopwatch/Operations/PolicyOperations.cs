using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Rigs;

namespace Proxy.Stopwatch.Operations;

/// <summary>A decision by itself, and with all that a join needs (names, attributes, claims): made once a call, so that may allocate.</summary>
internal static class PolicyOperations
{
    private static readonly int[] s_sizes = [1, 1_000, 100_000, 1_000_000];

    public static IEnumerable<Operation> All => s_sizes.Select(n => new Operation($"Policy: decide among {n:N0} numbers", () => Judge(n)))
        .Concat(s_sizes.Select(n => new Operation($"Policy: the same, with all that the join needs, {n:N0}", () => Decide(n))));

    private static Action Judge(int numbers)
    {
        (PolicySnapshot snapshot, RulePolicy policy, CallFacts[] calls) = Rig(numbers);
        int at = 0;
        return () =>
        {
            if (policy.Judge(new CallLook(snapshot, calls[at++ & 63]), default).Kind != VerdictKind.Join)
            {
                throw new InvalidOperationException("a call to a known number must join");
            }
        };
    }

    private static Action Decide(int numbers)
    {
        (_, RulePolicy policy, CallFacts[] calls) = Rig(numbers);
        int at = 0;
        return () =>
        {
            if (policy.Decide(calls[at++ & 63], default(CapsView), null).Kind != VerdictKind.Join)
            {
                throw new InvalidOperationException("a call to a known number must join");
            }
        };
    }

    private static (PolicySnapshot Snapshot, RulePolicy Policy, CallFacts[] Calls) Rig(int numbers)
    {
        PolicySnapshot snapshot = PolicyRig.Snapshot(numbers);
        RulePolicy policy = new(new FixedStore(snapshot), new PolicySettings { Secret = Encoding.UTF8.GetBytes("a secret of the bench, long enough") });
        return (snapshot, policy, [.. Enumerable.Range(0, 64).Select(i => PolicyRig.Call((int)(i * 7_919L % numbers)))]);
    }

    private sealed class FixedStore(PolicySnapshot snapshot) : IRuleStore
    {
        public PolicySnapshot Current { get; } = snapshot;
    }
}
