using System;
using System.Collections.Generic;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Server.Linux;
using Xunit;

namespace Proxy.Server.Tests.Linux;

public sealed class PortRangeTests
{
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(10000, 10009, 2, 5)]
    [InlineData(10001, 10009, 2, 4)]
    [InlineData(10000, 10009, 1, 10)]
    [InlineData(10000, 10000, 1, 1)]
    [InlineData(10000, 10000, 2, 0)]
    [InlineData(65534, 65535, 2, 1)]
    public void Range_gives_each_port_once_and_then_none(int first, int last, int step, int expected)
    {
        PortRange range = new(first, last, step, s_rest, new SeededRandom(1));
        Assert.Equal(expected, range.Capacity);
        HashSet<ushort> seen = [];
        while (range.TryTake(default, out ushort port))
        {
            Assert.InRange(port, first, last);
            Assert.True(step == 1 || (port % 2 == 0 && port + 1 <= last));
            Assert.True(seen.Add(port));
        }
        Assert.Equal(expected, seen.Count);
    }

    [Fact]
    public void Returned_port_rests_before_it_is_given_again()
    {
        PortRange range = new(20000, 20005, 2, s_rest, new SeededRandom(2));
        Assert.True(range.TryTake(MonoTime.FromMillis(0), out ushort a));
        Assert.True(range.TryTake(MonoTime.FromMillis(0), out ushort b));
        range.Return(a, MonoTime.FromMillis(1000));
        Assert.Equal(1, range.Taken);
        Assert.True(range.TryTake(MonoTime.FromMillis(5999), out ushort c));
        Assert.NotEqual(a, c);
        Assert.True(range.TryTake(MonoTime.FromMillis(6000), out ushort again));
        Assert.Equal(a, again);
        range.Return(b, MonoTime.FromMillis(6000));
        range.Return(again, MonoTime.FromMillis(6000));
        Assert.Equal(1, range.Taken);
        Assert.Equal(2, range.Resting);
    }

    [Fact]
    public void Rest_is_cut_short_for_the_longest_rested_port_before_a_call_is_refused()
    {
        PortRange range = new(20000, 20003, 2, s_rest, new SeededRandom(2));
        Assert.True(range.TryTake(MonoTime.FromMillis(0), out ushort a));
        Assert.True(range.TryTake(MonoTime.FromMillis(0), out ushort b));
        Assert.False(range.TryTake(MonoTime.FromMillis(0), out _));
        range.Return(b, MonoTime.FromMillis(100));
        range.Return(a, MonoTime.FromMillis(200));
        Assert.True(range.TryTake(MonoTime.FromMillis(300), out ushort first));
        Assert.True(range.TryTake(MonoTime.FromMillis(300), out ushort second));
        Assert.Equal((b, a), (first, second));
        Assert.False(range.TryTake(MonoTime.FromMillis(300), out _));
    }

    [Fact]
    public void Order_is_random_by_the_generator_given()
    {
        PortRange one = new(10000, 20000, 2, s_rest, new SeededRandom(3));
        PortRange other = new(10000, 20000, 2, s_rest, new SeededRandom(4));
        int same = 0;
        for (int i = 0; i < 100; i++)
        {
            one.TryTake(default, out ushort a);
            other.TryTake(default, out ushort b);
            same += a == b ? 1 : 0;
        }
        Assert.True(same < 10);
    }

    [Fact]
    public void Ten_thousand_calls_one_after_the_other_lose_no_port()
    {
        PortRange range = new(10000, 10100, 2, s_rest, new SeededRandom(5));
        MonoTime now = default;
        for (int i = 0; i < 10_000; i++)
        {
            now = now.AddMillis(200);
            Assert.True(range.TryTake(now, out ushort port));
            range.Return(port, now);
        }
        Assert.Equal(0, range.Taken);
    }
}
