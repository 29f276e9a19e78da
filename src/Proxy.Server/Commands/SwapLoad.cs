using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Threading;
using Google.Protobuf;
using Proxy.Core.Memory;
using Proxy.LiveKit.Protocol;
using Proxy.Policy;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;
using Proxy.Server.Store;

namespace Proxy.Server.Commands;

/// <summary>One owner. Swaps policies of many numbers beside a loop that must not stall: what Redis would hold is read, indexed and taken over, again and again.</summary>
internal sealed class SwapLoad
{
    private const int PerTrunk = 100;
    private const int Swaps = 5;
    private readonly int _numbers;
    private readonly Dictionary<string, ReadOnlyMemory<byte>>[] _hashes = [[], [], [], [], []];
    private readonly RedisStoreSettings _settings = new() { Address = new RedisAddress("unused", 1), Compat = Compat.Strict };
    private readonly ByteArena _values = new();
    private RedisStore.State? _now;

    public SwapLoad(int numbers)
    {
        _numbers = numbers;
        for (int t = 0; t * PerTrunk < numbers; t++)
        {
            string id = t.ToString("00000", CultureInfo.InvariantCulture);
            var trunk = new SIPInboundTrunkInfo { SipTrunkId = "ST_" + id, Name = "trunk " + id };
            for (int n = t * PerTrunk; n < Math.Min(numbers, (t + 1) * PerTrunk); n++)
            {
                trunk.Numbers.Add(Number(n));
            }
            var rule = new SIPDispatchRuleInfo { SipDispatchRuleId = "SDR_" + id, Rule = new SIPDispatchRule { DispatchRuleIndividual = new SIPDispatchRuleIndividual { RoomPrefix = "r" + id } } };
            rule.TrunkIds.Add(trunk.SipTrunkId);
            _hashes[0][trunk.SipTrunkId] = Held(trunk);
            _hashes[2][rule.SipDispatchRuleId] = Held(rule);
        }
    }

    private ReadOnlyMemory<byte> Held(IMessage message)
    {
        Memory<byte> bytes = _values.Take(message.CalculateSize());
        message.WriteTo(bytes.Span);
        return bytes;
    }

    /// <param name="meter">Of the loop beside it.</param>
    public void Run(LoopMeter meter)
    {
        for (int swap = 1; swap <= Swaps; swap++)
        {
            Thread.Sleep(500);
            meter.ResetPeak();
            (int gen0, int gen1, int gen2, TimeSpan paused) = (GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2), GC.GetTotalPauseDuration());
            long start = Stopwatch.GetTimestamp();
            long cpu = Clock.ThreadCpuMicros();
            _now = RedisStore.Compile(_hashes, _settings, swap);
            double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            cpu = Clock.ThreadCpuMicros() - cpu;
            Decide(swap);
            Thread.Sleep(100);
            (gen0, gen1, gen2) = (GC.CollectionCount(0) - gen0, GC.CollectionCount(1) - gen1, GC.CollectionCount(2) - gen2);
            paused = GC.GetTotalPauseDuration() - paused;
            System.Console.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"swap {swap}: {_numbers} numbers in {milliseconds:0} ms ({cpu / 1000} ms of CPU); collections {gen0 - gen1}/{gen1 - gen2}/{gen2}, {paused.TotalMilliseconds:0.0} ms in all; longest stall of the loop {meter.LongestStallMicros / 1000.0:0.0} ms; heap {GC.GetTotalMemory(false) >> 20} MB, process {Environment.WorkingSet >> 20} MB"));
        }
    }

    private void Decide(long version)
    {
        Verdict verdict = new RulePolicy(new Fixed(_now!.Snapshot), new PolicySettings { Secret = new byte[32] })
            .Decide(new CallFacts { CallId = "SCL_bench", ToUser = Number(_numbers / 2), FromUser = "+1" }, default, null);
        if (verdict.Kind != VerdictKind.Join || verdict.PolicyVersion != version)
        {
            throw new InvalidOperationException("a call to a known number must join: " + verdict.Sentence);
        }
    }

    private static string Number(int place) => "+1555" + place.ToString("0000000", CultureInfo.InvariantCulture);

    private sealed class Fixed(PolicySnapshot snapshot) : IRuleStore
    {
        public PolicySnapshot Current => snapshot;
    }
}
