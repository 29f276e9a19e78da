using Proxy.Bridge.Media;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Xunit;

namespace Proxy.Bridge.Tests.Media;

public sealed class SourceLatchTests
{
    private static NetEndPoint At(string text)
    {
        Assert.True(NetEndPoint.TryParse(text, out NetEndPoint endPoint));
        return endPoint;
    }

    private static SourceLatch Latch(string signalled, string signallingSource) =>
        new(At(signalled), At(signallingSource + ":5060").Address);

    [Fact]
    public void The_signalled_address_is_taken_with_its_first_packet()
    {
        SourceLatch latch = Latch("198.51.100.7:4000", "198.51.100.1");
        Assert.Equal(LatchVerdict.Accept, latch.Check(At("198.51.100.7:4000"), 1, 1, new MonoTime(0)));
        Assert.Equal(At("198.51.100.7:4000"), latch.SendTo);
    }

    [Fact]
    public void Another_source_is_foreign_while_the_caller_is_heard()
    {
        SourceLatch latch = Latch("198.51.100.7:4000", "198.51.100.1");
        latch.Check(At("198.51.100.7:4000"), 1, 1, new MonoTime(0));
        for (ushort n = 0; n < 90; n++)
        {
            MonoTime now = MonoTime.FromMillis(20 * n);
            Assert.Equal(LatchVerdict.Foreign, latch.Check(At("198.51.100.7:4002"), 9, n, now));
        }
        Assert.Equal(At("198.51.100.7:4000"), latch.SendTo);
    }

    [Fact]
    public void Another_port_of_the_signalled_address_is_learnt_from_three_packets_in_order()
    {
        SourceLatch latch = Latch("198.51.100.7:4000", "198.51.100.1");
        Assert.Equal(LatchVerdict.Learning, latch.Check(At("198.51.100.7:61000"), 5, 100, new MonoTime(0)));
        Assert.Equal(LatchVerdict.Learning, latch.Check(At("198.51.100.7:61000"), 5, 101, new MonoTime(1)));
        Assert.Equal(LatchVerdict.Accept, latch.Check(At("198.51.100.7:61000"), 5, 103, new MonoTime(2)));
        Assert.Equal(At("198.51.100.7:61000"), latch.SendTo);
    }

    [Fact]
    public void A_private_address_is_replaced_by_the_address_the_signalling_came_from()
    {
        SourceLatch latch = Latch("10.0.0.9:4000", "203.0.113.5");
        latch.Check(At("203.0.113.5:9000"), 5, 1, new MonoTime(0));
        latch.Check(At("203.0.113.5:9000"), 5, 2, new MonoTime(0));
        Assert.Equal(LatchVerdict.Accept, latch.Check(At("203.0.113.5:9000"), 5, 3, new MonoTime(0)));
        Assert.Equal(At("203.0.113.5:9000"), latch.SendTo);
    }

    [Fact]
    public void A_single_unknown_source_is_heard_after_a_second_but_never_sent_to()
    {
        SourceLatch latch = Latch("198.51.100.7:4000", "198.51.100.1");
        LatchVerdict verdict = LatchVerdict.Foreign;
        for (ushort n = 0; n <= 55; n++)
        {
            verdict = latch.Check(At("203.0.113.66:4000"), 5, n, MonoTime.FromMillis(20 * n));
        }
        Assert.Equal(LatchVerdict.Accept, verdict);
        Assert.True(latch.IsUnvouched);
        Assert.Equal(At("198.51.100.7:4000"), latch.SendTo);
        Assert.Equal(LatchVerdict.Accept, latch.Check(At("198.51.100.7:4000"), 1, 1, MonoTime.FromMillis(2000)));
        Assert.False(latch.IsUnvouched);
    }

    [Fact]
    public void A_locked_source_may_move_after_two_seconds_of_silence()
    {
        SourceLatch latch = Latch("198.51.100.7:4000", "198.51.100.1");
        latch.Check(At("198.51.100.7:4000"), 1, 1, new MonoTime(0));
        MonoTime later = MonoTime.FromMillis(2001);
        latch.Check(At("198.51.100.7:4002"), 1, 2, later);
        latch.Check(At("198.51.100.7:4002"), 1, 3, later);
        Assert.Equal(LatchVerdict.Accept, latch.Check(At("198.51.100.7:4002"), 1, 4, later));
    }

    [Fact]
    public void A_new_answer_opens_the_latch()
    {
        SourceLatch latch = Latch("198.51.100.7:4000", "198.51.100.1");
        latch.Check(At("198.51.100.7:4000"), 1, 1, new MonoTime(0));
        latch.Renegotiate(At("198.51.100.8:5000"));
        Assert.False(latch.IsLocked);
        Assert.Equal(At("198.51.100.8:5000"), latch.SendTo);
        Assert.Equal(LatchVerdict.Accept, latch.Check(At("198.51.100.8:5000"), 1, 1, new MonoTime(5)));
    }
}
