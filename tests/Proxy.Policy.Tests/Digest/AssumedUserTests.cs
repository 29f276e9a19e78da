using Xunit;

namespace Proxy.Policy.Tests.Digest;

/// <summary><c>explain --user</c>: as if a password had been proved, with nothing on the wire.</summary>
public sealed class AssumedUserTests
{
    private static readonly PolicyObjects s_objects = new()
    {
        Trunks =
        [
            Given.Trunk("ST_a") with { AuthUsername = "a", AuthPassword = "p" },
            Given.Trunk("ST_b") with { AuthUsername = "b", AuthPassword = "p" },
        ],
        Rules = [Given.Direct("SDR_a", "room-a") with { TrunkIds = ["ST_a"] }, Given.Direct("SDR_b", "room-b") with { TrunkIds = ["ST_b"] }],
    };

    [Theory]
    [InlineData("", VerdictKind.Challenge, "")]
    [InlineData("a", VerdictKind.Join, "room-a")]
    [InlineData("b", VerdictKind.Join, "room-b")]
    [InlineData("c", VerdictKind.Reject, "")]
    public void The_assumed_user_picks_the_trunk_as_a_proved_one_does(string user, VerdictKind kind, string room)
    {
        Verdict verdict = s_objects.Decide(Given.Call() with { AssumedUser = user });
        Assert.Equal((kind, room), (verdict.Kind, verdict.Room));
        Assert.Equal(kind == VerdictKind.Reject ? RefusalCode.BadCredentials : RefusalCode.None, verdict.Code);
    }
}
