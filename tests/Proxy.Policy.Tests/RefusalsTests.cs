using System;
using Xunit;

namespace Proxy.Policy.Tests;

public sealed class RefusalsTests
{
    [Fact]
    public void Every_code_has_a_name_and_an_answer()
    {
        foreach (RefusalCode code in Enum.GetValues<RefusalCode>())
        {
            Assert.NotEmpty(Refusals.Name(code));
            Assert.True(code == RefusalCode.None || Refusals.Default[code].Status >= 400);
            Assert.Equal(code != RefusalCode.None, Refusals.TryParse(Refusals.Name(code), out RefusalCode parsed));
            Assert.True(code == RefusalCode.None || parsed == code);
        }
        Assert.Equal(Enum.GetValues<RefusalCode>().Length, Refusals.Names.Count);
    }

    [Fact]
    public void Only_a_node_that_cannot_says_Retry_After()
    {
        foreach (RefusalCode code in Enum.GetValues<RefusalCode>())
        {
            Assert.Equal(Refusals.Default[code].Status == 503, Refusals.Default[code].RetryAfterSeconds > 0);
        }
    }

    [Fact]
    public void The_livekit_preset_rejects_with_486() =>
        Assert.Equal((486, "Rejected"), (Refusals.LiveKit[RefusalCode.RingTimeout].Status, Refusals.LiveKit[RefusalCode.JoinFailed].Reason));
}
