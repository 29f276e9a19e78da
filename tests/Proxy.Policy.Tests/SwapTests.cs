using System.Threading;
using System.Threading.Tasks;
using Proxy.Policy.Caps;
using Proxy.Policy.Dispatch;
using Xunit;

namespace Proxy.Policy.Tests;

public sealed class SwapTests
{
    /// <summary>Every object of a snapshot carries its version in its name: a verdict that saw two versions would mix them.</summary>
    [Fact(Timeout = 60_000)]
    public async Task A_swap_under_load_never_yields_a_verdict_from_two_versions()
    {
        var store = new FixedStore(Snapshot(1));
        var policy = new RulePolicy(store, new PolicySettings { Secret = Given.Secret });
        using var stop = new CancellationTokenSource();
        Task swapper = Task.Run(() =>
        {
            for (long version = 2; !stop.IsCancellationRequested; version++)
            {
                store.Current = Snapshot(version);
            }
        });
        long seen = 0;
        // At least 20,000 verdicts and ten swaps seen: on a loaded machine the swapper's first turn may come after the verdicts.
        for (int i = 0; i < 20_000 || seen < 10; i++)
        {
            Verdict verdict = policy.Decide(Given.Call(), default(CapsView), null);
            Assert.Equal(($"ST_{verdict.PolicyVersion}", $"SDR_{verdict.PolicyVersion}", $"room{verdict.PolicyVersion}"), (verdict.TrunkId, verdict.RuleId, verdict.Room));
            Assert.True(verdict.PolicyVersion >= seen);
            seen = verdict.PolicyVersion;
        }
        stop.Cancel();
        await swapper;
    }

    private static PolicySnapshot Snapshot(long version) => PolicySnapshot.Build(
        new PolicyObjects
        {
            Trunks = [Given.Trunk($"ST_{version}", "+15550200")],
            Rules = [Given.Direct($"SDR_{version}", $"room{version}") with { TrunkIds = [$"ST_{version}"] }],
        },
        version);
}
