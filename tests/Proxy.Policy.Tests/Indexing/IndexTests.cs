using System;
using System.Diagnostics;
using System.Linq;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Indexing;
using Proxy.Policy.Trunks;
using Xunit;
using Xunit.Abstractions;

namespace Proxy.Policy.Tests.Indexing;

public sealed class IndexTests(ITestOutputHelper output)
{
    [Fact]
    public void Texts_are_found_again_and_others_are_not()
    {
        var builder = new TextTable.Builder();
        for (int i = 0; i < 5_000; i++)
        {
            Assert.Equal(i, builder.Add("+1555" + i));
            Assert.Equal(i, builder.Add("+1555" + i));
        }
        TextTable table = builder.Build();
        Assert.Equal(5_000, table.Count);
        Assert.Equal(4_321, table.Find("+15554321"));
        Assert.Equal(-1, table.Find("+15555000"));
        Assert.Equal(-1, table.Find(""));
        Assert.Equal(-1, table.Find(new string('1', TextTable.LongestKey + 1)));
        Assert.Equal(-1, builder.Add(new string('1', TextTable.LongestKey + 1)));
    }

    /// <summary>A selection allocates nothing, and costs about the same for a thousand numbers as for a million.</summary>
    [Fact]
    public void A_selection_among_a_million_numbers_allocates_nothing_and_does_not_grow()
    {
        double small = Measure(1_000);
        double large = Measure(1_000_000);
        output.WriteLine($"1,000 numbers: {small:0} ns, 1,000,000 numbers: {large:0} ns");
        Assert.True(large < (small * 10) + 2_000, $"{small} ns grew to {large} ns");
    }

    private double Measure(int count)
    {
        const int PerTrunk = 100;
        Trunk[] trunks = [.. Enumerable.Range(0, count / PerTrunk).Select(t => Given.Trunk($"ST_{t:00000}", [.. Enumerable.Range(t * PerTrunk, PerTrunk).Select(n => $"+1555{n:0000000}")]))];
        DispatchRule[] rules = [.. Enumerable.Range(0, count / PerTrunk).Select(t => Given.Individual($"SDR_{t:00000}", "r" + t) with { TrunkIds = [$"ST_{t:00000}"] })];
        long before = GC.GetTotalMemory(true);
        var time = Stopwatch.StartNew();
        PolicySnapshot snapshot = PolicySnapshot.Build(new PolicyObjects { Trunks = trunks, Rules = rules }, 1);
        output.WriteLine($"{count} numbers: built in {time.ElapsedMilliseconds} ms, {(GC.GetTotalMemory(true) - before) / 1024} KiB");
        CallFacts[] calls = [.. Enumerable.Range(0, 64).Select(i => Given.Call(to: $"+1555{(i * 7919) % count:0000000}"))];
        Assert.All(calls, call => Assert.True(Select(snapshot, call) >= 0));
        Run(snapshot, calls, 2_000);
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        time.Restart();
        Run(snapshot, calls, 20_000);
        double nanos = time.Elapsed.TotalNanoseconds / 20_000;
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - allocated);
        GC.KeepAlive(snapshot);
        return nanos;
    }

    private static void Run(PolicySnapshot snapshot, CallFacts[] calls, int times)
    {
        for (int i = 0; i < times; i++)
        {
            Select(snapshot, calls[i & 63]);
        }
    }

    private static int Select(PolicySnapshot snapshot, in CallFacts facts)
    {
        var look = new CallLook(snapshot, facts);
        return RuleChoice.For(look, TrunkChoice.For(look).Trunk, -1, default);
    }
}
