using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Jitter;
using Proxy.Rtp.Packets;
using Xunit;

namespace Proxy.Rtp.Tests.Jitter;

public sealed class PassthroughSequencerTests : IDisposable
{
    private readonly PacketSlab _slab = new(128, 1500);
    private readonly PassthroughSequencer _sequencer;
    private readonly List<(int Out, uint Timestamp, byte Tag, bool Marker, long At)> _sent = [];
    private readonly byte[] _buffer = new byte[1500];
    private MonoTime _now = MonoTime.FromMillis(1000);
    private uint _ssrc = 1;

    public PassthroughSequencerTests() => _sequencer = new PassthroughSequencer(new Limits(), _slab, 8000, 65_530, 4_294_967_000);

    [Fact]
    public void In_order_is_forwarded_at_once_over_both_wraps()
    {
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(PassthroughVerdict.Forward, Push(65_500 + i, i * 160));
        }
        AssertNumbers(Enumerable.Range(0, 100));
        Assert.All(_sent.Select((one, i) => (one, i)), pair => Assert.Equal(unchecked(4_294_967_000u + (uint)(pair.i * 160)), pair.one.Timestamp));
        Assert.True(_sequencer.NextDeadline.IsNever);
    }

    [Fact]
    public void A_reordered_packet_is_put_back_in_its_place()
    {
        Push(0, 0);
        Assert.Equal(PassthroughVerdict.Held, Push(2, 320));
        Assert.Equal(PassthroughVerdict.Held, Push(3, 480));
        Assert.Equal(PassthroughVerdict.Forward, Push(1, 160));
        AssertNumbers([0, 1, 2, 3]);
        Assert.Equal([0, 1, 2, 3], _sent.Select(one => (int)one.Tag));
        Assert.True(_sequencer.NextDeadline.IsNever);
    }

    [Fact]
    public void A_hole_waits_forty_milliseconds_and_stays_a_hole()
    {
        Push(0, 0);
        Assert.Equal(PassthroughVerdict.Held, Push(2, 320));
        MonoTime deadline = _sequencer.NextDeadline;
        Assert.Equal(_now.AddMillis(40), deadline);
        _now = deadline.AddMicros(-1);
        Drain();
        Assert.Single(_sent);
        _now = deadline;
        Drain();
        AssertNumbers([0, 2]);
        Assert.Equal(1, _sequencer.Missing);
        Assert.Equal(PassthroughVerdict.Late, Push(1, 160));
        Assert.Equal(PassthroughVerdict.Duplicate, Push(1, 160));
        Assert.Equal(PassthroughVerdict.Forward, Push(3, 480));
        AssertNumbers([0, 2, 3]);
    }

    [Fact]
    public void A_second_hole_waits_from_its_own_packet()
    {
        Push(0, 0);
        Push(2, 320);
        _now = _now.AddMillis(30);
        Push(4, 640);
        _now = _now.AddMillis(10);
        Drain();
        AssertNumbers([0, 2]);
        _now = _now.AddMillis(29);
        Drain();
        AssertNumbers([0, 2]);
        _now = _now.AddMillis(1);
        Drain();
        AssertNumbers([0, 2, 4]);
    }

    [Fact]
    public void What_we_take_out_is_closed_in_the_numbering()
    {
        Push(0, 0);
        Assert.Equal(PassthroughVerdict.TakenOut, TakeOut(1, 160));
        Assert.Equal(PassthroughVerdict.TakenOut, TakeOut(2, 160));
        Assert.Equal(PassthroughVerdict.Duplicate, TakeOut(2, 160));
        Push(3, 2000);
        AssertNumbers([0, 1]);
        Assert.Equal(unchecked(4_294_967_000u + 2000), _sent[1].Timestamp);
        Push(5, 2320);
        TakeOut(4, 2160);
        AssertNumbers([0, 1, 2]);
    }

    [Fact]
    public void Taken_out_packets_behind_a_hole_do_not_count_when_it_is_given_up()
    {
        Push(0, 0);
        TakeOut(2, 320);
        Push(3, 480);
        _now = _now.AddMillis(40);
        Drain();
        AssertNumbers([0, 2]);
    }

    [Fact]
    public void Duplicates_are_dropped_wherever_they_come()
    {
        Push(0, 0);
        Assert.Equal(PassthroughVerdict.Duplicate, Push(0, 0));
        Push(2, 320);
        Assert.Equal(PassthroughVerdict.Duplicate, Push(2, 320));
        Push(1, 160);
        Assert.Equal(PassthroughVerdict.Duplicate, Push(1, 160));
        AssertNumbers([0, 1, 2]);
    }

    [Fact]
    public void Another_source_is_joined_after_the_old_one_paused()
    {
        Push(0, 0);
        _ssrc = 2;
        Step();
        Assert.Equal(PassthroughVerdict.Foreign, Push(500, 90_000));
        Step();
        Assert.Equal(PassthroughVerdict.Foreign, Push(501, 90_160));
        Step();
        Assert.Equal(PassthroughVerdict.ForwardRestarted, Push(502, 90_320));
        Step();
        Assert.Equal(PassthroughVerdict.Forward, Push(503, 90_480));
        AssertNumbers([0, 1, 2]);
        Assert.True(_sent[1].Marker);
        Assert.Equal(480u, _sent[1].Timestamp - _sent[0].Timestamp);
        Assert.Equal(160u, _sent[2].Timestamp - _sent[1].Timestamp);
    }

    [Fact]
    public void A_foreign_source_beside_a_living_one_is_never_forwarded()
    {
        for (int i = 0; i < 500; i++)
        {
            Step();
            _ssrc = 1;
            Assert.Equal(PassthroughVerdict.Forward, Push(i, i * 160));
            _ssrc = 0xBAD;
            Assert.Equal(PassthroughVerdict.Foreign, Push(i * 2, i * 160));
            Assert.Equal(PassthroughVerdict.Foreign, Push((i * 2) + 1, i * 160));
        }
        AssertNumbers(Enumerable.Range(0, 500));
    }

    [Theory]
    [InlineData(32_768)]
    [InlineData(-10_000)]
    public void A_jump_is_joined_at_its_second_packet(int jump)
    {
        Push(20_000, 0);
        Step();
        Assert.Equal(PassthroughVerdict.Suspect, Push(20_001 + jump, 7_000_000));
        Step();
        Assert.Equal(PassthroughVerdict.ForwardRestarted, Push(20_002 + jump, 7_000_160));
        AssertNumbers([0, 1]);
        Assert.Equal(320u, _sent[1].Timestamp - _sent[0].Timestamp);
    }

    [Fact]
    public void A_replayed_burst_of_old_packets_changes_nothing()
    {
        for (int i = 0; i < 300; i++)
        {
            Step();
            Push(i, i * 160);
        }
        _now = _now.AddMillis(1);
        for (int i = 100; i < 300; i++)
        {
            Assert.NotEqual(PassthroughVerdict.ForwardRestarted, Push(i, i * 160));
        }
        Step();
        Assert.Equal(PassthroughVerdict.Forward, Push(300, 300 * 160));
        AssertNumbers(Enumerable.Range(0, 301));
    }

    [Fact]
    public void A_timestamp_that_jumps_alone_is_joined()
    {
        Push(0, 0);
        Step();
        Push(1, 3_000_000);
        Step();
        Push(2, 3_000_160);
        Assert.Equal(160u, _sent[1].Timestamp - _sent[0].Timestamp);
        Assert.Equal(160u, _sent[2].Timestamp - _sent[1].Timestamp);
        Assert.True(_sent[1].Marker);
    }

    [Fact]
    public void A_long_loss_stays_as_long_a_hole()
    {
        Push(0, 0);
        _now = _now.AddMillis(2000);
        Assert.Equal(PassthroughVerdict.Forward, Push(100, 16_000));
        AssertNumbers([0, 100]);
        Assert.Equal(99, _sequencer.Missing);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Whatever_the_network_does_the_order_stays_and_no_slot_is_lost(ulong seed)
    {
        SeededRandom random = new(seed);
        PriorityQueue<(int Sequence, bool Out), long> network = new();
        for (int i = 0; i < 20_000; i++)
        {
            long at = (i * 20_000L) + random.Next(60_000);
            if (random.Next(100) >= 3)
            {
                bool isOut = random.Next(50) == 0;
                network.Enqueue((i, isOut), at);
                if (random.Next(100) < 10)
                {
                    network.Enqueue((i, isOut), at + random.Next(30_000));
                }
            }
        }
        long start = _now.Micros;
        while (network.TryDequeue(out (int Sequence, bool Out) packet, out long at))
        {
            MonoTime arrival = new(start + at);
            while (_sequencer.NextDeadline < arrival)
            {
                _now = _sequencer.NextDeadline;
                Drain();
            }
            _now = arrival;
            _ = packet.Out ? TakeOut(packet.Sequence, packet.Sequence * 160) : Push(packet.Sequence, packet.Sequence * 160);
        }
        _now = _now.AddMillis(100);
        Drain();
        for (int i = 1; i < _sent.Count; i++)
        {
            int step = (ushort)(_sent[i].Out - _sent[i - 1].Out);
            uint ticks = _sent[i].Timestamp - _sent[i - 1].Timestamp;
            Assert.InRange(step, 1, 10);
            Assert.True(ticks >= step * 160, $"seed {seed}: {ticks} ticks in {step} steps");
            Assert.True(ticks > 0 && ticks % 160 == 0);
        }
        Assert.True(_sent.Count > 17_500);
        Assert.Equal(_slab.Slots, _slab.Available);
    }

    [Fact]
    public void Disposing_gives_every_held_packet_back()
    {
        Push(0, 0);
        Push(2, 0);
        Push(5, 0);
        _sequencer.Dispose();
        Assert.Equal(_slab.Slots, _slab.Available);
    }

    public void Dispose()
    {
        _sequencer.Dispose();
        _slab.Dispose();
    }

    private void Step() => _now = _now.AddMillis(20);

    private PassthroughVerdict Push(int sequence, int timestamp)
    {
        byte[] packet = Make(sequence, timestamp);
        Assert.True(RtpView.TryParse(packet, out RtpView view, out _));
        PassthroughVerdict verdict = _sequencer.Push(view, _now, out RtpHeader forward);
        if (verdict is PassthroughVerdict.Forward or PassthroughVerdict.ForwardRestarted)
        {
            _sent.Add((forward.SequenceNumber, forward.Timestamp, view.Payload[0], forward.Marker, _now.Micros));
        }
        Drain();
        return verdict;
    }

    private PassthroughVerdict TakeOut(int sequence, int timestamp)
    {
        byte[] packet = Make(sequence, timestamp);
        Assert.True(RtpView.TryParse(packet, out RtpView view, out _));
        PassthroughVerdict verdict = _sequencer.TakeOut(view, _now);
        Drain();
        return verdict;
    }

    private void Drain()
    {
        while (_sequencer.TryPoll(_now, _buffer, out int length, out RtpHeader forward))
        {
            Assert.Equal(1, length);
            _sent.Add((forward.SequenceNumber, forward.Timestamp, _buffer[0], forward.Marker, _now.Micros));
        }
    }

    private byte[] Make(int sequence, int timestamp)
    {
        byte[] packet = new byte[13];
        RtpWriter.Write(packet, new RtpHeader(0, false, (ushort)sequence, (uint)timestamp, _ssrc), [(byte)sequence]);
        return packet;
    }

    private void AssertNumbers(IEnumerable<int> offsets) =>
        Assert.Equal(offsets.Select(offset => (int)(ushort)(65_530 + offset)), _sent.Select(one => one.Out));
}
