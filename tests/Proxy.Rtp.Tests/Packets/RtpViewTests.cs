using System;
using Proxy.Core.Memory;
using Proxy.Rtp.Packets;
using Xunit;

namespace Proxy.Rtp.Tests.Packets;

public sealed class RtpViewTests
{
    [Fact]
    public void What_is_written_is_read_back()
    {
        byte[] packet = new byte[64];
        RtpHeader header = new(111, true, 65_535, 4_000_000_000, 0xDEADBEEF);
        int length = RtpWriter.Write(packet, header, [1, 2, 3], audioLevelId: 1, audioLevel: 30);
        Assert.Equal(23, length);
        Assert.True(RtpView.TryParse(packet.AsSpan(0, length), out RtpView view, out _));
        Assert.Equal(header, view.Header);
        Assert.Equal([1, 2, 3], view.Payload.ToArray());
        Assert.True(view.TryGetExtension(1, out ReadOnlySpan<byte> level));
        Assert.Equal([0x80 | 30], level.ToArray());
        Assert.False(view.TryGetExtension(2, out _));
        Assert.Equal(0, RtpWriter.Write(new byte[22], header, [1, 2, 3], 1, 30));
    }

    [Fact]
    public void A_header_is_put_in_front_of_a_payload_that_is_there()
    {
        byte[] packet = new byte[20];
        packet[12] = 9;
        Assert.Equal(12, RtpWriter.WriteHeader(packet, new RtpHeader(0, false, 1, 2, 3)));
        Assert.True(RtpView.TryParse(packet.AsSpan(0, 13), out RtpView view, out _));
        Assert.Equal([9], view.Payload.ToArray());
        Assert.True(RtpWriter.Patch(packet, new RtpHeader(8, true, 7, 8, 9)));
        Assert.True(RtpView.TryParse(packet.AsSpan(0, 13), out view, out _));
        Assert.Equal(new RtpHeader(8, true, 7, 8, 9), view.Header);
    }

    [Theory]
    [InlineData("80000001000000a01122334", RtpError.TooShort)]
    [InlineData("40000001000000a011223344", RtpError.BadVersion)]
    [InlineData("8f000001000000a01122334400000000", RtpError.BadCsrc)]
    [InlineData("90000001000000a011223344bede", RtpError.BadExtension)]
    [InlineData("90000001000000a011223344bedeffff00000000", RtpError.BadExtension)]
    [InlineData("a0000001000000a0112233440102", RtpError.None)]
    [InlineData("a0000001000000a01122334401ff", RtpError.BadPadding)]
    [InlineData("a0000001000000a0112233440100", RtpError.BadPadding)]
    [InlineData("a0000001000000a011223344", RtpError.BadPadding)]
    public void Headers_that_lie_are_refused(string hex, RtpError expected)
    {
        byte[] packet = Convert.FromHexString(hex.Length % 2 == 0 ? hex : hex[..^1]);
        Assert.Equal(expected == RtpError.None, RtpView.TryParse(packet, out _, out RtpError error));
        Assert.Equal(expected, error);
    }

    [Fact]
    public void Two_byte_extensions_and_padding_bytes_are_read()
    {
        byte[] packet = Convert.FromHexString("90000001000000a011223344" + "10000003" + "00" + "0500" + "2003aabbcc" + "0701ff00" + "55");
        Assert.True(RtpView.TryParse(packet, out RtpView view, out _));
        Assert.True(view.TryGetExtension(5, out ReadOnlySpan<byte> empty));
        Assert.True(empty.IsEmpty);
        Assert.True(view.TryGetExtension(32, out ReadOnlySpan<byte> three));
        Assert.Equal([0xAA, 0xBB, 0xCC], three.ToArray());
        Assert.True(view.TryGetExtension(7, out _));
        Assert.Equal([0x55], view.Payload.ToArray());
    }

    [Fact]
    public void Any_bytes_are_parsed_without_an_exception()
    {
        SeededRandom random = new(17);
        for (int i = 0; i < 100_000; i++)
        {
            byte[] noise = new byte[random.Next(48)];
            random.Fill(noise);
            if (noise.Length > 0)
            {
                noise[0] = (byte)(0x80 | (noise[0] & 0x3F));
            }
            if (noise.Length > 16 && (i & 1) == 0)
            {
                noise[12] = 0xBE;
                noise[13] = 0xDE;
                noise[14] = 0;
                noise[15] = (byte)random.Next(8);
            }
            Demux.Of(noise);
            if (RtpView.TryParse(noise, out RtpView view, out _))
            {
                Assert.True(view.HeaderLength + view.Payload.Length <= noise.Length);
                for (int id = 0; id < 16; id++)
                {
                    view.TryGetExtension(id, out _);
                }
            }
        }
    }

    [Theory]
    [InlineData("00", PacketClass.Stun)]
    [InlineData("03", PacketClass.Stun)]
    [InlineData("04", PacketClass.Unknown)]
    [InlineData("14", PacketClass.Dtls)]
    [InlineData("3f", PacketClass.Dtls)]
    [InlineData("40", PacketClass.Unknown)]
    [InlineData("8000", PacketClass.Rtp)]
    [InlineData("80c8", PacketClass.Rtcp)]
    [InlineData("80e0", PacketClass.Rtp)]
    [InlineData("80", PacketClass.Rtp)]
    [InlineData("c0", PacketClass.Unknown)]
    [InlineData("", PacketClass.Unknown)]
    public void The_first_bytes_tell_the_protocol(string hex, PacketClass expected) =>
        Assert.Equal(expected, Demux.Of(Convert.FromHexString(hex)));

    [Fact]
    public void Numbers_are_compared_over_the_wrap()
    {
        Assert.True(SequenceMath.IsNewer((ushort)2, (ushort)65_534));
        Assert.False(SequenceMath.IsNewer((ushort)65_534, (ushort)2));
        Assert.Equal(4, SequenceMath.Distance((ushort)2, (ushort)65_534));
        Assert.Equal(-160, SequenceMath.Distance(uint.MaxValue - 59, 100u));
        Assert.Equal(65_538, SequenceMath.Extend((ushort)2, 65_530));
        Assert.Equal(65_530, SequenceMath.Extend((ushort)65_530, 65_538));
    }
}
