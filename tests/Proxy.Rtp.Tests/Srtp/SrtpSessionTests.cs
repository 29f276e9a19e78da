using System;
using Proxy.Core.Memory;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Srtp;
using Xunit;

namespace Proxy.Rtp.Tests.Srtp;

public sealed class SrtpSessionTests : IDisposable
{
    private readonly SrtpSession _sender;
    private readonly SrtpSession _receiver;

    public SrtpSessionTests()
    {
        (_sender, _receiver) = Pair(SrtpProfile.AesCm128HmacSha1_80);
    }

    [Theory]
    [InlineData(SrtpProfile.AesCm128HmacSha1_80)]
    [InlineData(SrtpProfile.AesCm128HmacSha1_32)]
    [InlineData(SrtpProfile.AesCm256HmacSha1_80)]
    [InlineData(SrtpProfile.AeadAes128Gcm)]
    [InlineData(SrtpProfile.AeadAes256Gcm)]
    public void Any_changed_byte_is_noticed_and_changes_no_state(SrtpProfile profile)
    {
        (SrtpSession sender, SrtpSession receiver) = Pair(profile);
        using (sender)
        using (receiver)
        {
            byte[] wire = Protect(sender, 7, 10);
            for (int i = 1; i < wire.Length; i++)
            {
                byte[] forged = (byte[])wire.Clone();
                forged[i] ^= 0x01;
                Assert.Equal(SrtpVerdict.AuthFailed, receiver.UnprotectRtp(forged, out int none));
                Assert.Equal(0, none);
            }
            Assert.Equal(SrtpVerdict.Ok, receiver.UnprotectRtp(wire, out _));
            byte[] report = ProtectReport(sender);
            for (int i = 1; i < report.Length; i++)
            {
                byte[] forged = (byte[])report.Clone();
                forged[i] ^= 0x01;
                Assert.NotEqual(SrtpVerdict.Ok, receiver.UnprotectRtcp(forged, out _));
            }
            Assert.Equal(SrtpVerdict.Ok, receiver.UnprotectRtcp((byte[])report.Clone(), out _));
            Assert.Equal(SrtpVerdict.Replayed, receiver.UnprotectRtcp(report, out _));
        }
    }

