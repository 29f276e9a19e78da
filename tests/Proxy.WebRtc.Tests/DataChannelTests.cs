using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Core.Memory;
using Proxy.WebRtc.Dtls;
using Proxy.WebRtc.Tests.Dtls;
using Proxy.WebRtc.Tests.Simulation;
using Xunit;

namespace Proxy.WebRtc.Tests;

public sealed class DataChannelTests
{
    private static readonly string[] s_labels = ["_reliable", "_lossy"];

    [Fact]
    public void Channels_open_on_both_sides_and_carry_messages()
    {
        using PeerPair pair = new(1, WithData);
        pair.Describe();
        Assert.True(pair.Run(TimeSpan.FromSeconds(2), () => Opened(pair.Client.Events) == 2 && Opened(pair.Server.Events) == 2));
        Assert.Equal(s_labels, pair.Client.Events.Where(e => e.Kind == PeerEventKind.ChannelOpen).Select(e => e.Label));

        foreach (string label in s_labels)
        {
            Assert.True(pair.Client.Peer.SendData(label, [1, 2, 3], pair.Now));
            Assert.True(pair.Server.Peer.SendData(label, [4], pair.Now));
            Assert.True(pair.Server.Peer.SendData(label, [], pair.Now));
        }
        Assert.False(pair.Client.Peer.SendData("other", [1], pair.Now));
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal([[1, 2, 3], [1, 2, 3]], Payloads(pair.Server.Events));
        Assert.Equal([[4], [], [4], []], Payloads(pair.Client.Events));
    }

    [Fact]
    public void Twenty_seeds_deliver_reliable_data_beside_media_over_a_bad_network()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            using PeerPair pair = new(seed, o =>
            {
                WithData(o);
                o.LossPerMille = 100;
                o.DuplicatePerMille = 50;
                o.JitterMicros = 20_000;
                o.IsServerFull = seed % 2 == 0;
            });
            pair.Describe();
            Assert.True(pair.Run(TimeSpan.FromSeconds(20), () => Opened(pair.Client.Events) == 2 && Opened(pair.Server.Events) == 2), $"seed {seed}");
            List<byte[]> sent = [];
            for (byte i = 0; i < 40; i++)
            {
                byte[] message = [i, .. new byte[i * 100]];
                sent.Add(message);
                Assert.True(pair.Server.Peer.SendData("_reliable", message, pair.Now));
                pair.Client.Peer.SendData("_lossy", message, pair.Now);
                pair.Client.SendRtp(i);
                pair.Run(TimeSpan.FromMilliseconds(20));
            }
            Assert.True(pair.Run(TimeSpan.FromMinutes(1), () => Payloads(pair.Client.Events).Count == 40), $"seed {seed}");
            Assert.Equal(sent, Payloads(pair.Client.Events));
        }
    }

    [Fact]
    public void Message_of_64_kilobytes_passes()
    {
        using PeerPair pair = new(3, WithData);
        pair.Describe();
        Assert.True(pair.Run(TimeSpan.FromSeconds(2), () => Opened(pair.Client.Events) == 2 && Opened(pair.Server.Events) == 2));
        byte[] message = new byte[65_535];
        new SeededRandom(9).Fill(message);
        Assert.True(pair.Client.Peer.SendData("_reliable", message, pair.Now));
        Assert.True(pair.Run(TimeSpan.FromSeconds(5), () => Payloads(pair.Server.Events).Count == 1));
        Assert.Equal(message, Payloads(pair.Server.Events)[0]);
    }

    [Fact]
    public void Data_flows_over_openssl_with_loss()
    {
        using DtlsIdentity one = DtlsIdentity.Create();
        using DtlsIdentity two = DtlsIdentity.Create();
        SeededRandom random = new(4);
        MemoryPeer client = new("10.0.0.1:1000", true, SetupRole.ActPass, one, random, true, s_labels);
        MemoryPeer server = new("10.0.0.2:2000", false, SetupRole.Active, two, random, true);
        server.Peer.SetRemote(client.Describe(), DtlsPump.Now);
        client.Peer.SetRemote(server.Describe(), DtlsPump.Now);
        bool Loses() => random.Next(100) < 5;
        Assert.True(MemoryPeer.Run(client, server, TimeSpan.FromSeconds(10), () => Opened(client.Events) == 2 && Opened(server.Events) == 2, Loses));
        for (byte i = 0; i < 20; i++)
        {
            Assert.True(client.Peer.SendData("_reliable", [i, .. new byte[1500]], DtlsPump.Now));
            Assert.True(server.Peer.SendData("_reliable", [i], DtlsPump.Now));
        }
        Assert.True(MemoryPeer.Run(client, server, TimeSpan.FromSeconds(20), () => Payloads(client.Events).Count == 20 && Payloads(server.Events).Count == 20, Loses));
        Assert.All(Enumerable.Range(0, 20), i => Assert.Equal(i, Payloads(server.Events)[i][0]));
        client.Peer.Dispose();
        server.Peer.Dispose();
    }

    private static void WithData(PairOptions options)
    {
        options.HasData = true;
        options.OpenChannels = s_labels;
    }

    private static int Opened(List<PeerEvent> events) => events.Count(e => e.Kind == PeerEventKind.ChannelOpen);

    private static List<byte[]> Payloads(List<PeerEvent> events) =>
        events.Where(e => e.Kind == PeerEventKind.Data).Select(e => e.Payload!).ToList();
}
