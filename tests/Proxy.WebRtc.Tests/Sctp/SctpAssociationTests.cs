using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.WebRtc.Sctp;
using Xunit;

namespace Proxy.WebRtc.Tests.Sctp;

public sealed class SctpAssociationTests
{
    private static readonly SctpDelivery s_reliable = new(true, -1);
    private static readonly SctpDelivery s_lossy = new(false, 0);
    private static readonly SctpDelivery s_orderedLossy = new(true, 0);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Association_opens_from_one_side_and_from_both(bool both)
    {
        SctpPair pair = new(1);
        Assert.True(pair.Connect(both));
        // Two round trips of 10 ms.
        Assert.True(pair.Now.Micros <= 25_000, $"{pair.Now.Micros} µs");
        Assert.Equal(0, pair.Counters.SctpMalformed);
    }

    [Fact]
    public void Hundred_seeds_open_despite_loss_reordering_and_copies()
    {
        for (ulong seed = 1; seed <= 100; seed++)
        {
            SctpPair pair = new(seed) { LossPerMille = 250, DuplicatePerMille = 200, JitterMicros = 300_000 };
            Assert.True(pair.Connect(seed % 2 == 0), $"seed {seed}");
        }
    }

    [Fact]
    public void Messages_of_all_sizes_arrive_whole_and_in_order()
    {
        SctpPair pair = new(2);
        Assert.True(pair.Connect());
        List<byte[]> sent = [];
        foreach (int size in (int[])[1, 2, 3, 4, 1091, 1092, 1093, 1094, 5000, 15_000, 65_535])
        {
            byte[] message = new byte[size];
            pair.Random.Fill(message);
            sent.Add(message);
            Assert.True(pair.Sides[0].TrySend(1, 53, message, s_reliable, pair.Now), $"{size}");
            Assert.True(pair.Run(TimeSpan.FromSeconds(10), () => pair.Received[1].Count == sent.Count), $"{size}");
        }
        Assert.Equal(sent, pair.Received[1].Select(m => m.Payload));
        Assert.All(pair.Received[1], m => Assert.Equal((1, 53u), (m.Stream, m.Ppid)));
    }

    [Fact]
    public void Reliable_ordered_messages_survive_every_seed_of_a_bad_network()
    {
        for (ulong seed = 1; seed <= 30; seed++)
        {
            SctpPair pair = new(seed) { LossPerMille = 150, DuplicatePerMille = 100, JitterMicros = 40_000 };
            Assert.True(pair.Connect(), $"seed {seed}");
            List<byte[]>[] sent = [[], []];
            for (int i = 0; i < 60; i++)
            {
                int from = pair.Random.Next(2);
                byte[] message = new byte[1 + pair.Random.Next(pair.Random.Next(5) == 0 ? 9_000 : 300)];
                pair.Random.Fill(message);
                if (pair.Sides[from].TrySend((ushort)(1 + (2 * from)), 53, message, s_reliable, pair.Now))
                {
                    sent[from].Add(message);
                }
                pair.Run(TimeSpan.FromMilliseconds(pair.Random.Next(60)));
            }
            Assert.True(
                pair.Run(TimeSpan.FromMinutes(3), () => pair.Received[1].Count == sent[0].Count && pair.Received[0].Count == sent[1].Count),
                $"seed {seed}: {pair.Received[1].Count}/{sent[0].Count} {pair.Received[0].Count}/{sent[1].Count}");
            Assert.Equal(sent[0], pair.Received[1].Select(m => m.Payload));
            Assert.Equal(sent[1], pair.Received[0].Select(m => m.Payload));
        }
    }

