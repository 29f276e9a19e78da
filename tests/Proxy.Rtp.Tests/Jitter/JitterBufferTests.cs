using System;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Jitter;
using Proxy.Rtp.Packets;
using Xunit;

namespace Proxy.Rtp.Tests.Jitter;

public sealed class JitterBufferTests : IDisposable
{
    private const int Frame = 160;
    private readonly PacketSlab _slab = new(32, 200);
    private readonly JitterBuffer _jitter;
    private readonly byte[] _payload = new byte[1500];
    private MonoTime _now = MonoTime.FromMillis(1000);
    private uint _ssrc = 1;

    public JitterBufferTests() => _jitter = new JitterBuffer(new Limits(), _slab, 8000);

    [Fact]
    public void The_first_packet_waits_the_smallest_depth()
    {
        Push(0);
        AssertEmpty();
        _now = _now.AddMillis(19);
        AssertEmpty();
        _now = _now.AddMillis(1);
        AssertFrame(0);
        AssertEmpty();
    }

    [Fact]
    public void Packets_come_out_in_order_over_the_wrap()
    {
        Push(65_535);
        Push(65_537);
        Push(65_536);
        Wait();
        AssertFrame(65_535);
        AssertFrame(65_536);
        AssertFrame(65_537);
    }

    [Fact]
    public void A_packet_overtaken_at_the_start_still_comes_first()
    {
        Push(11);
        Assert.Equal(PushVerdict.Stored, Push(10));
        Wait();
        AssertFrame(10);
        AssertFrame(11);
    }

    [Fact]
    public void A_missing_packet_is_lost_when_its_time_comes_and_the_next_one_is_shown()
    {
        Push(0);
        Push(2);
        Wait();
        AssertFrame(0);
        Assert.Equal(PopResult.Lost, _jitter.Pop(_now, Frame, _payload, out PoppedFrame lost));
        Assert.Equal(Frame, lost.Ticks);
        Assert.Equal(1, lost.Length);
        Assert.Equal(2, _payload[0]);
        Assert.Equal(1, _jitter.LostCount);
        Assert.Equal(PushVerdict.Late, Push(1));
        Assert.Equal(PushVerdict.Duplicate, Push(1));
        AssertFrame(2);
        Assert.Equal(PushVerdict.Duplicate, Push(2));
    }

    [Fact]
    public void What_was_made_up_while_starving_is_not_made_up_again()
    {
        Push(0);
        Wait();
        AssertFrame(0);
        AssertEmpty();
        AssertEmpty();
        Push(3);
        AssertFrame(3);
        Assert.Equal(0, _jitter.LostCount);
    }

    [Fact]
    public void A_packet_that_comes_while_we_starve_is_played()
    {
        Push(0);
        Wait();
        AssertFrame(0);
        AssertEmpty();
        AssertEmpty();
        Push(1);
        AssertFrame(1);
        Push(2);
        AssertFrame(2);
    }

    [Fact]
    public void Packets_taken_out_are_neither_played_nor_lost()
    {
        Push(0);
        TakeOut(1);
        TakeOut(2);
        Push(3);
        Wait();
        AssertFrame(0);
        AssertEmpty();
        AssertEmpty();
        AssertFrame(3);
        Assert.Equal(0, _jitter.LostCount);
        Assert.Equal(PushVerdict.Duplicate, Push(2));
    }

    [Fact]
    public void A_pause_in_the_timestamps_is_waited_for()
    {
        Push(0);
        Wait();
        AssertFrame(0);
        Push(1, timestamp: 4 * Frame);
        AssertEmpty();
        AssertEmpty();
        AssertEmpty();
        AssertFrame(1);
        Assert.Equal(0, _jitter.LostCount);
    }

    [Fact]
    public void More_than_the_greatest_depth_is_thrown_away_from_the_front()
    {
        for (int i = 0; i < 30; i++)
        {
            Push(i);
        }
        Assert.InRange(_jitter.BufferedMs, 180, 220);
        Assert.InRange(_jitter.Overflowed, 19, 21);
        Wait();
        Assert.Equal(PopResult.Frame, _jitter.Pop(_now, Frame, _payload, out _));
        Assert.InRange(_payload[0], 19, 21);
    }

