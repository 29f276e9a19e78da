using Xunit;

namespace Proxy.Policy.Tests;

public sealed class DevPolicyTests
{
    private readonly DevPolicy _policy = new(new PolicySettings { Secret = Given.Secret });

    private Verdict Decide(string user) => _policy.Decide(Given.Call(from: "alice", to: user), default, null);

    [Fact]
    public void Every_call_gets_its_own_room_and_the_demo_agent()
    {
        Verdict verdict = Decide("anything");
        Assert.Matches("^call-[a-zA-Z0-9]{12}$", verdict.Room);
        Assert.Equal([DevPolicy.DemoAgent], verdict.Agents);
        Assert.Equal("""{"agents":[{"agentName":"demo","metadata":"greet"}]}""", verdict.RoomConfigJson);
        Assert.Equal(("sip_alice", "Phone alice"), (verdict.Identity, verdict.Name));
        Assert.Equal("SCL_abcdefghijkl", verdict.Attribute("sip.callID"));
    }

    [Fact]
    public void Echo_only_echoes() => Assert.Contains("\"metadata\":\"echo\"", Decide("echo").RoomConfigJson, System.StringComparison.Ordinal);

    [Fact]
    public void A_room_name_joins_that_room_without_an_agent()
    {
        Verdict verdict = Decide("room-kitchen");
        Assert.Equal(("kitchen", 0, ""), (verdict.Room, verdict.Agents.Length, verdict.RoomConfigJson));
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("nobody-home")]
    public void Nobody_is_404(string user)
    {
        Verdict verdict = Decide(user);
        Assert.Equal((RefusalCode.NoRule, 404), (verdict.Code, verdict.SipStatus));
    }
}
