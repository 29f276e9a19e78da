using Proxy.Core.Time;
using Proxy.Server.Linux;
using Xunit;

namespace Proxy.Server.Tests.Linux;

public sealed class CpuMeterTests
{
    [Fact]
    public void Busy_thread_is_seen_as_a_share_between_zero_and_one()
    {
        using CpuMeter meter = new();
        MonoTime start = Clock.Now();
        MonoTime end = start.AddMillis(300);
        long used = Clock.ThreadCpuMicros();
        while (Clock.Now() < end)
        {
        }
        Assert.True(Clock.ThreadCpuMicros() > used);
        meter.Sample(Clock.Now());
        Assert.InRange(meter.ProcessShare, 0.001, 1);
        Assert.InRange(meter.MachineShare, 0, 1);
    }
}