    [Fact]
    public void A_replay_is_refused_now_later_and_beyond_the_window()
    {
        byte[] first = Protect(_sender, 7, 1);
        Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp((byte[])first.Clone(), out _));
        Assert.Equal(SrtpVerdict.Replayed, _receiver.UnprotectRtp((byte[])first.Clone(), out _));
        for (int sequence = 2; sequence <= 128; sequence++)
        {
            Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp(Protect(_sender, 7, sequence), out _));
        }
        Assert.Equal(SrtpVerdict.Replayed, _receiver.UnprotectRtp((byte[])first.Clone(), out _));
        Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp(Protect(_sender, 7, 129), out _));
        Assert.Equal(SrtpVerdict.TooOld, _receiver.UnprotectRtp((byte[])first.Clone(), out _));
    }

    [Fact]
    public void Reordered_packets_inside_the_window_are_accepted_once()
    {
        byte[][] wires = new byte[128][];
        for (int i = 0; i < wires.Length; i++)
        {
            wires[i] = Protect(_sender, 7, 100 + i);
        }
        for (int i = wires.Length - 1; i >= 0; i--)
        {
            Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp((byte[])wires[i].Clone(), out _));
            Assert.Equal(SrtpVerdict.Replayed, _receiver.UnprotectRtp((byte[])wires[i].Clone(), out _));
        }
    }

    [Fact]
    public void The_rollover_counter_follows_five_wraps_with_loss_and_reordering()
    {
        SeededRandom random = new(4711);
        byte[]? late = null;
        for (int sequence = 65_000; sequence < 65_536 * 6; sequence++)
        {
            byte[] wire = Protect(_sender, 7, sequence);
            if (late is not null)
            {
                Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp(wire, out _));
                Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp(late, out _));
                late = null;
                continue;
            }
            int fate = random.Next(20);
            if (fate == 0)
            {
                continue;
            }
            if (fate == 1)
            {
                late = wire;
                continue;
            }
            Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp(wire, out _));
        }
    }

    [Fact]
    public void Replays_of_before_a_wrap_are_refused_after_it()
    {
        byte[] before = Protect(_sender, 7, 65_535);
        Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp((byte[])before.Clone(), out _));
        Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp(Protect(_sender, 7, 65_536), out _));
        Assert.Equal(SrtpVerdict.Replayed, _receiver.UnprotectRtp((byte[])before.Clone(), out _));
        for (int sequence = 65_537; sequence < 66_000; sequence++)
        {
            _receiver.UnprotectRtp(Protect(_sender, 7, sequence), out _);
        }
        Assert.Equal(SrtpVerdict.TooOld, _receiver.UnprotectRtp(before, out _));
    }

    [Fact]
    public void A_flood_of_forged_sources_takes_no_place()
    {
        SeededRandom random = new(1);
        byte[] forged = new byte[60];
        for (int i = 0; i < 10_000; i++)
        {
            random.Fill(forged);
            forged[0] = 0x80;
            Assert.Equal(SrtpVerdict.AuthFailed, _receiver.UnprotectRtp(forged, out _));
        }
        for (uint ssrc = 1; ssrc <= SrtpSession.MaxReceiveSources; ssrc++)
        {
            Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp(Protect(_sender, ssrc, 1), out _));
        }
    }

    [Fact]
    public void A_seventeenth_source_waits_until_one_has_been_silent_for_long()
    {
        for (uint ssrc = 1; ssrc <= SrtpSession.MaxReceiveSources; ssrc++)
        {
            Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp(Protect(_sender, ssrc, 1), out _));
        }
        Assert.Equal(SrtpVerdict.TooManySources, _receiver.UnprotectRtp(Protect(_sender, 99, 1), out _));
        for (int i = 0; i < 1100; i++)
        {
            uint ssrc = (uint)(2 + (i % (SrtpSession.MaxReceiveSources - 1)));
            Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp(Protect(_sender, ssrc, 2 + i), out _));
        }
        Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp(Protect(_sender, 99, 2), out _));
        Assert.Equal(SrtpVerdict.Ok, _receiver.UnprotectRtp(Protect(_sender, 2, 2000), out _));
    }

    [Fact]
    public void The_same_index_is_never_protected_twice()
    {
        Protect(_sender, 7, 5);
        byte[] buffer = Packet(7, 5);
        Assert.Equal(0, _sender.ProtectRtp(buffer, buffer.Length - SrtpSession.MaxOverheadBytes));
    }

    [Fact]
    public void The_last_index_is_protected_and_none_behind_it()
    {
        _sender.SeedForTest(7, (1UL << 48) - 2, 0x7FFF_FFFF);
        byte[] buffer = Packet(7, 0xFFFF);
        Assert.NotEqual(0, _sender.ProtectRtp(buffer, 172));
        buffer = Packet(7, 0);
        Assert.Equal(0, _sender.ProtectRtp(buffer, 172));
        Assert.NotEmpty(ProtectReport(_sender));
        Assert.Empty(ProtectReport(_sender));
    }

    [Theory]
    [InlineData(SrtpProfile.AesCm128HmacSha1_80)]
    [InlineData(SrtpProfile.AeadAes128Gcm)]
    public void Any_bytes_are_refused_without_an_exception(SrtpProfile profile)
    {
        (SrtpSession sender, SrtpSession receiver) = Pair(profile);
        using (sender)
        using (receiver)
        {
            SeededRandom random = new(99);
            for (int i = 0; i < 20_000; i++)
            {
                byte[] noise = new byte[random.Next(80)];
                random.Fill(noise);
                if (noise.Length > 0 && (i & 1) == 0)
                {
                    noise[0] = (byte)(0x80 | (noise[0] & 0x3F));
                }
                Assert.NotEqual(SrtpVerdict.Ok, receiver.UnprotectRtp(noise, out _));
                Assert.NotEqual(SrtpVerdict.Ok, receiver.UnprotectRtcp(noise, out _));
                sender.ProtectRtp(noise, random.Next(noise.Length + 1));
                sender.ProtectRtcp(noise, random.Next(noise.Length + 1));
            }
        }
    }

    [Fact]
    public void Keys_of_a_wrong_length_are_refused() =>
        Assert.Throws<ArgumentException>(() => new SrtpSession(SrtpProfile.AeadAes256Gcm, new byte[30], new byte[44]));

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }

    internal static (SrtpSession Sender, SrtpSession Receiver) Pair(SrtpProfile profile)
    {
        SeededRandom random = new((ulong)profile + 1);
        byte[] a = new byte[SrtpParameters.Of(profile).KeyAndSaltBytes];
        byte[] b = new byte[a.Length];
        random.Fill(a);
        random.Fill(b);
        return (new SrtpSession(profile, a, b), new SrtpSession(profile, b, a));
    }

    internal static byte[] Packet(uint ssrc, int sequence)
    {
        byte[] buffer = new byte[172 + SrtpSession.MaxOverheadBytes];
        Span<byte> payload = stackalloc byte[160];
        payload.Fill((byte)sequence);
        RtpWriter.Write(buffer, new RtpHeader(0, false, (ushort)sequence, (uint)(sequence * 160), ssrc), payload);
        return buffer;
    }

    private static byte[] Protect(SrtpSession session, uint ssrc, int sequence)
    {
        byte[] buffer = Packet(ssrc, sequence);
        int length = session.ProtectRtp(buffer, 172);
        Assert.NotEqual(0, length);
        return buffer[..length];
    }

    private static byte[] ProtectReport(SrtpSession session)
    {
        byte[] buffer = new byte[28 + SrtpSession.MaxOverheadBytes];
        buffer[0] = 0x80;
        buffer[1] = 200;
        buffer[3] = 6;
        buffer[7] = 7;
        return buffer[..session.ProtectRtcp(buffer, 28)];
    }
}
