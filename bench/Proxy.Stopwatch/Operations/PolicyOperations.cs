using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Rigs;

namespace Proxy.Stopwatch.Operations;

/// <summary>A whole decision, verdict and its attributes included: made once a call, so it may allocate.</summary>
internal static class PolicyOperations
{
    private static readonly int[] s_sizes = [1, 1_000, 100_000, 1_000_000];

    public static IEnumerable<Operation> All => s_sizes.Select(n => new Operation($"Policy: decide among {n:N0} numbers", () => Decide(n)));

    private static Action Decide(int numbers)
    {
        FixedStore store = new(PolicyRig.Snapshot(numbers));
        RulePolicy policy = new(store, new PolicySettings { Secret = Encoding.UTF8.GetBytes("a secret of the bench, long enough") });
        CallFacts[] calls = [.. Enumerable.Range(0, 64).Select(i => PolicyRig.Call((int)(i * 7_919L % numbers)))];
        int at = 0;
        return () =>
        {
            if (policy.Decide(calls[at++ & 63], default(CapsView), null).Kind != VerdictKind.Join)
            {
                throw new InvalidOperationException("a call to a known number must join");
            }
        };
    }

    private sealed class FixedStore(PolicySnapshot snapshot) : IRuleStore
    {
        public PolicySnapshot Current { get; } = snapshot;
    }
}
