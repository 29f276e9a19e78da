using System;
using System.Text;
using Proxy.Core.Net;
using Proxy.Policy.Caps;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Tests;

/// <summary>One test. Short forms for policies and calls.</summary>
internal static class Given
{
    public static readonly byte[] Secret = Encoding.UTF8.GetBytes("secret of the tests, long enough");

    public static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    public static Trunk Trunk(string id, params string[] numbers) => new() { Id = id, Numbers = numbers };

    public static DispatchRule Direct(string id, string room) => new() { Id = id, Kind = RuleKind.Direct, Room = room };

    public static DispatchRule Individual(string id, string prefix) => new() { Id = id, Kind = RuleKind.Individual, Room = prefix };

    public static DispatchRule Callee(string id, string prefix) => new() { Id = id, Kind = RuleKind.Callee, Room = prefix };

    public static CallFacts Call(string from = "+15550100", string to = "+15550200", string source = "192.0.2.1") => new()
    {
        CallId = "SCL_abcdefghijkl",
        Source = NetAddress.TryParse(source, out NetAddress address) ? new NetEndPoint(address, 5060) : default,
        RequestUri = $"sip:{to}@proxy.example",
        RequestUser = to,
        RequestHost = "proxy.example",
        ToUser = to,
        ToHost = "proxy.example",
        FromUser = from,
        FromHost = "carrier.example",
        FromTag = "tag1",
        SipCallId = "call-1@carrier.example",
        Utc = Noon,
    };

    public static RulePolicy Policy(PolicyObjects objects) => new(new FixedStore(PolicySnapshot.Build(objects, 7)), new PolicySettings { Secret = Secret });

    public static Verdict Decide(this PolicyObjects objects, in CallFacts facts, DecisionTrace? trace = null) =>
        Policy(objects).Decide(facts, default(CapsView), trace);

    public static string? Attribute(this Verdict verdict, string name)
    {
        foreach (var pair in verdict.Attributes)
        {
            if (pair.Key == name)
            {
                return pair.Value;
            }
        }
        return null;
    }
}

internal sealed class FixedStore(PolicySnapshot snapshot) : IRuleStore
{
    public PolicySnapshot Current { get; set; } = snapshot;
}
