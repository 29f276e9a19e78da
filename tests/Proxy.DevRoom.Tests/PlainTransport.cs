using System;
using System.Collections.Generic;
using System.Text;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.DevRoom.Forwarding;
using Proxy.WebRtc;

namespace Proxy.DevRoom.Tests;

/// <summary>Transports without ICE, DTLS and SRTP: packets are plain, a STUN-like datagram connects, data is handed over.</summary>
internal sealed class PlainTransportFactory : IPeerTransportFactory
{
    public List<PlainTransport> Made { get; } = [];

    public ReadOnlyMemory<byte> FingerprintSha256 => new byte[32];

    public IPeerTransport Create(PeerOptions options, MonoTime now)
    {
        PlainTransport transport = new(options);
        Made.Add(transport);
        return transport;
    }
}

internal sealed class PlainTransport(PeerOptions options) : IPeerTransport
{
    private readonly Queue<PeerEvent> _events = new();

    public PeerOptions Options => options;

    public List<(string Label, byte[] Payload)> Sent { get; } = [];

    public bool IsClosed { get; private set; }

    public PeerState State { get; private set; } = PeerState.Connecting;

    public NetEndPoint Remote { get; private set; }

    public MonoTime NextDeadline => MonoTime.Never;

    public void SetRemote(RemoteDescription remote, MonoTime now)
    {
    }

    public void SetLocalCredentials(IceCredentials local, MonoTime now)
    {
    }

    public void AddRemoteCandidate(in NetEndPoint candidate, MonoTime now)
    {
    }

    /// <summary>What the tests do in place of checks and a handshake.</summary>
    public void Raise(PeerEvent peerEvent) => _events.Enqueue(peerEvent);

    public PacketKind HandleDatagram(Span<byte> datagram, in NetEndPoint from, MonoTime now, out int length)
    {
        length = datagram.Length;
        if (datagram.Length < 2)
        {
            return PacketKind.Dropped;
        }
        if (datagram[0] <= 3)
        {
            if (State == PeerState.Connecting)
            {
                State = PeerState.Connected;
                Remote = from;
                _events.Enqueue(new PeerEvent(PeerEventKind.Connected, null, null, null));
            }
            return PacketKind.Consumed;
        }
        return datagram[1] is >= 192 and <= 223 ? PacketKind.Rtcp : PacketKind.Rtp;
    }

    public int ProtectRtp(Span<byte> buffer, int length) => length;

    public int ProtectRtcp(Span<byte> buffer, int length) => length;

    public bool TryPollDatagram(Span<byte> buffer, out int length, out NetEndPoint to)
    {
        length = 0;
        to = default;
        return false;
    }

    public bool TryPollEvent(out PeerEvent peerEvent) => _events.TryDequeue(out peerEvent);

    public void HandleTimeout(MonoTime now)
    {
    }

    public bool SendData(string label, ReadOnlySpan<byte> payload, MonoTime now)
    {
        Sent.Add((label, payload.ToArray()));
        return true;
    }

    public void Close(MonoTime now) => IsClosed = true;

    public void Dispose()
    {
    }

    /// <summary>A STUN binding request with the USERNAME <c>local:remote</c> and nothing else.</summary>
    public static byte[] Check(string localUfrag)
    {
        byte[] name = Encoding.ASCII.GetBytes(localUfrag + ":remote");
        int padded = (name.Length + 3) & ~3;
        byte[] datagram = new byte[20 + 4 + padded];
        datagram[1] = 1;
        datagram[3] = (byte)(4 + padded);
        new byte[] { 0x21, 0x12, 0xA4, 0x42 }.CopyTo(datagram, 4);
        datagram[21] = 6;
        datagram[23] = (byte)name.Length;
        name.CopyTo(datagram, 24);
        return datagram;
    }
}
