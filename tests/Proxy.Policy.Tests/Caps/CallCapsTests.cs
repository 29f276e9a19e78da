using Proxy.Core.Time;
using Proxy.Policy.Caps;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;
using Xunit;

namespace Proxy.Policy.Tests.Caps;

public sealed class CallCapsTests
{
    private static readonly MonoTime s_now = MonoTime.FromMillis(10_000);

    private static RulePolicy Policy(TrunkExtras extras, RuleExtras? rule = null) => Given.Policy(new PolicyObjects
    {
        Trunks = [Given.Trunk("ST_1", "+15550200") with { Extras = extras }],
        Rules = [Given.Direct("SDR_1", "a") with { Extras = rule ?? RuleExtras.None }],
    });

    [Theory]
    [InlineData(RefusalCode.TrunkCap, 480)]
    [InlineData(RefusalCode.RuleCap, 486)]
    [InlineData(RefusalCode.NumberCap, 486)]
    [InlineData(RefusalCode.CallerCap, 486)]
    public void A_full_cap_refuses_with_its_own_status_and_no_Retry_After(RefusalCode code, int status)
    {
        RulePolicy policy = Policy(
            new TrunkExtras { MaxCalls = code == RefusalCode.TrunkCap ? 1 : 0, MaxCallsPerNumber = code == RefusalCode.NumberCap ? 1 : 0, MaxCallsPerCaller = code == RefusalCode.CallerCap ? 1 : 0 },
            new RuleExtras { MaxCalls = code == RefusalCode.RuleCap ? 1 : 0 });
        var caps = new CallCaps();
        Verdict first = policy.Decide(Given.Call(), caps.At(s_now), null);
        caps.Take(first.Caps, s_now);
        Verdict second = policy.Decide(Given.Call(), caps.At(s_now), null);
        Assert.Equal((code, status, 0), (second.Code, second.SipStatus, second.RetryAfterSeconds));
        caps.Release(first.Caps, s_now);
        Assert.Equal(VerdictKind.Join, policy.Decide(Given.Call(), caps.At(s_now), null).Kind);
    }

    [Fact]
    public void Calls_per_second_count_within_one_second_of_the_clock()
    {
        RulePolicy policy = Policy(new TrunkExtras { MaxCallsPerSecond = 2 });
        var caps = new CallCaps();
        for (int i = 0; i < 2; i++)
        {
            caps.Take(policy.Decide(Given.Call(), caps.At(s_now), null).Caps, s_now);
        }
        Assert.Equal(RefusalCode.TrunkCap, policy.Decide(Given.Call(), caps.At(s_now), null).Code);
        Assert.Equal(VerdictKind.Join, policy.Decide(Given.Call(), caps.At(s_now.AddMillis(1000)), null).Kind);
    }

    [Fact]
    public void A_thousand_calls_that_ended_leave_no_entry()
    {
        RulePolicy policy = Policy(new TrunkExtras { MaxCallsPerCaller = 5 });
        var caps = new CallCaps();
        MonoTime now = s_now;
        for (int i = 0; i < 1000; i++)
        {
            Verdict verdict = policy.Decide(Given.Call(from: "+1555" + i), caps.At(now), null);
            caps.Take(verdict.Caps, now);
            now = now.AddMillis(10);
            caps.Release(verdict.Caps, now);
        }
        now = now.AddMillis(2000);
        for (int i = 0; i < 300; i++)
        {
            caps.Take([], now);
        }
        Assert.Equal(0, caps.Entries);
    }

    [Fact]
    public void Explain_looks_at_no_cap()
    {
        RulePolicy policy = Policy(new TrunkExtras { MaxCalls = 1 });
        Assert.False(default(CapsView).IsSet);
        Assert.Equal(VerdictKind.Join, policy.Decide(Given.Call(), default, null).Kind);
    }
}
