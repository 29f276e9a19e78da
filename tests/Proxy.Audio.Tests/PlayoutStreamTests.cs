using System;
using System.Collections.Generic;
using Proxy.Audio.Codecs;
using Proxy.Audio.Tones;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Jitter;
using Proxy.Rtp.Packets;
using Xunit;

namespace Proxy.Audio.Tests;

public sealed class PlayoutStreamTests
{
    [Theory]
    [InlineData(10)]
    [InlineData(20)]
    [InlineData(30)]
    [InlineData(40)]
    [InlineData(60)]
    [InlineData(120)]
    public void Any_packet_time_gives_an_unbroken_tone(int ptimeMs)
    {
        using Line line = new(G711Law.Mu) { PtimeMs = ptimeMs };
        short[] heard = line.Run(seconds: 6);
        line.AssertTone(heard.AsSpan(8000), maxGapMs: 5);
        Assert.Equal(0, line.Stream.Jitter.LostCount);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Jitter_loss_reordering_and_duplicates_leave_a_bounded_delay(ulong seed)
    {
        using Line line = new(G711Law.A) { Seed = seed, JitterMs = 120, LossPercent = 2, DuplicatePercent = 10 };
        short[] heard = line.Run(seconds: 60);
        line.AssertTone(heard.AsSpan(8000 * 5), maxGapMs: 60);
        Assert.InRange(line.MaxDelayMs, 20, 250);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(-500)]
    public void A_clock_that_is_wrong_for_an_hour_adds_no_delay(int ppm)
    {
        using Line line = new(G711Law.Mu) { SkewPpm = ppm, KeepsSamples = false };
        line.Run(seconds: 3600);
        Assert.InRange(line.MaxDelayMs, 5, 100);
        Assert.InRange(line.DelayMs, 5, 80);
        Assert.True(line.Concealed <= 5, $"concealed {line.Concealed}");
        Assert.Equal(0, line.Stream.Jitter.Overflowed);
    }

    [Fact]
    public void Three_seconds_of_duplicates_add_no_delay()
    {
        using Line line = new(G711Law.Mu);
        line.Run(seconds: 3);
        double before = line.DelayMs;
        line.DuplicatePercent = 100;
        line.Run(seconds: 3);
        line.DuplicatePercent = 0;
        short[] heard = line.Run(seconds: 3);
        Assert.InRange(line.DelayMs, before - 10, before + 10);
        line.AssertTone(heard, maxGapMs: 5);
    }

    [Fact]
    public void A_foreign_source_is_not_heard_and_adds_no_delay()
    {
        using Line line = new(G711Law.Mu);
        line.Run(seconds: 3);
        double before = line.DelayMs;
        line.InjectsForeign = true;
        short[] heard = line.Run(seconds: 2);
        line.InjectsForeign = false;
        Assert.True(line.Verdicts[PushVerdict.Foreign] > 90);
        Assert.InRange(line.DelayMs, before - 10, before + 10);
        line.AssertTone(heard, maxGapMs: 5);
        Assert.True(Goertzel.LevelDbfs(heard, 2000) < -50);
    }

    [Theory]
    [InlineData(2.0)]
    [InlineData(0.5)]
    [InlineData(6.0)]
    public void Timestamps_in_a_wrong_clock_add_no_delay(double factor)
    {
        using Line line = new(G711Law.Mu) { TimestampFactor = factor };
        line.Run(seconds: 10);
        short[] heard = line.Run(seconds: 5);
        Assert.InRange(line.DelayMs, 15, 120);
        line.AssertTone(heard, maxGapMs: 5);
    }

    [Fact]
    public void A_stall_of_two_seconds_is_thrown_away_and_not_kept_as_delay()
    {
        using Line line = new(G711Law.Mu);
        line.Run(seconds: 3);
        line.StallMs(2000);
        line.Run(seconds: 1);
        Assert.True(line.DelayMs <= 230, $"{line.DelayMs} ms");
        line.Run(seconds: 16);
        Assert.InRange(line.DelayMs, 15, 80);
    }

    [Fact]
    public void Stalls_of_a_busy_publisher_are_heard_once_and_then_bridged()
    {
        using Line line = new(G711Law.Mu);
        line.Run(seconds: 3);
        line.StallMs(154);
        line.AssertTone(line.Run(seconds: 2), maxGapMs: 80);
        for (int i = 0; i < 5; i++)
        {
            line.StallMs(154);
            line.AssertTone(line.Run(seconds: 3), maxGapMs: 20);
        }
        Assert.InRange(line.DelayMs, 20, 200);
    }

    [Fact]
    public void Another_source_takes_over_within_three_packets()
    {
        using Line line = new(G711Law.Mu);
        line.Run(seconds: 2);
        line.ChangeSource();
        short[] heard = line.Run(seconds: 2);
        Assert.Equal(2, line.Verdicts[PushVerdict.Foreign]);
        line.AssertTone(heard, maxGapMs: 110);
        line.AssertTone(heard.AsSpan(8000), maxGapMs: 5);
    }

    [Theory]
    [InlineData(32_768, 0)]
    [InlineData(-20_000, 0)]
    [InlineData(0, 900_000)]
    [InlineData(0, -900_000)]
    [InlineData(-30, -4800)]
    public void A_jump_in_the_numbering_is_followed(int sequences, int ticks)
    {
        using Line line = new(G711Law.Mu);
        line.Run(seconds: 2);
        line.Jump(sequences, ticks);
        short[] heard = line.Run(seconds: 3);
        line.AssertTone(heard.AsSpan(8000), maxGapMs: 5);
        Assert.InRange(line.DelayMs, 15, 120);
    }

    [Fact]
    public void A_pause_is_silence_and_the_delay_after_it_is_the_same()
    {
        using Line line = new(G711Law.Mu);
        line.Run(seconds: 3);
        double before = line.DelayMs;
        line.PauseMs(400);
        line.Run(seconds: 1);
        Assert.InRange(line.DelayMs, before - 21, before + 21);
        line.PauseMs(5000);
        line.Run(seconds: 1);
        Assert.InRange(line.DelayMs, before - 21, before + 21);
        Assert.Equal(0, line.Stream.Jitter.LostCount);
    }

    [Fact]
    public void A_lost_packet_in_a_tone_is_hardly_heard()
    {
        using Line line = new(G711Law.Mu) { LossPercent = 5, Seed = 9 };
        short[] heard = line.Run(seconds: 20);
        line.AssertTone(heard.AsSpan(8000), maxGapMs: 40);
        Assert.True(line.Stream.ConcealedFrames > 20);
    }

    [Fact]
    public void Opus_from_the_room_keeps_frequency_and_level()
    {
        using Line line = new(G711Law.Mu) { Opus = new OpusCodec(new OpusOptions(), CodecUse.Both) };
        short[] heard = line.Run(seconds: 6);
        line.AssertTone(heard.AsSpan(8000), maxGapMs: 10);
    }

    [Fact]
    public void A_codec_change_in_the_middle_is_followed()
    {
        using Line line = new(G711Law.Mu);
        line.Run(seconds: 2);
        line.Law = G711Law.A;
        short[] heard = line.Run(seconds: 2);
        line.AssertTone(heard, maxGapMs: 5);
    }

    [Fact]
    public void Unknown_payload_types_and_bad_payloads_are_refused()
    {
        using Line line = new(G711Law.Mu);
        byte[] packet = new byte[13];
        RtpWriter.Write(packet, new RtpHeader(77, false, 1, 1, 1), default);
        RtpView.TryParse(packet.AsSpan(0, 12), out RtpView view, out _);
        Assert.Equal(PushVerdict.UnknownPayload, line.Stream.Push(view, MonoTime.FromMillis(1)));
        byte[] large = new byte[1300];
        int length = RtpWriter.Write(large, new RtpHeader(0, false, 1, 1, 1), new byte[1200]);
        RtpView.TryParse(large.AsSpan(0, length), out view, out _);
        Assert.Equal(PushVerdict.Malformed, line.Stream.Push(view, MonoTime.FromMillis(1)));
    }

    [Fact]
    public void Every_slot_of_the_slab_comes_back()
    {
        Line line = new(G711Law.Mu) { JitterMs = 100, LossPercent = 10, DuplicatePercent = 10 };
        line.Run(seconds: 30);
        line.Dispose();
        Assert.Equal(line.Slab.Slots, line.Slab.Available);
    }

    /// <summary>A sender of a 440 Hz tone, a network and a receiver on the 20 ms grid, in virtual time.</summary>
    private sealed class Line : IDisposable
    {
        private const double Hz = 440;
        private readonly PriorityQueue<byte[], long> _network = new();
        private readonly SineWave _sine = new(Hz, -10);
        private readonly SineWave _foreign = new(2000, -10);
        private SeededRandom _random = new(1);
        private long _now = 1_000_000;
        private double _nextSend = 1_007_000;
        private ushort _sequence = 65_000;
        private double _timestamp = 4_294_900_000;
        private uint _ssrc = 1;
        private ushort _foreignSequence;
        private long _stalledUntil;

        public Line(G711Law law)
        {
            Law = law;
            Slab = new PacketSlab(64, 1500);
            Stream = new PlayoutStream(new Limits(), Slab);
            Stream.SetCodec(0, new G711Codec(G711Law.Mu));
            Stream.SetCodec(8, new G711Codec(G711Law.A));
        }

        public PacketSlab Slab { get; }

        public PlayoutStream Stream { get; }

        public G711Law Law { get; set; }

        public OpusCodec? Opus { get; init; }

        public ulong Seed { init => _random = new SeededRandom(value); }

        public int PtimeMs { get; init; } = 20;

        public int JitterMs { get; init; }

        public int LossPercent { get; init; }

        public int DuplicatePercent { get; set; }

        public int SkewPpm { get; init; }

        public bool KeepsSamples { get; init; } = true;

        public double TimestampFactor { get; init; } = 1;

        public bool InjectsForeign { get; set; }

        public Dictionary<PushVerdict, int> Verdicts { get; } = [];

        public int Concealed { get; private set; }

        public double MaxDelayMs { get; private set; }

        /// <summary>How long packets wait here in the mean, and what is waiting to be decoded.</summary>
        public double DelayMs => Math.Max(Stream.Jitter.DepthMs, Stream.Jitter.BufferedMs);

        public short[] Run(int seconds)
        {
            short[] heard = new short[KeepsSamples ? seconds * 8000 : 160];
            long start = _now;
            for (int frame = 0; frame < seconds * 50; frame++)
            {
                long tick = start + (frame * 20_000L);
                SendUntil(tick);
                Deliver(tick);
                Span<short> pcm = heard.AsSpan(KeepsSamples ? frame * 160 : 0, 160);
                PullResult result = Stream.Pull(pcm, new MonoTime(tick));
                Concealed += result == PullResult.Concealed ? 1 : 0;
                if (frame > 50)
                {
                    MaxDelayMs = Math.Max(MaxDelayMs, DelayMs);
                }
            }
            _now = start + (seconds * 1_000_000L);
            return heard;
        }

        public void AssertTone(ReadOnlySpan<short> heard, double maxGapMs)
        {
            double gap = ToneGaps.LongestMs(heard, Hz, -16);
            Assert.True(gap <= maxGapMs, $"{gap} ms without the tone");
            double level = Goertzel.LevelDbfs(heard.Slice(heard.Length / 2, 800), Hz);
            Assert.InRange(level, -13, -8);
        }

        public void StallMs(int milliseconds) => _stalledUntil = _now + (milliseconds * 1000L);

        public void PauseMs(int milliseconds)
        {
            _nextSend += milliseconds * 1000L;
            _timestamp = (_timestamp + (milliseconds * 8 * TimestampFactor)) % 4_294_967_296;
        }

        public void ChangeSource()
        {
            _ssrc++;
            _sequence += 12_345;
            _timestamp = (_timestamp + 1_000_000) % 4_294_967_296;
        }

        public void Jump(int sequences, int ticks)
        {
            _sequence = (ushort)(_sequence + sequences);
            _timestamp = (_timestamp + ticks + 4_294_967_296) % 4_294_967_296;
        }

        public void Dispose()
        {
            Stream.Dispose();
            Opus?.Dispose();
        }

        private void SendUntil(long tick)
        {
            while (_nextSend <= tick)
            {
                byte[] packet = MakePacket();
                long sent = Math.Max((long)_nextSend, _stalledUntil);
                if (_random.Next(100) >= LossPercent)
                {
                    _network.Enqueue(packet, sent + Jitter());
                    if (_random.Next(100) < DuplicatePercent)
                    {
                        _network.Enqueue(packet, sent + Jitter() + 500);
                    }
                }
                if (InjectsForeign)
                {
                    _network.Enqueue(MakeForeign(), sent + 7_000);
                }
                _nextSend += PtimeMs * 1000 / (1 + (SkewPpm / 1e6));
            }
        }

        private long Jitter() => JitterMs == 0 ? 0 : _random.Next(JitterMs * 1000);

        private void Deliver(long tick)
        {
            while (_network.TryPeek(out byte[]? packet, out long at) && at <= tick)
            {
                _network.Dequeue();
                Assert.True(RtpView.TryParse(packet, out RtpView view, out _));
                PushVerdict verdict = Stream.Push(view, new MonoTime(at));
                Verdicts[verdict] = Verdicts.GetValueOrDefault(verdict) + 1;
            }
        }

        private byte[] MakePacket()
        {
            short[] pcm = new short[PtimeMs * 8];
            _sine.Fill(pcm);
            byte[] payload = new byte[1275];
            int length;
            byte type = (byte)(Law == G711Law.Mu ? 0 : 8);
            double ticks = PtimeMs * 8 * TimestampFactor;
            if (Opus is not null)
            {
                Stream.SetCodec(111, Opus);
                type = 111;
                ticks *= 6;
                length = Opus.Encode(pcm, payload);
            }
            else
            {
                using G711Codec codec = new(Law);
                length = codec.Encode(pcm, payload);
            }
            byte[] packet = new byte[length + 12];
            RtpWriter.Write(packet, new RtpHeader(type, false, _sequence++, (uint)(ulong)_timestamp, _ssrc), payload.AsSpan(0, length));
            _timestamp = (_timestamp + ticks) % 4_294_967_296;
            return packet;
        }

        private byte[] MakeForeign()
        {
            short[] pcm = new short[160];
            _foreign.Fill(pcm);
            byte[] packet = new byte[172];
            using G711Codec codec = new(G711Law.Mu);
            codec.Encode(pcm, packet.AsSpan(12));
            RtpWriter.WriteHeader(packet, new RtpHeader(0, false, _foreignSequence++, (uint)(_foreignSequence * 160), 0xBAD));
            return packet;
        }
    }
}
