using System;
using System.Linq;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;

namespace Proxy.Rigs;

/// <summary>Any thread. A policy of any size: a hundred numbers a trunk, one rule each trunk.</summary>
internal static class PolicyRig
{
    private const int PerTrunk = 100;

    public static PolicySnapshot Snapshot(int numbers)
    {
        int trunks = Math.Max(1, numbers / PerTrunk);
        int each = Math.Min(PerTrunk, numbers);
        return PolicySnapshot.Build(
            new PolicyObjects
            {
                Trunks = [.. Enumerable.Range(0, trunks).Select(t => new Trunk { Id = $"ST_{t:00000}", Numbers = [.. Enumerable.Range(t * each, each).Select(Number)] })],
                Rules = [.. Enumerable.Range(0, trunks).Select(t => new DispatchRule { Id = $"SDR_{t:00000}", Kind = RuleKind.Individual, Room = "r" + t, TrunkIds = [$"ST_{t:00000}"] })],
            },
            1);
    }

    /// <summary>A call to the number of that place.</summary>
    public static CallFacts Call(int number)
    {
        string to = Number(number);
        return new CallFacts
        {
            CallId = "SCL_abcdefghijkl",
            Source = NetEndPoint.TryParse("192.0.2.1:5060", out NetEndPoint source) ? source : default,
            RequestUri = $"sip:{to}@proxy.example",
            RequestUser = to,
            RequestHost = "proxy.example",
            ToUser = to,
            ToHost = "proxy.example",
            FromUser = "+15550100",
            FromHost = "carrier.example",
            FromTag = "tag1",
            SipCallId = "call-1@carrier.example",
            Utc = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero),
        };
    }

    private static string Number(int place) => $"+1555{place:0000000}";
}
