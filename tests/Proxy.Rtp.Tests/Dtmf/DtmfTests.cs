using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.Json;
using Proxy.Core.Memory;
using Proxy.Rtp.Dtmf;
using Proxy.Rtp.Packets;
using Proxy.Testing;
using Xunit;

namespace Proxy.Rtp.Tests.Dtmf;

public sealed class DtmfTests
{
    private static readonly JsonElement s_cases = JsonDocument.Parse(TestData.Text("dtmf", "rfc4733_cases.json")).RootElement.GetProperty("cases");

    public static IEnumerable<object[]> Cases() => s_cases.EnumerateArray().Select(one => new object[] { one.GetProperty("name").GetString()! });

    [Theory]
    [MemberData(nameof(Cases))]
    public void Recorded_case_gives_each_digit_once(string name)
    {
        JsonElement recorded = s_cases.EnumerateArray().Single(one => one.GetProperty("name").GetString() == name);
        DtmfReceiver receiver = new();
        StringBuilder heard = new();
        foreach (JsonElement packet in recorded.GetProperty("packets").EnumerateArray())
        {
            byte[] payload = Convert.FromHexString(packet.GetProperty("payload").GetString()!);
            Receive(
                receiver, heard, packet.GetProperty("seq").GetUInt16(), packet.GetProperty("timestamp").GetUInt32(),
                packet.GetProperty("marker").GetInt32() != 0, payload);
        }
        StringBuilder required = new();
        foreach (JsonElement digit in recorded.GetProperty("expect").EnumerateArray())
        {
            if (digit.TryGetProperty("total", out JsonElement total))
            {
                Assert.Equal(total.GetInt32(), heard.Length);
                return;
            }
            bool isOptional = digit.TryGetProperty("optional", out _);
            if (!isOptional || heard.ToString().Contains(digit.GetProperty("digit").GetString()!, StringComparison.Ordinal))
            {
                required.Insert(required.Length, digit.GetProperty("digit").GetString()!, digit.GetProperty("count").GetInt32());
            }
            if (digit.TryGetProperty("duration", out JsonElement duration))
            {
                Assert.Equal(duration.GetInt64(), receiver.DurationTicks);
            }
        }
        Assert.Equal(required.ToString(), heard.ToString());
    }

    [Fact]
    public void Digit_is_given_out_at_the_start_of_its_event_and_only_codes_of_a_keypad_are()
    {
        DtmfReceiver receiver = new();
        StringBuilder heard = new();
        Receive(receiver, heard, 1, 800, true, [5, 10, 0, 160]);
        Assert.Equal("5", heard.ToString());
        Receive(receiver, heard, 2, 800, false, [5, 0x8A, 3, 32]);
        for (int code = 16; code < 256; code++)
        {
            Receive(receiver, heard, (ushort)(code + 100), (uint)code * 8_000, true, [(byte)code, 10, 0, 160]);
        }
        Assert.Equal("5", heard.ToString());
    }

    [Fact]
    public void What_we_send_is_heard_once_each_whatever_single_packet_is_lost()
    {
        const string Dialled = "0123456789*#ABCD";
        for (int lost = -1; lost < 15; lost++)
        {
            DtmfSender sender = new();
            Assert.True(sender.TryQueue(Dialled));
            DtmfReceiver receiver = new();
            StringBuilder heard = new();
            ushort sequence = 65_000;
            uint timestamp = 4_294_960_000;
            DtmfPacket[] packets = new DtmfPacket[DtmfSender.MaxPacketsPerTick];
            byte[] payload = new byte[4];
            for (int at = 0; sender.IsActive; timestamp += 160)
            {
                int count = sender.Tick(timestamp, packets);
                for (int i = 0; i < count; i++, at++, sequence++)
                {
                    packets[i].WritePayload(payload);
                    if (at % 15 != lost)
                    {
                        Receive(receiver, heard, sequence, packets[i].Timestamp, packets[i].Marker, payload);
                    }
                }
            }
            Assert.Equal(Dialled, heard.ToString());
            Assert.Equal(2000, receiver.DurationTicks);
        }
    }

    [Fact]
    public void A_digit_is_twelve_packets_three_ends_and_a_pause_of_half_a_second_in_all()
    {
        DtmfSender sender = new();
        Assert.True(sender.TryQueue("5"));
        DtmfPacket[] packets = new DtmfPacket[3];
        for (int tick = 0; tick < 25; tick++)
        {
            Assert.True(sender.IsActive);
            Assert.Equal(tick <= 12, sender.IsSounding);
            int count = sender.Tick((uint)(1000 + (tick * 160)), packets);
            Assert.Equal(tick < 12 ? 1 : tick == 12 ? 3 : 0, count);
            if (count > 0)
            {
                Assert.Equal(1000u, packets[0].Timestamp);
                Assert.Equal(tick == 0, packets[0].Marker);
                uint duration = tick < 12 ? (uint)(160 * (tick + 1)) : 2000;
                Assert.Equal(0x050A_0000 | (tick == 12 ? 0x80_0000u : 0) | duration, packets[0].Payload);
            }
        }
        Assert.False(sender.IsActive);
    }

    [Fact]
    public void A_w_waits_half_a_second_and_bad_strings_are_refused_whole()
    {
        DtmfSender sender = new();
        Assert.False(sender.TryQueue("12x"));
        Assert.False(sender.IsActive);
        Assert.True(sender.TryQueue("wWd"));
        DtmfPacket[] packets = new DtmfPacket[3];
        int first = Enumerable.Range(0, 200).First(_ => sender.Tick(0, packets) > 0);
        Assert.Equal(50, first);
        Assert.Equal(15u, packets[0].Payload >> 24);
        Assert.False(sender.TryQueue(new string('1', DtmfSender.MaxQueued)));
        sender.Clear();
        Assert.True(sender.TryQueue(new string('1', DtmfSender.MaxQueued)));
    }

    [Fact]
    public void Gateways_that_stamp_each_packet_anew_give_one_digit()
    {
        DtmfReceiver receiver = new();
        StringBuilder heard = new();
        for (int i = 0; i < 10; i++)
        {
            int duration = (i + 1) * 160;
            Receive(receiver, heard, (ushort)i, (uint)(i * 160), i == 0, [7, 10, (byte)(duration >> 8), (byte)duration]);
        }
        Assert.Equal("7", heard.ToString());
    }

    [Fact]
    public void Any_bytes_are_taken_without_an_exception()
    {
        SeededRandom random = new(31);
        DtmfReceiver receiver = new();
        StringBuilder heard = new();
        for (int i = 0; i < 50_000; i++)
        {
            byte[] noise = new byte[random.Next(9)];
            random.Fill(noise);
            Receive(receiver, heard, (ushort)random.Next(65_536), (uint)random.Next(), random.Next(2) == 0, noise);
        }
    }

    private static void Receive(DtmfReceiver receiver, StringBuilder heard, ushort sequence, uint timestamp, bool marker, byte[] payload)
    {
        byte[] packet = new byte[12 + payload.Length];
        RtpWriter.Write(packet, new RtpHeader(101, marker, sequence, timestamp, 5), payload);
        Assert.True(RtpView.TryParse(packet, out RtpView view, out _));
        if (receiver.Receive(view, out char digit) == DtmfVerdict.Digit)
        {
            heard.Append(digit);
        }
    }
}
