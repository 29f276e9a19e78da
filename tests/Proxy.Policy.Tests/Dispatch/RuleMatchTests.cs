using System;
using System.Linq;
using System.Text.RegularExpressions;
using Proxy.Policy.Dispatch;
using Xunit;

namespace Proxy.Policy.Tests.Dispatch;

public sealed class RuleMatchTests
{
    private static readonly DispatchRule s_rest = Given.Direct("SDR_rest", "a-rest");

    private static Regex Pattern(string text) => RuleMatch.TryPattern(text, out Regex? pattern, out string error) ? pattern! : throw new ArgumentException(error);

    private static string Rule(RuleMatch match, CallFacts facts) => new PolicyObjects
    {
        Trunks = [Given.Trunk("ST_1", "+15550200")],
        Rules = [s_rest, Given.Direct("SDR_x", "z-conditional") with { Extras = new RuleExtras { Match = match } }],
    }.Decide(facts).RuleId;

    [Fact]
    public void A_rule_with_conditions_is_asked_before_its_equal_without()
    {
        var match = new RuleMatch { Headers = [new HeaderMatch("X-Tenant", Pattern("^acme$"))] };
        Assert.Equal("SDR_x", Rule(match, Given.Call() with { Headers = [new FactHeader("x-tenant", "acme")] }));
        Assert.Equal("SDR_rest", Rule(match, Given.Call() with { Headers = [new FactHeader("x-tenant", "other")] }));
        Assert.Equal("SDR_rest", Rule(match, Given.Call()));
    }

    [Fact]
    public void Request_URI_asserted_identity_and_diversion_are_matched()
    {
        Assert.Equal("SDR_x", Rule(new RuleMatch { RequestUri = Pattern("proxy\\.example") }, Given.Call()));
        Assert.Equal("SDR_x", Rule(new RuleMatch { AssertedIdentity = Pattern("^\\+49") }, Given.Call() with { AssertedUser = "+4930" }));
        Assert.Equal("SDR_rest", Rule(new RuleMatch { AssertedIdentity = Pattern("^\\+49") }, Given.Call()));
        Assert.Equal("SDR_x", Rule(new RuleMatch { Diversion = Pattern("^\\+15550300$") }, Given.Call() with { DivertedUser = "+15550300" }));
    }

    [Theory]
    [InlineData("(a+)+$", true)]
    [InlineData("(?=a)b", false)]
    [InlineData("(a)\\1", false)]
    [InlineData("(", false)]
    public void Patterns_are_linear_or_refused(string text, bool isFine)
    {
        Assert.Equal(isFine, RuleMatch.TryPattern(text, out _, out string error));
        Assert.Equal(isFine, error.Length == 0);
    }

    [Fact]
    public void Time_windows_follow_their_zone_and_cross_midnight()
    {
        TimeZoneInfo berlin = TimeZoneInfo.CreateCustomTimeZone("b", TimeSpan.FromHours(1), "b", "b");
        var office = new TimeWindow(berlin, 0b0111110, 9 * 60, 17 * 60);
        DateTimeOffset sunday = Given.Noon;
        Assert.False(office.Contains(sunday));
        Assert.True(office.Contains(sunday.AddDays(1).AddHours(3).AddMinutes(59)));
        Assert.False(office.Contains(sunday.AddDays(1).AddHours(4)));
        var night = new TimeWindow(berlin, 0b0000001, 22 * 60, 6 * 60);
        Assert.True(night.Contains(sunday.AddHours(10)));
        Assert.True(night.Contains(sunday.AddHours(16)));
        Assert.False(night.Contains(sunday.AddHours(17)));
        Assert.False(night.Contains(sunday.AddHours(-10)));
        Assert.Equal("SDR_rest", Rule(new RuleMatch { Windows = [office] }, Given.Call()));
    }

    [Fact]
    public void A_share_of_calls_is_near_its_percent_and_the_same_call_always_falls_on_the_same_side()
    {
        var match = new RuleMatch { Percent = 30 };
        CallFacts[] calls = [.. Enumerable.Range(0, 2_000).Select(i => Given.Call() with { CallId = "SCL_" + i })];
        int taken = calls.Count(c => Rule(match, c) == "SDR_x");
        Assert.InRange(taken, 500, 700);
        Assert.All(calls.Take(20), c => Assert.Equal(Rule(match, c), Rule(match, c)));
    }
}