    [Fact]
    public void Lossy_messages_are_whole_or_missing_and_never_block_reliable_ones()
    {
        for (ulong seed = 1; seed <= 30; seed++)
        {
            SctpPair pair = new(seed) { LossPerMille = 200, JitterMicros = 30_000, DuplicatePerMille = 50 };
            Assert.True(pair.Connect(), $"seed {seed}");
            List<byte[]> reliable = [];
            Dictionary<int, byte[]> lossy = [];
            for (int i = 0; i < 100; i++)
            {
                byte[] message = new byte[4 + pair.Random.Next(2_500)];
                pair.Random.Fill(message);
                BitConverter.TryWriteBytes(message, i);
                bool isReliable = pair.Random.Next(4) == 0;
                SctpDelivery delivery = isReliable ? s_reliable : seed % 2 == 0 ? s_lossy : s_orderedLossy;
                if (pair.Sides[0].TrySend((ushort)(isReliable ? 1 : 3), 53, message, delivery, pair.Now))
                {
                    if (isReliable)
                    {
                        reliable.Add(message);
                    }
                    else
                    {
                        lossy[i] = message;
                    }
                }
                pair.Run(TimeSpan.FromMilliseconds(pair.Random.Next(40)));
            }
            pair.Run(TimeSpan.FromMinutes(2));
            Assert.Equal(reliable, pair.Received[1].Where(m => m.Stream == 1).Select(m => m.Payload));
            List<byte[]> arrived = pair.Received[1].Where(m => m.Stream == 3).Select(m => m.Payload).ToList();
            Assert.All(arrived, m => Assert.Equal(lossy[BitConverter.ToInt32(m)], m));
            Assert.InRange(arrived.Count, lossy.Count / 4, lossy.Count);
            if (seed % 2 == 1)
            {
                int[] order = arrived.Select(m => BitConverter.ToInt32(m)).ToArray();
                Assert.Equal(order.Order(), order);
            }
            // Nothing stays behind: the queue takes a full buffer again.
            Assert.True(pair.Sides[0].TrySend(1, 53, new byte[SctpLimits.OutboundBytes], s_reliable, pair.Now), $"seed {seed}");
        }
    }

    [Fact]
    public void Lost_lossy_message_is_not_sent_again()
    {
        SctpPair pair = new(3);
        Assert.True(pair.Connect());
        pair.Loses = packet => packet[12] == SctpWire.Data;
        Assert.True(pair.Sides[0].TrySend(3, 53, new byte[100], s_lossy, pair.Now));
        pair.Run(TimeSpan.FromMilliseconds(50));
        pair.Loses = null;
        pair.Run(TimeSpan.FromSeconds(20));
        Assert.Empty(pair.Received[1]);
        Assert.True(pair.Sides[0].TrySend(3, 53, new byte[7], s_lossy, pair.Now));
        Assert.True(pair.Run(TimeSpan.FromSeconds(1), () => pair.Received[1].Count == 1));
    }

    [Fact]
    public void Full_send_buffer_is_refused_and_frees_itself()
    {
        SctpPair pair = new(4);
        Assert.True(pair.Connect());
        byte[] message = new byte[16_000];
        int taken = 0;
        while (pair.Sides[0].TrySend(1, 53, message, s_reliable, pair.Now))
        {
            taken++;
        }
        Assert.Equal(SctpLimits.OutboundBytes / message.Length, taken);
        Assert.True(pair.Run(TimeSpan.FromSeconds(10), () => pair.Received[1].Count == taken));
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.True(pair.Sides[0].TrySend(1, 53, message, s_reliable, pair.Now));
        Assert.False(pair.Sides[0].TrySend(1, 53, new byte[SctpLimits.OutboundBytes + 1], s_reliable, pair.Now));
        Assert.False(pair.Sides[0].TrySend(1, 53, [], s_reliable, pair.Now));
    }

    [Fact]
    public void Peer_that_never_answers_is_given_up()
    {
        SctpPair pair = new(5) { LossPerMille = 1000 };
        pair.Sides[0].Start(pair.Now);
        pair.Run(TimeSpan.FromMinutes(5));
        Assert.Equal(SctpState.Ended, pair.Sides[0].State);

        SctpPair second = new(6);
        Assert.True(second.Connect());
        second.LossPerMille = 1000;
        second.Sides[0].TrySend(1, 53, new byte[10], s_reliable, second.Now);
        second.Run(TimeSpan.FromMinutes(5));
        Assert.Equal(SctpState.Ended, second.Sides[0].State);
        Assert.True(second.Sides[0].NextDeadline.IsNever);
    }

    [Fact]
    public void Abort_ends_both_sides()
    {
        SctpPair pair = new(7);
        Assert.True(pair.Connect());
        pair.Sides[0].Abort(pair.Now);
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(SctpState.Ended, pair.Sides[0].State);
        Assert.Equal(SctpState.Ended, pair.Sides[1].State);
    }

    [Fact]
    public void Idle_association_is_silent()
    {
        SctpPair pair = new(8);
        Assert.True(pair.Connect());
        pair.Sides[0].TrySend(1, 53, new byte[10], s_reliable, pair.Now);
        pair.Run(TimeSpan.FromSeconds(5));
        int before = pair.Packets;
        pair.Run(TimeSpan.FromMinutes(10));
        Assert.Equal(before, pair.Packets);
    }

