using System.Collections.Generic;
using System.Linq;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;
using Proxy.Policy.Validation;
using Xunit;

namespace Proxy.Policy.Tests.Validation;

public sealed class PolicyValidationTests
{
    private static IReadOnlyList<PolicyProblem> Trunks(params Trunk[] trunks) => PolicyValidation.Check(new PolicyObjects { Trunks = trunks });

    private static IReadOnlyList<PolicyProblem> Rules(params DispatchRule[] rules) => PolicyValidation.Check(new PolicyObjects { Rules = rules });

    [Fact]
    public void Two_trunks_with_one_number_are_ambiguous_and_both_are_named()
    {
        PolicyProblem problem = Assert.Single(Trunks(Given.Trunk("ST_b", "1-555-0200"), Given.Trunk("ST_a", "+15550200")));
        Assert.Equal((ProblemKind.AmbiguousTrunks, "ST_a", "ST_b", "+15550200"), (problem.Kind, problem.Id, problem.OtherId, problem.Number));
        Assert.Contains("ST_a", problem.Sentence);
        Assert.Contains("ST_b", problem.Sentence);
    }

    [Fact]
    public void Addresses_callers_and_user_names_tell_trunks_apart()
    {
        Trunk trunk = Given.Trunk("ST_a", "+15550200");
        Assert.Empty(Trunks(trunk with { AllowedAddresses = ["10.0.0.0/9"] }, trunk with { Id = "ST_b", AllowedAddresses = ["10.128.0.0/9"] }));
        Assert.Empty(Trunks(trunk with { AllowedNumbers = ["+1"] }, trunk with { Id = "ST_b", AllowedNumbers = ["+2"] }));
        Assert.Empty(Trunks(trunk with { AllowedNumbers = ["+1"] }, trunk with { Id = "ST_b" }));
        Trunk a = trunk with { AuthUsername = "a", AuthPassword = "p" };
        Assert.Empty(Trunks(a, a with { Id = "ST_b", AuthUsername = "b" }));
        Assert.Single(Trunks(a, a with { Id = "ST_b" }));
        Assert.Single(Trunks(a, trunk with { Id = "ST_b" }));
        Assert.Single(Trunks(a, a with { Id = "ST_b", AuthUsername = "b", AuthRealm = "other" }));
        Assert.Single(Trunks(trunk with { AllowedAddresses = ["10.0.0.0/8"] }, trunk with { Id = "ST_b", AllowedAddresses = ["10.1.0.0/16"] }));
    }

    [Fact]
    public void Overlapping_ranges_are_ambiguous_and_a_prefix_inside_another_is_not()
    {
        static Trunk Of(string id, string pattern) => Given.Trunk(id) with { Extras = new TrunkExtras { NumberPatterns = [pattern] } };
        Assert.Single(Trunks(Of("ST_a", "+442071230000-5000"), Of("ST_b", "+442071234000-9999")));
        Assert.Empty(Trunks(Of("ST_a", "+442071230000-3999"), Of("ST_b", "+442071234000-9999")));
        Assert.Empty(Trunks(Of("ST_a", "+44*"), Of("ST_b", "+4420*")));
        Assert.Single(Trunks(Of("ST_a", "+44*"), Of("ST_b", "+44*")));
    }

    [Fact]
    public void Rules_with_the_same_keys_are_ambiguous_unless_a_condition_tells_them_apart()
    {
        DispatchRule rule = Given.Direct("SDR_a", "a") with { Numbers = ["+1 555"], Pin = "1" };
        Assert.Single(Rules(rule, Given.Direct("SDR_b", "b") with { Numbers = ["1555", "+2"], Pin = "1" }));
        Assert.Empty(Rules(rule, rule with { Id = "SDR_b", Pin = "2" }));
        Assert.Empty(Rules(rule, rule with { Id = "SDR_b", TrunkIds = ["ST_1"] }));
        Assert.Empty(Rules(rule, rule with { Id = "SDR_b", Extras = new RuleExtras { Match = new RuleMatch { Percent = 10 } } }));
    }

    [Fact]
    public void A_number_of_a_trunk_and_of_the_inventory_is_owned_twice()
    {
        var objects = new PolicyObjects
        {
            Trunks = [Given.Trunk("ST_1", "1 555 0200")],
            Numbers = [new PhoneNumber { Id = "PN_1", E164 = "+15550200", IsAssigned = true }, new PhoneNumber { Id = "PN_2", E164 = "+15550201" }],
        };
        Assert.Equal(ProblemKind.NumberOwnedTwice, Assert.Single(PolicyValidation.Check(objects)).Kind);
    }

    [Fact]
    public void Ten_thousand_trunks_told_apart_by_user_name_are_checked_at_once()
    {
        Trunk[] trunks = [.. Enumerable.Range(0, 10_000).Select(i => Given.Trunk($"ST_{i:00000}") with { AuthUsername = "u" + i, AuthPassword = "p" })];
        Assert.Empty(Trunks(trunks));
    }
}
