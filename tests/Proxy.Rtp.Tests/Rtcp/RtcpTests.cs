using System;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Rtcp;
using Xunit;

namespace Proxy.Rtp.Tests.Rtcp;

public sealed class RtcpTests
{
    [Fact]
    public void A_sender_report_with_description_and_goodbye_is_read_back()
    {
        byte[] datagram = new byte[256];
        SenderInfo info = new(0x0102_0304_0506_0708, 9, 10, 11);
        ReportBlock block = new(7, 128, -5, 70_000, 33, 44, 55);
        int length = RtcpWriter.WriteReport(datagram, 0xAA, info, [block, block with { CumulativeLost = 0x7F_FFFF }], "abc"u8);
        length += RtcpWriter.WriteBye(datagram.AsSpan(length), 0xAA);
        Assert.True(RtcpView.TryParse(datagram.AsSpan(0, length), out RtcpView view, out _));

        Assert.True(view.TryNext(out RtcpPacket report));
        Assert.Equal(RtcpType.SenderReport, report.Type);
        Assert.Equal(0xAAu, report.SenderSsrc);
        Assert.True(report.TryGetSenderInfo(out SenderInfo read));
        Assert.Equal(info, read);
        Assert.Equal(2, report.ReportCount);
        Assert.Equal(block, report.Report(0));
        Assert.Equal(0x7F_FFFF, report.Report(1).CumulativeLost);

        Assert.True(view.TryNext(out RtcpPacket description));
        Assert.Equal(RtcpType.SourceDescription, description.Type);
        Assert.Equal("000000aa0103616263000000", Convert.ToHexStringLower(description.Body));

        Assert.True(view.TryNext(out RtcpPacket bye));
        Assert.Equal(1, bye.ByeCount);
        Assert.Equal(0xAAu, bye.ByeSsrc(0));
        Assert.False(view.TryNext(out _));
    }

    [Fact]
    public void A_receiver_report_without_blocks_is_read_back()
    {
        byte[] datagram = new byte[64];
        int length = RtcpWriter.WriteReport(datagram, 1, null, default, "x"u8);
        Assert.True(RtcpView.TryParse(datagram.AsSpan(0, length), out RtcpView view, out _));
        Assert.True(view.TryNext(out RtcpPacket report));
        Assert.False(report.TryGetSenderInfo(out _));
        Assert.Equal(0, report.ReportCount);
        Assert.Equal(0, RtcpWriter.WriteReport(new byte[12], 1, null, default, "x"u8));
        Assert.Equal(0, RtcpWriter.WriteReport(datagram, 1, null, default, default));
    }

    [Theory]
    [InlineData("80c8", RtcpError.TooShort)]
    [InlineData("80c80001", RtcpError.BadLength)]
    [InlineData("9fc8000600000001000000000000000000000000000000000000", RtcpError.BadLength)]
    [InlineData("81cb0000", RtcpError.BadLength)]
    [InlineData("80000000", RtcpError.BadType)]
    [InlineData("80c90001000000010000", RtcpError.BadLength)]
    [InlineData("80c9000100000001c0c90000", RtcpError.BadVersion)]
    public void Reports_that_lie_are_refused(string hex, RtcpError expected)
    {
        Assert.False(RtcpView.TryParse(Convert.FromHexString(hex), out _, out RtcpError error));
        Assert.Equal(expected, error);
    }

    [Fact]
    public void A_datagram_full_of_empty_packets_is_refused()
    {
        byte[] datagram = new byte[1500];
        for (int i = 0; i < datagram.Length; i += 4)
        {
            datagram[i] = 0x80;
            datagram[i + 1] = 207;
        }
        Assert.False(RtcpView.TryParse(datagram, out _, out RtcpError error));
        Assert.Equal(RtcpError.TooMany, error);
    }

