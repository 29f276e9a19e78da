using System;
using System.Diagnostics;
using System.Linq;
using Proxy.Core.Memory;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;
using Proxy.Policy.Validation;
using Xunit;

namespace Proxy.Policy.Tests;

public sealed class SelectionPropertyTests
{
    private static readonly string[] s_numbers = ["+15550200", "1 555-0200", "+15550201", "0015550202", "service", "+442071230005", "+44207123"];
    private static readonly string[] s_sources = ["192.0.2.1", "192.0.2.2", "198.51.100.1"];
    private static readonly string[] s_blocks = ["192.0.2.0/24", "192.0.2.1", "198.51.100.0/24"];
    private static readonly string[] s_patterns = ["+1555*", "+15550*", "+44*", "+442071230000-9", "+442071230003-7", "+15550200-1"];

    /// <summary>20 s at most: 2,000 random policies with 50 random calls each.</summary>
    [Fact]
    public void Selection_equals_the_slow_model_over_a_hundred_thousand_calls()
    {
        var time = Stopwatch.StartNew();
        int checks = 0;
        for (ulong seed = 1; seed <= 2_000 && time.Elapsed.TotalSeconds < 20; seed++)
        {
            var random = new SeededRandom(seed);
            PolicyObjects objects = RandomPolicy(random);
            RulePolicy policy = Given.Policy(objects);
            for (int i = 0; i < 50; i++)
            {
                CallFacts facts = RandomCall(random);
                Verdict got = policy.Decide(facts, default, null);
                (VerdictKind Kind, RefusalCode Code, string Trunk, string Rule) want = SlowModel.Decide(objects, facts);
                string trunk = want.Trunk == "*" ? "*" : got.TrunkId;
                Assert.True((got.Kind, got.Code, trunk, got.RuleId) == want, $"seed {seed} call {i}: got {got.Kind} {got.Code} {got.TrunkId} {got.RuleId}, want {want}");
                checks++;
            }
        }
        Assert.True(checks >= 10_000, $"only {checks} checks in {time.Elapsed}");
    }

    [Fact]
    public void A_policy_that_validates_never_meets_an_ambiguous_call()
    {
        int valid = 0;
        for (ulong seed = 10_000; seed < 14_000; seed++)
        {
            var random = new SeededRandom(seed);
            PolicyObjects objects = RandomPolicy(random);
            if (PolicyValidation.Check(objects).Any(p => p.Kind is ProblemKind.AmbiguousTrunks))
            {
                continue;
            }
            valid++;
            RulePolicy policy = Given.Policy(objects);
            for (int i = 0; i < 20; i++)
            {
                Assert.True(policy.Decide(RandomCall(random), default, null).Code != RefusalCode.AmbiguousTrunk, $"seed {seed} call {i}");
            }
        }
        Assert.True(valid > 500, $"only {valid} policies were valid");
    }

    [Fact]
    public void Explain_tells_no_false_reason()
    {
        for (ulong seed = 20_000; seed < 21_000; seed++)
        {
            var random = new SeededRandom(seed);
            RulePolicy policy = Given.Policy(RandomPolicy(random));
            CallFacts facts = RandomCall(random);
            var trace = new DecisionTrace();
            Verdict explained = policy.Decide(facts, default, trace);
            Verdict decided = policy.Decide(facts, default, null);
            Assert.Equal((decided.Kind, decided.Code, decided.Room, decided.RuleId, decided.TrunkId), (explained.Kind, explained.Code, explained.Room, explained.RuleId, explained.TrunkId));
            foreach (TraceStep step in trace.Steps)
            {
                Assert.Equal(step.Held, step.Failed.Length == 0);
                Assert.True(step.Kind != "trunk" || step.Id != decided.TrunkId || step.Held || decided.Kind == VerdictKind.Reject, $"seed {seed}: {step}");
                Assert.True(step.Kind != "rule" || step.Id != decided.RuleId || decided.PhoneNumberId.Length > 0 || step.Held, $"seed {seed}: {step}");
            }
        }
    }

    internal static PolicyObjects RandomPolicy(SeededRandom random)
    {
        var trunks = new Trunk[random.Next(6)];
        for (int i = 0; i < trunks.Length; i++)
        {
            bool hasAuth = random.Next(5) == 0;
            trunks[i] = Given.Trunk("ST_" + i, Some(random, s_numbers, 2)) with
            {
                AllowedNumbers = random.Next(3) == 0 ? Some(random, s_numbers, 3) : [],
                AllowedAddresses = random.Next(3) == 0 ? Some(random, s_blocks, 2) : [],
                AuthUsername = hasAuth ? "u" + random.Next(3) : "",
                AuthPassword = hasAuth ? "p" : "",
                Extras = new TrunkExtras
                {
                    CalledFrom = random.Next(6) == 0 ? CalledFrom.RequestUri : CalledFrom.To,
                    CallerFrom = random.Next(6) == 0 ? CallerFrom.AssertedIdentity : CallerFrom.From,
                    NumberPatterns = random.Next(3) == 0 ? Some(random, s_patterns, 2) : [],
                },
            };
        }
        var rules = new DispatchRule[random.Next(7)];
        for (int i = 0; i < rules.Length; i++)
        {
            rules[i] = new DispatchRule
            {
                Id = "SDR_" + i,
                Kind = (RuleKind)random.Next(3),
                Room = "room" + random.Next(3),
                Pin = random.Next(5) == 0 ? "12" : "",
                TrunkIds = random.Next(2) == 0 ? Some(random, ["ST_0", "ST_1", "ST_2", "ST_9"], 2) : [],
                Numbers = random.Next(3) == 0 ? Some(random, s_numbers, 3) : [],
                InboundNumbers = random.Next(3) == 0 ? Some(random, s_numbers, 3) : [],
            };
        }
        var numbers = new PhoneNumber[random.Next(4) == 0 ? 1 : 0];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = new PhoneNumber { Id = "PN_" + i, E164 = s_numbers[random.Next(4)], IsAssigned = true, RuleIds = rules.Length == 0 ? [] : Some(random, [.. rules.Select(r => r.Id)], 2) };
        }
        return new PolicyObjects
        {
            Trunks = trunks,
            Rules = rules,
            Numbers = numbers,
            InterconnectAddresses = random.Next(2) == 0 ? ["192.0.2.2"] : [],
            Compat = random.Next(2) == 0 ? Compat.LiveKit : Compat.Strict,
        };
    }

    internal static CallFacts RandomCall(SeededRandom random)
    {
        string to = s_numbers[random.Next(s_numbers.Length)];
        return Given.Call(s_numbers[random.Next(s_numbers.Length)], to, s_sources[random.Next(s_sources.Length)]) with
        {
            RequestUser = random.Next(3) == 0 ? s_numbers[random.Next(s_numbers.Length)] : to,
            AssertedUser = random.Next(3) == 0 ? s_numbers[random.Next(s_numbers.Length)] : "",
            CallId = "SCL_" + random.Next(1_000_000),
        };
    }

    private static string[] Some(SeededRandom random, string[] from, int most)
    {
        var some = new string[random.Next(most + 1)];
        for (int i = 0; i < some.Length; i++)
        {
            some[i] = from[random.Next(from.Length)];
        }
        return some;
    }
}
