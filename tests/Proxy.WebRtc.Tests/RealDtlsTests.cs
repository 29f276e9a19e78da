using System;
using Proxy.Core.Memory;
using Proxy.WebRtc.Dtls;
using Proxy.WebRtc.Tests.Dtls;
using Xunit;

namespace Proxy.WebRtc.Tests;

/// <summary>Two peers with OpenSSL between them, in memory, by the machine's clock.</summary>
public sealed class RealDtlsTests : IDisposable
{
    private readonly DtlsIdentity _one = DtlsIdentity.Create();
    private readonly DtlsIdentity _two = DtlsIdentity.Create();

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    [Theory]
    [InlineData(SetupRole.ActPass, SetupRole.Active)]
    [InlineData(SetupRole.Active, SetupRole.Passive)]
    [InlineData(SetupRole.Passive, SetupRole.ActPass)]
    public void Peers_connect_with_openssl_and_media_flows_both_ways(SetupRole clientSetup, SetupRole serverSetup)
    {
        SeededRandom random = new(1);
        MemoryPeer client = new("10.0.0.1:1000", true, clientSetup, _one, random);
        MemoryPeer server = new("10.0.0.2:2000", false, serverSetup, _two, random);
        server.Peer.SetRemote(client.Describe(), DtlsPump.Now);
        client.Peer.SetRemote(server.Describe(), DtlsPump.Now);
        Assert.True(MemoryPeer.Run(client, server, TimeSpan.FromSeconds(5), () => client.Peer.State == PeerState.Connected && server.Peer.State == PeerState.Connected));

        for (ushort i = 0; i < 20; i++)
        {
            Assert.True(Pass(client, server, i));
            Assert.True(Pass(server, client, i));
        }
        client.Peer.Close(DtlsPump.Now);
        Assert.True(MemoryPeer.Run(client, server, TimeSpan.FromSeconds(5), () => server.Peer.State == PeerState.Closed));
        client.Peer.Dispose();
        server.Peer.Dispose();
    }

    private static bool Pass(MemoryPeer from, MemoryPeer to, ushort sequence)
    {
        byte[] buffer = new byte[200];
        buffer[0] = 0x80;
        buffer[2] = (byte)(sequence >> 8);
        buffer[3] = (byte)sequence;
        buffer[100] = 99;
        int length = from.Peer.ProtectRtp(buffer, 172);
        return to.Peer.HandleDatagram(buffer.AsSpan(0, length), from.Address, DtlsPump.Now, out int plain) == PacketKind.Rtp
            && plain == 172 && buffer[100] == 99;
    }
}