    [Fact]
    public void A_full_slab_and_a_long_payload_are_refused_and_counted()
    {
        while (_slab.TryRent() >= 0)
        {
        }
        Assert.Equal(PushVerdict.NoRoom, Push(0));
        for (int i = 0; i < 32; i++)
        {
            _slab.Return(i);
        }
        byte[] large = new byte[300];
        RtpWriter.WriteHeader(large, new RtpHeader(0, false, 1, 160, _ssrc));
        Assert.True(RtpView.TryParse(large, out RtpView view, out _));
        Assert.Equal(PushVerdict.NoRoom, _jitter.Push(view, Frame, _now));
        Assert.Equal(PushVerdict.Stored, Push(2));
    }

    [Fact]
    public void A_new_source_is_heard_at_its_third_packet_and_empties_the_old_one()
    {
        Push(0);
        Push(1);
        _ssrc = 2;
        _now = _now.AddMillis(20);
        Assert.Equal(PushVerdict.Foreign, Push(900));
        _now = _now.AddMillis(20);
        Assert.Equal(PushVerdict.Foreign, Push(901));
        _now = _now.AddMillis(20);
        Assert.Equal(PushVerdict.Restarted, Push(902));
        Assert.Equal(1, _jitter.Count);
        Wait();
        AssertFrame(902);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Any_numbers_leave_it_bounded_and_every_slot_comes_back(ulong seed)
    {
        SeededRandom random = new(seed);
        for (int i = 0; i < 200_000; i++)
        {
            _now = _now.AddMicros(random.Next(15_000));
            _ssrc = (uint)random.Next(2);
            int sequence = random.Next(3) == 0 ? random.Next(65_536) : (i / 2) + random.Next(5);
            byte[] packet = Make(sequence, random.Next(4) == 0 ? (uint)random.Next() : (uint)(sequence * Frame));
            Assert.True(RtpView.TryParse(packet, out RtpView view, out _));
            _ = random.Next(10) == 0 ? _jitter.TakeOut(view, _now) : _jitter.Push(view, random.Next(960), _now);
            if (random.Next(2) == 0)
            {
                _jitter.Pop(_now, Frame, _payload, out PoppedFrame frame);
                Assert.InRange(frame.Ticks, 0, 960);
                _jitter.SurplusMicros(_now);
            }
            Assert.InRange(_jitter.Count, 0, 64);
            Assert.InRange(_jitter.BufferedMs, 0, 330);
        }
        _jitter.Dispose();
        Assert.Equal(_slab.Slots, _slab.Available);
    }

    public void Dispose()
    {
        _jitter.Dispose();
        _slab.Dispose();
    }

    private void Wait() => _now = _now.AddMillis(20);

    private PushVerdict Push(int sequence, int? timestamp = null)
    {
        byte[] packet = Make(sequence, (uint)(timestamp ?? sequence * Frame));
        Assert.True(RtpView.TryParse(packet, out RtpView view, out _));
        return _jitter.Push(view, Frame, _now);
    }

    private void TakeOut(int sequence)
    {
        byte[] packet = Make(sequence, (uint)(sequence * Frame));
        Assert.True(RtpView.TryParse(packet, out RtpView view, out _));
        _jitter.TakeOut(view, _now);
    }

    private byte[] Make(int sequence, uint timestamp)
    {
        byte[] packet = new byte[13];
        RtpWriter.Write(packet, new RtpHeader(0, false, (ushort)sequence, timestamp, _ssrc), [(byte)sequence]);
        return packet;
    }

    private void AssertFrame(int sequence)
    {
        Assert.Equal(PopResult.Frame, _jitter.Pop(_now, Frame, _payload, out PoppedFrame frame));
        Assert.Equal(1, frame.Length);
        Assert.Equal((byte)sequence, _payload[0]);
    }

    private void AssertEmpty() => Assert.Equal(PopResult.Empty, _jitter.Pop(_now, Frame, _payload, out _));
}
