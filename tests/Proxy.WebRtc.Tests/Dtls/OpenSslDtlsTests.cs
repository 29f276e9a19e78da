using System;
using System.Collections.Generic;
using System.Threading;
using Proxy.Core.Memory;
using Proxy.WebRtc.Dtls;
using Xunit;

namespace Proxy.WebRtc.Tests.Dtls;

public sealed class OpenSslDtlsTests : IDisposable
{
    private readonly DtlsIdentity _one = DtlsIdentity.Create();
    private readonly DtlsIdentity _two = DtlsIdentity.Create();

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    [Fact]
    public void Handshake_gives_both_sides_the_same_keys_and_the_others_fingerprint()
    {
        using IDtls client = _one.Create(isClient: true);
        using IDtls server = _two.Create(isClient: false);
        Assert.True(DtlsPump.Handshake(client, server));

        Assert.Equal(7, client.SrtpProfileId);
        Assert.Equal(7, server.SrtpProfileId);
        byte[] fromClient = new byte[56];
        byte[] fromServer = new byte[56];
        Assert.True(client.TryExportSrtpKeys(fromClient));
        Assert.True(server.TryExportSrtpKeys(fromServer));
        Assert.Equal(fromClient, fromServer);
        byte[] fingerprint = new byte[32];
        Assert.True(client.TryGetPeerFingerprint(fingerprint));
        Assert.Equal(_two.FingerprintSha256.ToArray(), fingerprint);
        Assert.True(server.TryGetPeerFingerprint(fingerprint));
        Assert.Equal(_one.FingerprintSha256.ToArray(), fingerprint);
    }

    [Fact]
    public void Data_goes_both_ways_after_the_handshake()
    {
        using IDtls client = _one.Create(isClient: true);
        using IDtls server = _two.Create(isClient: false);
        Assert.True(DtlsPump.Handshake(client, server));
        byte[] message = new byte[1100];
        new SeededRandom(1).Fill(message);
        Assert.Equal(message, Pass(client, server, message));
        Assert.Equal(message, Pass(server, client, message));
        Assert.Equal([1], Pass(server, client, [1]));
    }

    [Fact]
    public void Lost_flights_are_sent_again_after_100_ms()
    {
        for (int lost = 0; lost < 5; lost++)
        {
            using IDtls client = _one.Create(isClient: true);
            using IDtls server = _two.Create(isClient: false);
            long start = DtlsPump.Now.Micros;
            int which = lost;
            Assert.True(DtlsPump.Handshake(client, server, number => number == which), $"datagram {lost}");
            Assert.True(DtlsPump.Now.Micros - start < 2_000_000, $"datagram {lost}");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Peer_that_is_slower_than_the_timer_still_connects_at_the_first_attempt(int slowAt)
    {
        using IDtls client = _one.Create(isClient: true);
        using IDtls server = _two.Create(isClient: false);
        client.Start(DtlsPump.Now);
        int sent = 0;
        for (int i = 0; i < 8; i++)
        {
            if (i == slowAt)
            {
                // OpenSSL reads its own clock: only real time makes its timer run out.
                Thread.Sleep(130);
            }
            DtlsPump.Move(i % 2 == 0 ? client : server, i % 2 == 0 ? server : client, ref sent, null);
        }
        Assert.True(client.State == DtlsState.Connected && server.State == DtlsState.Connected, $"{client.State}, {server.State}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Bad_handshake_does_not_harm_good_ones_beside_it(ulong seed)
    {
        using IDtls client = _one.Create(isClient: true);
        using IDtls server = _two.Create(isClient: false);
        using IDtls victim = _two.Create(isClient: false);
        SeededRandom random = new(seed);
        client.Start(DtlsPump.Now);
        Span<byte> buffer = stackalloc byte[1500];
        Assert.True(client.TryPollDatagram(buffer, out int length));
        byte[] hello = buffer[..length].ToArray();
        int sent = 0;
        server.HandleDatagram(hello, DtlsPump.Now);
        for (int round = 0; round < 200; round++)
        {
            // Fails the victim inside OpenSSL and leaves errors in this thread's queue between every step of the good pair.
            byte[] broken = [.. hello];
            broken[13 + random.Next(broken.Length - 13)] ^= (byte)(1 + random.Next(255));
            using IDtls other = _two.Create(isClient: false);
            other.HandleDatagram(broken, DtlsPump.Now);
            victim.HandleDatagram(broken, DtlsPump.Now);
            DtlsPump.Move(server, client, ref sent, null);
            victim.HandleDatagram([22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 77], DtlsPump.Now);
            DtlsPump.Move(client, server, ref sent, null);
        }
        Assert.True(client.State == DtlsState.Connected && server.State == DtlsState.Connected, $"{client.State} {((OpenSslDtls)client).Error}, {server.State} {((OpenSslDtls)server).Error}");
    }

    [Fact]
    public void Random_damage_never_throws_and_a_good_flight_still_connects()
    {
        SeededRandom random = new(6);
        for (int round = 0; round < 300; round++)
        {
            using IDtls client = _one.Create(isClient: true);
            using IDtls server = _two.Create(isClient: false);
            client.Start(DtlsPump.Now);
            List<byte[]> flights = [];
            Exchange(client, server, flights, random);
            Exchange(server, client, flights, random);
            Exchange(client, server, flights, random);
            foreach (byte[] flight in flights)
            {
                server.HandleDatagram(flight, DtlsPump.Now);
                client.HandleDatagram(flight, DtlsPump.Now);
            }
        }
    }

    [Fact]
    public void Close_notify_ends_the_other_side()
    {
        using IDtls client = _one.Create(isClient: true);
        using IDtls server = _two.Create(isClient: false);
        Assert.True(DtlsPump.Handshake(client, server));
        client.Close(DtlsPump.Now);
        int sent = 0;
        Assert.True(DtlsPump.Move(client, server, ref sent, null));
        Assert.False(server.TryReadData(new byte[100], out _));
        Assert.Equal(DtlsState.Closed, server.State);
    }

    private static void Exchange(IDtls from, IDtls to, List<byte[]> flights, SeededRandom random)
    {
        Span<byte> buffer = stackalloc byte[1500];
        while (from.TryPollDatagram(buffer, out int length))
        {
            byte[] damaged = buffer[..length].ToArray();
            flights.Add(buffer[..length].ToArray());
            for (int flips = random.Next(4); flips > 0; flips--)
            {
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            }
            to.HandleDatagram(damaged.AsSpan(0, random.Next(8) == 0 ? random.Next(damaged.Length) : damaged.Length), DtlsPump.Now);
        }
    }

    private static byte[] Pass(IDtls from, IDtls to, byte[] message)
    {
        int sent = 0;
        Assert.True(from.Send(message, DtlsPump.Now));
        DtlsPump.Move(from, to, ref sent, null);
        byte[] buffer = new byte[2000];
        Assert.True(to.TryReadData(buffer, out int length));
        Assert.False(to.TryReadData(new byte[2000], out _));
        return buffer[..length];
    }
}
