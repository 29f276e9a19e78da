using System.Linq;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;
using Xunit;

namespace Proxy.Policy.Tests.Trunks;

public sealed class TrunkChoiceTests
{
    private static readonly DispatchRule s_any = Given.Direct("SDR_1", "lobby");

    [Fact]
    public void A_trunk_that_owns_the_number_goes_before_one_that_takes_any()
    {
        var objects = new PolicyObjects { Trunks = [Given.Trunk("ST_any"), Given.Trunk("ST_own", "+15550200")], Rules = [s_any] };
        Assert.Equal("ST_own", objects.Decide(Given.Call()).TrunkId);
        Assert.Equal("ST_any", objects.Decide(Given.Call(to: "+15550999")).TrunkId);
    }

    [Theory]
    [InlineData("1 (555) 0200")]
    [InlineData("15550200")]
    [InlineData("+1-555-0200")]
    public void Numbers_are_compared_normalised_on_both_sides(string written)
    {
        var objects = new PolicyObjects { Trunks = [Given.Trunk("ST_1", written)], Rules = [s_any] };
        Assert.Equal(VerdictKind.Join, objects.Decide(Given.Call(to: "1 555 0200")).Kind);
    }

    [Fact]
    public void A_call_to_a_number_nobody_owns_is_404_no_trunk()
    {
        var objects = new PolicyObjects { Trunks = [Given.Trunk("ST_1", "+15550200")], Rules = [s_any] };
        Verdict verdict = objects.Decide(Given.Call(to: "+15550201"));
        Assert.Equal((VerdictKind.Reject, RefusalCode.NoTrunk, 404), (verdict.Kind, verdict.Code, verdict.SipStatus));
        Assert.Equal("no trunk takes calls to +15550201", verdict.Sentence);
        Assert.Equal(7, verdict.PolicyVersion);
    }

    [Fact]
    public void A_call_that_is_taken_knows_the_addresses_of_its_trunk()
    {
        var objects = new PolicyObjects { Trunks = [Given.Trunk("ST_1") with { AllowedAddresses = ["192.0.2.0/24", "198.51.100.7"] }], Rules = [s_any] };
        Assert.Equal(["192.0.2.0/24", "198.51.100.7/32"], objects.Decide(Given.Call()).Sources!.Blocks.Select(b => $"{b.Network}/{b.PrefixLength}"));
    }

    [Fact]
    public void A_source_that_the_trunk_does_not_list_is_403_with_the_trunk_named()
    {
        var objects = new PolicyObjects { Trunks = [Given.Trunk("ST_1", "+15550200") with { AllowedAddresses = ["198.51.100.0/24"] }], Rules = [s_any] };
        Verdict verdict = objects.Decide(Given.Call());
        Assert.Equal((RefusalCode.SourceNotAllowed, 403), (verdict.Code, verdict.SipStatus));
        Assert.Contains("ST_1", verdict.Sentence);
        Assert.False(verdict.IsListedSource);
        Assert.True(objects.Decide(Given.Call(source: "198.51.100.7")).IsListedSource);
    }

    [Fact]
    public void A_caller_that_the_trunk_does_not_list_is_403()
    {
        var objects = new PolicyObjects { Trunks = [Given.Trunk("ST_1", "+15550200") with { AllowedNumbers = ["+15550101"] }], Rules = [s_any] };
        Assert.Equal(RefusalCode.CallerNotAllowed, objects.Decide(Given.Call()).Code);
        Assert.Equal(VerdictKind.Join, objects.Decide(Given.Call(from: "1-555-0101")).Kind);
    }

    [Fact]
    public void The_same_number_on_two_carriers_is_told_apart_by_address()
    {
        var objects = new PolicyObjects
        {
            Trunks =
            [
                Given.Trunk("ST_a", "+15550200") with { AllowedAddresses = ["192.0.2.0/25"] },
                Given.Trunk("ST_b", "+15550200") with { AllowedAddresses = ["192.0.2.128/25"] },
            ],
            Rules = [s_any],
        };
        Assert.Equal("ST_a", objects.Decide(Given.Call(source: "192.0.2.1")).TrunkId);
        Assert.Equal("ST_b", objects.Decide(Given.Call(source: "192.0.2.200")).TrunkId);
    }

    [Fact]
    public void A_trunk_that_lists_the_caller_goes_before_one_that_takes_any_caller()
    {
        var objects = new PolicyObjects
        {
            Trunks = [Given.Trunk("ST_any", "+15550200"), Given.Trunk("ST_vip", "+15550200") with { AllowedNumbers = ["+15550100"] }],
            Rules = [s_any],
        };
        Assert.Equal("ST_vip", objects.Decide(Given.Call()).TrunkId);
        Assert.Equal("ST_any", objects.Decide(Given.Call(from: "+15550107")).TrunkId);
    }

