using System.Collections.Generic;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;
using Proxy.Policy.Validation;
using Xunit;

namespace Proxy.Policy.Tests.Validation;

public sealed class LiveKitDifferencesTests
{
    [Fact]
    public void A_policy_that_livekit_understands_the_same_way_has_none() => Assert.Empty(LiveKitDifferences.List(new PolicyObjects
    {
        Trunks = [Given.Trunk("ST_1", "+15550200") with { AllowedAddresses = ["192.0.2.0/24"] }],
        Rules = [Given.Individual("SDR_1", "call") with { Numbers = ["+15550200"] }],
    }));

    [Fact]
    public void Every_kind_of_difference_is_told_with_the_id_in_front()
    {
        IReadOnlyList<string> all = LiveKitDifferences.List(new PolicyObjects
        {
            Trunks =
            [
                Given.Trunk("ST_1", "+1") with { AllowedAddresses = ["1.2.3.*"], AuthUsername = "u" },
                Given.Trunk("ST_2", "1") with { AllowedAddresses = ["carrier.example"], Extras = new TrunkExtras { MaxCalls = 1 } },
            ],
            Rules = [Given.Direct("SDR_1", "r") with { Numbers = ["1 555"], HidePhoneNumber = true, Pin = "1", Extras = new RuleExtras { MaxCalls = 1 } }],
        });
        Assert.Collection(
            all,
            s => Assert.Contains("every address is let in", s),
            s => Assert.StartsWith("ST_1: only one of", s),
            s => Assert.Contains("carrier.example", s),
            s => Assert.StartsWith("ST_2: its additions", s),
            s => Assert.StartsWith("ST_2: has the same called and calling number as ST_1", s),
            s => Assert.Contains("misses +1555", s),
            s => Assert.Contains("keyed pseudonym", s),
            s => Assert.Contains("attempts for the PIN", s),
            s => Assert.StartsWith("SDR_1: its additions", s));
    }
}
