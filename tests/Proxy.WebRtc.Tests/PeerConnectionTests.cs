using System;
using System.Linq;
using Proxy.Core.Net;
using Proxy.WebRtc.Tests.Simulation;
using Xunit;

namespace Proxy.WebRtc.Tests;

public sealed class PeerConnectionTests
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(false, true)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public void Two_peers_connect_and_exchange_media(bool isServerFull, bool withCandidates)
    {
        using PeerPair pair = new(1, o => o.IsServerFull = isServerFull);
        pair.Server.SetRemote(withCandidates: true);
        pair.Client.SetRemote(withCandidates || !isServerFull);

        Assert.True(pair.Run(s_second, () => Connected(pair)));
        // Two round trips: the check, then the handshake.
        Assert.True(pair.Now.Micros < 10_000, $"{pair.Now.Micros} µs");

        for (ushort i = 0; i < 50; i++)
        {
            Assert.True(pair.Client.SendRtp(i));
            Assert.True(pair.Server.SendRtp(i));
            pair.Run(TimeSpan.FromMilliseconds(20));
        }
        Assert.Equal(50, pair.Server.Media.Count);
        Assert.Equal(50, pair.Client.Media.Count);
        Assert.All(pair.Server.Media, packet => Assert.Equal(172, packet.Length));
        Assert.Equal(0, pair.Client.Peer.Counters.SrtpRefused + pair.Client.Peer.Counters.Unvalidated + pair.Client.Peer.Counters.StunUnmatched);
    }

    [Fact]
    public void Hundred_seeds_connect_over_a_bad_network()
    {
        for (ulong seed = 1; seed <= 100; seed++)
        {
            using PeerPair pair = new(seed, o =>
            {
                o.LossPerMille = 200;
                o.DuplicatePerMille = 100;
                o.DelayMicros = 20_000;
                o.JitterMicros = 30_000;
                o.IsServerFull = seed % 2 == 0;
            });
            pair.Describe();
            Assert.True(pair.Run(TimeSpan.FromSeconds(9), () => Connected(pair)), $"seed {seed}");
        }
    }

    [Fact]
    public void Checks_that_come_before_the_answer_are_answered_and_used()
    {
        using PeerPair pair = new(2, o => o.IsServerFull = true);
        pair.Server.SetRemote();
        pair.Run(TimeSpan.FromMilliseconds(300));
        Assert.Equal(PeerState.Connecting, pair.Client.Peer.State);
        // The server's checks were answered although the client does not know its password yet.
        Assert.Equal(0, pair.Server.Peer.Counters.StunUnmatched);

        pair.Client.SetRemote(withCandidates: false);
        long start = pair.Now.Micros;
        Assert.True(pair.Run(s_second, () => Connected(pair)));
        Assert.True(pair.Now.Micros - start < 10_000, $"{pair.Now.Micros - start} µs");
    }

    [Fact]
    public void Wrong_fingerprint_ends_in_failed_and_no_media_flows()
    {
        using PeerPair pair = new(3);
        pair.Server.SetRemote();
        pair.Client.SetRemote(fingerprint: new byte[32]);
        pair.Run(s_second, () => pair.Client.Peer.State == PeerState.Failed);
        pair.Run(s_second);
        Assert.Equal(PeerState.Failed, pair.Client.Peer.State);
        Assert.Contains("fingerprint", pair.Client.Events.Single(e => e.Kind == PeerEventKind.Failed).Reason, StringComparison.Ordinal);
        Assert.Equal(0, pair.Client.Peer.ProtectRtp(new byte[200], 172));
        // Our close_notify tells the other side.
        Assert.Equal(PeerState.Closed, pair.Server.Peer.State);
    }

    [Fact]
    public void Wrong_password_never_connects_and_is_never_answered()
    {
        using PeerPair pair = new(4);
        pair.Server.SetRemote();
        pair.Server.Credentials = new IceCredentials(pair.Server.Credentials.Ufrag, new string('x', 24));
        pair.Client.SetRemote();
        Assert.False(pair.Run(TimeSpan.FromSeconds(15), () => Connected(pair)));
        Assert.True(pair.Server.Peer.Counters.StunUnauthenticated > 5);
        Assert.Empty(pair.Client.Kinds);
        Assert.Contains(pair.Client.Events, e => e.Kind == PeerEventKind.Failed && e.Reason == "no ICE pair answered");
    }

    [Fact]
    public void Consent_is_kept_for_minutes_and_its_loss_fails_both_sides_after_30_seconds()
    {
        using PeerPair pair = new(5, o => o.IsServerFull = true);
        pair.Describe();
        pair.Run(TimeSpan.FromMinutes(5));
        Assert.True(Connected(pair));

        pair.IsCut = true;
        pair.Run(TimeSpan.FromSeconds(23));
        Assert.True(Connected(pair));
        pair.Run(TimeSpan.FromSeconds(8));
        Assert.Equal(PeerState.Failed, pair.Client.Peer.State);
        Assert.Equal(PeerState.Failed, pair.Server.Peer.State);
    }

    [Fact]
    public void Lite_side_notices_that_nobody_checks_any_more()
    {
        using PeerPair pair = new(6);
        pair.Describe();
        pair.Run(TimeSpan.FromSeconds(60));
        Assert.True(Connected(pair));
        pair.IsCut = true;
        pair.Run(TimeSpan.FromSeconds(31));
        Assert.Equal(PeerState.Failed, pair.Server.Peer.State);
    }

    [Fact]
    public void Short_outage_of_20_seconds_is_survived()
    {
        using PeerPair pair = new(7);
        pair.Describe();
        pair.Run(TimeSpan.FromSeconds(10));
        pair.IsCut = true;
        pair.Run(TimeSpan.FromSeconds(20));
        pair.IsCut = false;
        pair.Run(TimeSpan.FromSeconds(60));
        Assert.True(Connected(pair));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ice_restart_moves_to_a_new_address_while_media_flows(bool isServerFull)
    {
        using PeerPair pair = new(8, o => o.IsServerFull = isServerFull);
        pair.Describe();
        Assert.True(pair.Run(s_second, () => Connected(pair)));

        PeerPair.Side client = pair.Client;
        PeerPair.Side server = pair.Server;
        client.Credentials = new IceCredentials("newclient", "newclientpassword0123456");
        server.Credentials = new IceCredentials("newserver", "newserverpassword0123456");
        NetEndPoint.TryParse("10.0.0.9:999", out NetEndPoint moved);
        client.Address = moved;
        client.Peer.SetLocalCredentials(client.Credentials, pair.Now);
        server.Peer.SetLocalCredentials(server.Credentials, pair.Now);
        pair.Describe();
        Assert.True(pair.Run(s_second, () => server.Peer.Remote == moved));
        pair.Run(TimeSpan.FromSeconds(60));
        Assert.True(Connected(pair));
        Assert.True(client.SendRtp(1));
        Assert.True(server.SendRtp(1));
        pair.Run(TimeSpan.FromMilliseconds(100));
        Assert.Single(server.Media);
        Assert.Single(client.Media);
    }

    [Fact]
    public void Media_and_dtls_of_strangers_are_dropped_and_counted()
    {
        using PeerPair pair = new(9);
        NetEndPoint.TryParse("192.0.2.66:6666", out NetEndPoint stranger);
        PeerConnection peer = pair.Server.Peer;
        byte[] rtp = new byte[188];
        rtp[0] = 0x80;
        Assert.Equal(PacketKind.Dropped, peer.HandleDatagram(rtp, stranger, pair.Now, out _));
        Assert.Equal(1, peer.Counters.SrtpTooEarly);
        Assert.Equal(PacketKind.Dropped, peer.HandleDatagram(new byte[] { 22, 254, 253, 0 }, stranger, pair.Now, out _));
        Assert.Equal(1, peer.Counters.Unvalidated);

        pair.Describe();
        Assert.True(pair.Run(s_second, () => Connected(pair)));
        Assert.Equal(PacketKind.Dropped, peer.HandleDatagram(rtp, stranger, pair.Now, out _));
        Assert.Equal(2, peer.Counters.Unvalidated);
        Assert.Equal(PacketKind.Dropped, peer.HandleDatagram(rtp, pair.Client.Address, pair.Now, out _));
        Assert.Equal(1, peer.Counters.SrtpRefused);
        Assert.Equal(PacketKind.Dropped, peer.HandleDatagram(new byte[] { 100, 1 }, stranger, pair.Now, out _));
        Assert.Equal(1, peer.Counters.Unknown);
        Assert.True(Connected(pair));
    }

    [Fact]
    public void Close_reaches_the_other_side()
    {
        using PeerPair pair = new(10);
        pair.Describe();
        Assert.True(pair.Run(s_second, () => Connected(pair)));
        pair.Client.Peer.Close(pair.Now);
        pair.Run(s_second);
        Assert.Equal(PeerState.Closed, pair.Client.Peer.State);
        Assert.Equal(PeerState.Closed, pair.Server.Peer.State);
        Assert.Contains(pair.Server.Events, e => e.Kind == PeerEventKind.Closed);
    }

    [Fact]
    public void Random_damage_on_the_wire_never_throws_and_never_disconnects()
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            using PeerPair pair = new(seed, o =>
            {
                o.HasData = true;
                o.OpenChannels = ["_reliable"];
                o.DamagePerMille = 300;
                o.IsServerFull = seed % 2 == 0;
            });
            pair.Describe();
            for (ushort i = 0; i < 100; i++)
            {
                pair.Client.Peer.SendData("_reliable", [1, 2, 3], pair.Now);
                if (pair.Client.Peer.State == PeerState.Connected)
                {
                    pair.Client.SendRtp(i);
                }
                pair.Run(TimeSpan.FromMilliseconds(20));
            }
            pair.Options.DamagePerMille = 0;
            Assert.True(pair.Run(TimeSpan.FromSeconds(8), () => Connected(pair)), $"seed {seed}");
        }
    }

    [Fact]
    public void Candidates_beyond_the_table_are_refused_and_the_call_goes_on()
    {
        using PeerPair pair = new(12, o => o.IsServerFull = true);
        pair.Describe();
        for (ushort port = 1; port <= 200; port++)
        {
            NetEndPoint.TryParse($"192.0.2.1:{port}", out NetEndPoint candidate);
            pair.Client.Peer.AddRemoteCandidate(candidate, pair.Now);
        }
        Assert.True(pair.Run(s_second, () => Connected(pair)));
        Assert.True(pair.Client.Peer.Counters.IceOverflow > 100);
        pair.Run(TimeSpan.FromMinutes(1));
        Assert.True(Connected(pair));
    }

    [Fact]
    public void Media_path_allocates_nothing()
    {
        using PeerPair pair = new(11);
        pair.Describe();
        Assert.True(pair.Run(s_second, () => Connected(pair)));
        byte[] sent = new byte[200];
        byte[] polled = new byte[1500];
        ushort sequence = 0;
        Exchange(pair, sent, polled, ref sequence, 200);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exchange(pair, sent, polled, ref sequence, 1000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    internal static bool Connected(PeerPair pair) =>
        pair.Client.Peer.State == PeerState.Connected && pair.Server.Peer.State == PeerState.Connected;

    private static void Exchange(PeerPair pair, byte[] buffer, byte[] polled, ref ushort sequence, int count)
    {
        for (int i = 0; i < count; i++)
        {
            buffer[0] = 0x80;
            buffer[1] = 0;
            buffer[2] = (byte)(++sequence >> 8);
            buffer[3] = (byte)sequence;
            buffer.AsSpan(4, 8).Clear();
            buffer[11] = 1;
            int length = pair.Client.Peer.ProtectRtp(buffer, 172);
            if (pair.Server.Peer.HandleDatagram(buffer.AsSpan(0, length), pair.Client.Address, pair.Now, out int plain) != PacketKind.Rtp
                || plain != 172
                || pair.Server.Peer.TryPollDatagram(polled, out _, out _)
                || pair.Server.Peer.NextDeadline < pair.Now)
            {
                throw new InvalidOperationException("the media path broke");
            }
        }
    }
}