    [Fact]
    public void Two_trunks_that_nothing_tells_apart_refuse_only_their_own_number_and_name_both()
    {
        var objects = new PolicyObjects
        {
            Trunks = [Given.Trunk("ST_a", "+15550200"), Given.Trunk("ST_b", "+15550200"), Given.Trunk("ST_c", "+15550300")],
            Rules = [s_any],
        };
        Verdict verdict = objects.Decide(Given.Call());
        Assert.Equal(RefusalCode.AmbiguousTrunk, verdict.Code);
        Assert.Contains("ST_a", verdict.Sentence);
        Assert.Contains("ST_b", verdict.Sentence);
        Assert.Equal(VerdictKind.Join, objects.Decide(Given.Call(to: "+15550300")).Kind);
    }

    [Fact]
    public void An_unreadable_address_list_refuses_under_strict_and_lets_pass_under_livekit()
    {
        var objects = new PolicyObjects { Trunks = [Given.Trunk("ST_1", "+15550200") with { AllowedAddresses = ["1.2.3.*"] }], Rules = [s_any] };
        Assert.Equal(RefusalCode.SourceNotAllowed, objects.Decide(Given.Call()).Code);
        Verdict lenient = (objects with { Compat = Compat.LiveKit }).Decide(Given.Call());
        Assert.Equal((VerdictKind.Join, CompatUse.UnreadableAddresses), (lenient.Kind, lenient.Compat));
    }

    [Fact]
    public void The_From_host_opens_a_trunk_only_under_livekit()
    {
        var objects = new PolicyObjects { Trunks = [Given.Trunk("ST_1", "+15550200") with { AllowedAddresses = ["carrier.example"] }], Rules = [s_any] };
        Assert.Equal(RefusalCode.SourceNotAllowed, objects.Decide(Given.Call()).Code);
        Verdict lenient = (objects with { Compat = Compat.LiveKit }).Decide(Given.Call());
        Assert.Equal((VerdictKind.Join, CompatUse.FromHost), (lenient.Kind, lenient.Compat));
    }

    [Fact]
    public void Without_a_trunk_only_livekit_lets_a_rule_for_everybody_take_the_call()
    {
        var objects = new PolicyObjects { Rules = [s_any] };
        Assert.Equal(RefusalCode.NoTrunk, objects.Decide(Given.Call()).Code);
        Verdict lenient = (objects with { Compat = Compat.LiveKit }).Decide(Given.Call());
        Assert.Equal((VerdictKind.Join, CompatUse.NoTrunk, ""), (lenient.Kind, lenient.Compat, lenient.TrunkId));
        Assert.Null(lenient.Attribute("sip.trunkID"));
    }

    [Fact]
    public void One_of_user_and_password_missing_is_refused_under_strict()
    {
        var objects = new PolicyObjects { Trunks = [Given.Trunk("ST_1", "+15550200") with { AuthUsername = "u" }], Rules = [s_any] };
        Assert.Equal(RefusalCode.TrunkMisconfigured, objects.Decide(Given.Call()).Code);
        Assert.Equal(CompatUse.HalfCredentials, (objects with { Compat = Compat.LiveKit }).Decide(Given.Call()).Compat);
    }

    [Fact]
    public void The_called_number_can_be_taken_from_the_Request_URI()
    {
        Trunk trunk = Given.Trunk("ST_1", "+15550200") with { Extras = new TrunkExtras { CalledFrom = CalledFrom.RequestUri } };
        var objects = new PolicyObjects { Trunks = [trunk], Rules = [s_any] };
        CallFacts facts = Given.Call(to: "pilot") with { RequestUser = "+15550200" };
        Verdict verdict = objects.Decide(facts);
        Assert.Equal("ST_1", verdict.TrunkId);
        Assert.Equal("+15550200", verdict.Attribute("sip.trunkPhoneNumber"));
    }

    [Fact]
    public void Near_miss_says_that_the_Request_URI_user_would_match()
    {
        var objects = new PolicyObjects { Trunks = [Given.Trunk("ST_1", "+15550200")], Rules = [s_any] };
        var trace = new DecisionTrace();
        objects.Decide(Given.Call(to: "pilot") with { RequestUser = "+15550200" }, trace);
        Assert.Equal("the Request-URI user +15550200 would match", trace.Steps[0].NearMiss);
    }
}
