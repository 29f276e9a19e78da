using System;
using System.Collections.Generic;
using System.Linq;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Proxy.Bench;
using Proxy.Stopwatch;
using Proxy.Stopwatch.Operations;

// In process: the default toolchain would build the whole house anew for each operation.
ManualConfig config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance).WithId("JIT"));
BenchmarkSwitcher.FromTypes([typeof(WireBenchmarks), typeof(AudioBenchmarks), typeof(RoomBenchmarks), typeof(PolicyBenchmarks)]).Run(args, config);

namespace Proxy.Bench
{
    /// <summary>Runs one operation of the catalogue under BenchmarkDotNet. JIT figures: for comparing two states of the code while developing, never the product's.</summary>
    [MemoryDiagnoser]
    public abstract class CatalogueBenchmarks
    {
        private Action _run = () => { };

        /// <summary>An operation's name; the row of bench/README.md.</summary>
        [ParamsSource(nameof(Names))]
        public string Operation { get; set; } = "";

        public abstract IEnumerable<string> Names { get; }

        [GlobalSetup]
        public void Setup() => _run = Catalogue.All.Single(o => o.Name == Operation).Make();

        /// <summary>One run; some operations do several a run (the catalogue says how many).</summary>
        [Benchmark]
        public void Run() => _run();

        private protected static IEnumerable<string> Of(params string[] areas) =>
            Catalogue.All.Select(o => o.Name).Where(name => areas.Any(area => name.StartsWith(area + ":", StringComparison.Ordinal)));
    }

    public class WireBenchmarks : CatalogueBenchmarks
    {
        public override IEnumerable<string> Names => Of("SIP", "SDP", "RTP", "SRTP");
    }

    public class AudioBenchmarks : CatalogueBenchmarks
    {
        public override IEnumerable<string> Names => Of("Audio");
    }

    public class RoomBenchmarks : CatalogueBenchmarks
    {
        public override IEnumerable<string> Names => Of("STUN", "Call");
    }

    public class PolicyBenchmarks : CatalogueBenchmarks
    {
        public override IEnumerable<string> Names => Of("Policy");
    }
}