    [Fact]
    public void Reset_of_a_stream_is_answered_and_its_numbering_begins_again()
    {
        SctpPair pair = new(9);
        Assert.True(pair.Connect());
        Assert.True(pair.Sides[0].TrySend(1, 53, new byte[10], s_reliable, pair.Now));
        pair.Run(TimeSpan.FromSeconds(1));
        byte[]? request = null;
        byte[]? answer = null;
        pair.Loses = packet =>
        {
            request ??= packet[12] == SctpWire.Sack ? packet : null;
            answer = packet[12] == SctpWire.ReConfig ? packet : answer;
            return false;
        };
        pair.Sides[0].TrySend(1, 53, new byte[10], s_reliable, pair.Now);
        pair.Run(TimeSpan.FromSeconds(1));
        // A SACK towards side 0 carries its tag; from it a reset request to side 0 is made.
        byte[] packet = new byte[12 + 4 + 18 + 2];
        request.AsSpan(0, 12).CopyTo(packet);
        new byte[] { SctpWire.ReConfig, 0, 0, 22, 0, 13, 0, 18 }.CopyTo(packet, 12);
        packet[12 + 4 + 7] = 9;
        packet[12 + 4 + 17] = 1;
        // The last TSN that side 1 sent: none, so its initial one less one; any old number will do.
        byte[] tsn = pair.Sides[1] is SctpAssociation ? new byte[4] : [];
        tsn.CopyTo(packet, 12 + 4 + 12);
        SctpWire.Seal(packet);
        pair.Sides[0].HandlePacket(packet, pair.Now);
        pair.Run(TimeSpan.FromMilliseconds(1));
        Assert.NotNull(answer);
        Assert.Equal(SctpWire.ParamResetResponse, answer[17]);
    }

    [Fact]
    public void Random_damage_with_a_right_checksum_never_throws_or_hangs()
    {
        for (ulong seed = 1; seed <= 40; seed++)
        {
            SctpPair pair = new(seed);
            SeededRandom random = new(seed + 1000);
            List<byte[]> seen = [];
            pair.Loses = packet =>
            {
                seen.Add(packet);
                return false;
            };
            Assert.True(pair.Connect());
            for (int round = 0; round < 400; round++)
            {
                pair.Sides[0].TrySend((ushort)random.Next(4), 53, new byte[1 + random.Next(3000)], random.Next(2) == 0 ? s_lossy : s_reliable, pair.Now);
                pair.Run(TimeSpan.FromMilliseconds(20));
                byte[] damaged = [.. seen[random.Next(seen.Count)]];
                for (int flips = random.Next(8); flips >= 0; flips--)
                {
                    damaged[8 + random.Next(damaged.Length - 8)] = (byte)random.Next(256);
                }
                if (random.Next(10) == 0)
                {
                    damaged = damaged[..(4 * random.Next(1 + (damaged.Length / 4)))];
                }
                if (damaged.Length >= 12)
                {
                    SctpWire.Seal(damaged);
                }
                pair.Sides[random.Next(2)].HandlePacket(damaged, pair.Now);
            }
            pair.Run(TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    public void Hostile_chunks_are_counted_or_answered_and_change_nothing()
    {
        SctpPair pair = new(10);
        byte[]? toOne = null;
        pair.Loses = packet =>
        {
            toOne = packet[12] == SctpWire.CookieEcho ? packet : toOne;
            return false;
        };
        Assert.True(pair.Connect(both: false));
        byte[][] chunks =
        [
            [3, 0, 0, 0],
            [3, 0, 0, 3],
            [3, 0, 255, 255],
            [3, 0, 0, 4],
            [3, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255],
            [192, 0, 0, 4],
            [192, 0, 0, 8, 1, 2, 3, 4],
            [1, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [10, 0, 0, 4],
            [10, 0, 0, 8, 1, 2, 3, 4],
            [130, 0, 0, 8, 0, 13, 0, 4],
            [200, 0, 0, 4],
            [100, 0, 0, 4],
            [4, 0, 0, 4],
        ];
        foreach (byte[] chunk in chunks)
        {
            byte[] packet = [.. toOne![..12], .. chunk];
            SctpWire.Seal(packet);
            pair.Sides[1].HandlePacket(packet, pair.Now);
            pair.Run(TimeSpan.FromMilliseconds(300));
            Assert.Equal(SctpState.Established, pair.Sides[1].State);
        }
        pair.Sides[0].TrySend(1, 53, [1, 2, 3], s_reliable, pair.Now);
        Assert.True(pair.Run(TimeSpan.FromSeconds(5), () => pair.Received[1].Count == 1));
    }
}
