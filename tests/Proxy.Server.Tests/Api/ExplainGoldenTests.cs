using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Proxy.Bridge;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Explaining;
using Proxy.Policy.Trunks;
using Proxy.Sip;
using Proxy.Sip.Parsing;
using Proxy.Testing;
using Xunit;

namespace Proxy.Server.Tests.Api;

/// <summary>The 25 recorded INVITEs under three policies; the texts stand beside this file and were read by a person.</summary>
public sealed class ExplainGoldenTests
{
    private static readonly PolicySettings s_settings = new() { Secret = Encoding.UTF8.GetBytes("secret of the tests, long enough") };

    private static readonly Dictionary<string, PolicyObjects> s_policies = new()
    {
        ["open"] = new PolicyObjects
        {
            Trunks = [new Trunk { Id = "ST_any", Name = "Any", AllowedAddresses = ["192.0.2.0/24"] }],
            Rules = [new DispatchRule { Id = "SDR_call", Kind = RuleKind.Individual, Room = "call-" }],
        },
        ["carrier"] = new PolicyObjects
        {
            Trunks =
            [
                new Trunk { Id = "ST_us", Name = "US", Numbers = ["+15550100001", "1 555 010 0003", "+15550100026", "+15550100028"], AllowedAddresses = ["54.172.60.0/30", "192.0.2.0/25"] },
                new Trunk { Id = "ST_far", Name = "Far", Numbers = ["+15550100007"], AllowedAddresses = ["198.51.100.0/24", "192.0.2.128/25"] },
                new Trunk { Id = "ST_vip", Name = "VIP", Numbers = ["+15550100009"], AllowedNumbers = ["+15550100099"] },
                new Trunk { Id = "ST_eu", Name = "EU", Extras = new TrunkExtras { NumberPatterns = ["+49*", "+44*"], CalledFrom = CalledFrom.RequestUri } },
            ],
            Rules =
            [
                new DispatchRule { Id = "SDR_us", Kind = RuleKind.Callee, Room = "us", TrunkIds = ["ST_us"] },
                new DispatchRule { Id = "SDR_eu", Kind = RuleKind.Direct, Room = "eu", TrunkIds = ["ST_eu"], Pin = "1234", HidePhoneNumber = true },
            ],
        },
        ["nothing"] = new PolicyObjects { Compat = Compat.LiveKit, Rules = [new DispatchRule { Id = "SDR_vip", Kind = RuleKind.Direct, Room = "vip", InboundNumbers = ["+10000000000"] }] },
    };

    public static IEnumerable<object[]> Policies() => s_policies.Keys.Select(k => new object[] { k });

    [Theory]
    [MemberData(nameof(Policies))]
    public void The_25_invites_are_explained_as_reviewed(string name)
    {
        var policy = new RulePolicy(new Fixed(PolicySnapshot.Build(s_policies[name], 1)), s_settings);
        var text = new StringBuilder();
        foreach (string file in Directory.GetFiles(TestData.Path("invites"), "*.sip").Order(StringComparer.Ordinal))
        {
            text.Append("== ").Append(Path.GetFileName(file)).Append('\n');
            byte[] bytes = Encoding.UTF8.GetBytes(File.ReadAllText(file).ReplaceLineEndings("\r\n"));
            if (!SipMessageView.TryParse(bytes, out SipMessageView message, out SipParseError error))
            {
                text.Append("not parsed: ").Append(error).Append('\n');
                continue;
            }
            NetAddress.TryParse("192.0.2.10", out NetAddress address);
            CallFacts facts = FactsFromInvite.Read("SCL_" + Path.GetFileName(file)[..2], message, new SipFlow(SipTransport.Udp, 0, 0, new NetEndPoint(address, 5060)), DateTimeOffset.UnixEpoch);
            var trace = new DecisionTrace();
            Verdict verdict = policy.Decide(facts, default(CapsView), trace);
            text.Append(ExplainText.Write(facts, verdict, trace));
            Assert.Equal(verdict.Room, policy.Decide(facts, default, null).Room);
        }
        string path = Path.Combine(TestData.Repository, "tests", "Proxy.Server.Tests", "Api", "explain", name + ".txt");
        if (Environment.GetEnvironmentVariable("SIPROOM_WRITE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text.ToString());
        }
        Assert.Equal(File.ReadAllText(path), text.ToString());
    }

    private sealed class Fixed(PolicySnapshot snapshot) : IRuleStore
    {
        public PolicySnapshot Current => snapshot;
    }
}