    [Fact]
    public void Any_bytes_are_parsed_without_an_exception()
    {
        SeededRandom random = new(23);
        for (int i = 0; i < 100_000; i++)
        {
            byte[] noise = new byte[random.Next(30) * 4];
            random.Fill(noise);
            for (int at = 0; at + 4 <= noise.Length; at += 4 * (1 + random.Next(8)))
            {
                noise[at] = (byte)(0x80 | (noise[at] & 0x3F));
                noise[at + 1] = (byte)(200 + random.Next(8));
                noise[at + 2] = 0;
                noise[at + 3] = (byte)random.Next(16);
            }
            if (!RtcpView.TryParse(noise, out RtcpView view, out _))
            {
                continue;
            }
            while (view.TryNext(out RtcpPacket packet))
            {
                packet.TryGetSenderInfo(out _);
                for (int k = 0; k < packet.ReportCount; k++)
                {
                    packet.Report(k);
                }
                for (int k = 0; k < packet.ByeCount; k++)
                {
                    packet.ByeSsrc(k);
                }
            }
        }
    }

    [Fact]
    public void Loss_is_counted_over_a_wrap_and_by_interval()
    {
        ReceiveStatistics statistics = new(8000);
        MonoTime now = MonoTime.FromMillis(1000);
        for (int i = 0; i < 100; i++)
        {
            now = now.AddMillis(20);
            if (i % 4 != 3)
            {
                statistics.OnPacket(7, (ushort)(65_500 + i), (uint)(i * 160), now);
            }
        }
        ReportBlock report = statistics.MakeReport(now);
        Assert.Equal(99, statistics.Expected);
        Assert.Equal(24, statistics.Lost);
        Assert.Equal(24 * 256 / 99, report.FractionLost);
        Assert.Equal(65_536u + 62, report.HighestSequence);
        Assert.Equal(0, report.LastSenderReport == 0 ? 0 : 1);
        for (int i = 100; i < 200; i++)
        {
            now = now.AddMillis(20);
            statistics.OnPacket(7, (ushort)(65_500 + i), (uint)(i * 160), now);
        }
        report = statistics.MakeReport(now);
        Assert.InRange(report.FractionLost, 0, 3);
        Assert.Equal(25, report.CumulativeLost);
        Assert.InRange(statistics.JitterMs, 0, 0.5);
    }

    [Fact]
    public void Jitter_of_alternating_ten_milliseconds_comes_near_ten()
    {
        ReceiveStatistics statistics = new(8000);
        MonoTime start = MonoTime.FromMillis(1000);
        for (int i = 0; i < 500; i++)
        {
            statistics.OnPacket(7, (ushort)i, (uint)(i * 160), start.AddMillis((i * 20) + (i % 2 * 10)));
        }
        Assert.InRange(statistics.JitterMs, 9, 10.5);
    }

    [Fact]
    public void Duplicates_make_the_loss_negative_and_another_source_keeps_the_totals()
    {
        ReceiveStatistics statistics = new(8000);
        for (int i = 0; i < 10; i++)
        {
            statistics.OnPacket(7, (ushort)i, (uint)(i * 160), MonoTime.FromMillis(i * 20));
            statistics.OnPacket(7, (ushort)i, (uint)(i * 160), MonoTime.FromMillis(i * 20));
        }
        Assert.Equal(-10, statistics.Lost);
        Assert.Equal(0, statistics.MakeReport(MonoTime.FromMillis(300)).FractionLost);
        statistics.OnPacket(8, 40_000, 1, MonoTime.FromMillis(400));
        Assert.Equal(21, statistics.Received);
        Assert.Equal(11, statistics.Expected);
        Assert.Equal(8u, statistics.MakeReport(MonoTime.FromMillis(500)).Ssrc);
    }

    [Fact]
    public void The_round_trip_is_measured_without_the_receivers_delay()
    {
        SendStatistics sender = new(8000);
        ReceiveStatistics receiver = new(8000);
        MonoTime now = MonoTime.FromMillis(5_000);
        sender.OnPacket(1600, 160, now);
        SenderInfo info = sender.MakeSenderInfo(now.AddMillis(10));
        Assert.Equal(1680u, info.RtpTimestamp);
        Assert.Equal(1u, info.Packets);
        Assert.Equal(160u, info.Octets);
        receiver.OnPacket(1, 1, 1600, now);
        receiver.OnSenderReport(info, now.AddMillis(40));
        ReportBlock block = receiver.MakeReport(now.AddMillis(140));
        sender.OnReport(block, now.AddMillis(170));
        Assert.InRange(sender.RoundTripMs, 59.5, 60.5);
        sender.OnReport(block with { DelaySinceLast = uint.MaxValue / 2 }, now.AddMillis(170));
        Assert.InRange(sender.RoundTripMs, 59.5, 60.5);
    }
}
