using System;
using System.Collections.Generic;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.WebRtc.Dtls;

namespace Proxy.WebRtc.Tests.Simulation;

/// <summary>One owner. Two of our peers and the network between them, in virtual time, from one seed.</summary>
internal sealed class PeerPair : IDisposable
{
    private readonly SeededRandom _random;
    private readonly PriorityQueue<Packet, (long At, long Order)> _wire = new();
    private long _order;

    public PeerPair(ulong seed, Action<PairOptions>? configure = null)
    {
        _random = new SeededRandom(seed);
        Options = new PairOptions();
        configure?.Invoke(Options);
        IDtlsFactory clientDtls = Options.ClientDtls ?? new PlainDtlsFactory(_random);
        IDtlsFactory serverDtls = Options.ServerDtls ?? new PlainDtlsFactory(_random);
        Client = new Side(this, "10.0.0.1:1000", true, Options.ClientSetup, clientDtls, Options.OpenChannels);
        Server = new Side(this, "10.0.0.2:2000", Options.IsServerFull, Options.ServerSetup, serverDtls, []);
        Client.Other = Server;
        Server.Other = Client;
    }

    public PairOptions Options { get; }

    public Side Client { get; }

    public Side Server { get; }

    public MonoTime Now { get; private set; } = MonoTime.FromMillis(1);

    /// <summary>Whether anything at all gets through.</summary>
    public bool IsCut { get; set; }

    public int Delivered { get; private set; }

    /// <summary>Gives both sides the other's description; the server knows ours first, as in an offer and its answer.</summary>
    public void Describe(bool withCandidates = true)
    {
        Server.SetRemote(withCandidates);
        Client.SetRemote(withCandidates);
    }

    /// <summary>Runs until the condition holds or the time is over.</summary>
    public bool Run(TimeSpan time, Func<bool>? until = null)
    {
        MonoTime end = Now + time;
        Client.Flush();
        Server.Flush();
        while (until is null || !until())
        {
            MonoTime next = MonoTime.Min(Client.Peer.NextDeadline, Server.Peer.NextDeadline);
            if (_wire.TryPeek(out _, out (long At, long Order) first))
            {
                next = MonoTime.Min(next, new MonoTime(first.At));
            }
            if (next > end)
            {
                Now = end;
                return until is not null && until();
            }
            Now = next > Now ? next : Now;
            Step();
        }
        return true;
    }

    public void Dispose()
    {
        Client.Peer.Dispose();
        Server.Peer.Dispose();
    }

    internal void Send(Side from, NetEndPoint to, ReadOnlySpan<byte> bytes)
    {
        int copies = IsCut || _random.Next(1000) < Options.LossPerMille ? 0 : _random.Next(1000) < Options.DuplicatePerMille ? 2 : 1;
        for (; copies > 0; copies--)
        {
            long delay = Options.DelayMicros + (Options.JitterMicros == 0 ? 0 : _random.Next(Options.JitterMicros));
            byte[] packet = bytes.ToArray();
            if (packet.Length > 0 && _random.Next(1000) < Options.DamagePerMille)
            {
                Damage(packet);
            }
            _wire.Enqueue(new Packet(from, to, packet), (Now.Micros + delay, _order++));
        }
    }

    /// <summary>Changes a few bytes; not the double's handshake and alerts, which nothing protects.</summary>
    private void Damage(byte[] packet)
    {
        if (packet[0] is 21 or 22)
        {
            return;
        }
        for (int flips = _random.Next(5); flips >= 0; flips--)
        {
            packet[1 + _random.Next(packet.Length - 1)] = (byte)_random.Next(256);
        }
    }

    private void Step()
    {
        while (_wire.TryPeek(out Packet? packet, out (long At, long Order) first) && first.At <= Now.Micros)
        {
            _wire.Dequeue();
            Side target = packet.From.Other!;
            if (packet.To == target.Address)
            {
                Delivered++;
                target.Receive(packet.Bytes, packet.From.Address);
            }
        }
        foreach (Side side in (Side[])[Client, Server])
        {
            if (side.Peer.NextDeadline <= Now)
            {
                side.Peer.HandleTimeout(Now);
            }
            side.Flush();
        }
    }

    private sealed record Packet(Side From, NetEndPoint To, byte[] Bytes);

    internal sealed class Side
    {
        private readonly PeerPair _pair;
        private readonly IDtlsFactory _dtls;
        private readonly SetupRole _setup;

        public Side(PeerPair pair, string address, bool isFull, SetupRole setup, IDtlsFactory dtls, IReadOnlyList<string> channels)
        {
            _pair = pair;
            _dtls = dtls;
            _setup = setup;
            IsLite = !isFull;
            NetEndPoint.TryParse(address, out NetEndPoint parsed);
            Address = parsed;
            Credentials = IceCredentials.Create(pair._random);
            Peer = new PeerConnection(
                new PeerOptions
                {
                    Local = Credentials,
                    IsControlling = isFull,
                    Setup = setup,
                    HasData = pair.Options.HasData,
                    OpenChannels = channels,
                },
                dtls,
                pair._random,
                pair.Now);
        }

        public Side? Other { get; set; }

        public NetEndPoint Address { get; set; }

        public bool IsLite { get; }

        public IceCredentials Credentials { get; set; }

        public PeerConnection Peer { get; }

        public List<PeerEvent> Events { get; } = [];

        public List<byte[]> Media { get; } = [];

        public List<PacketKind> Kinds { get; } = [];

        public RemoteDescription Describe(bool withCandidates, byte[]? fingerprint = null) => new(
            Credentials, IsLite, fingerprint ?? _dtls.FingerprintSha256, _setup, withCandidates ? [Address] : []);

        public void SetRemote(bool withCandidates = true, byte[]? fingerprint = null)
        {
            Peer.SetRemote(Other!.Describe(withCandidates, fingerprint), _pair.Now);
            Flush();
        }

        public void Receive(byte[] datagram, NetEndPoint from)
        {
            PacketKind kind = Peer.HandleDatagram(datagram, from, _pair.Now, out int length);
            Kinds.Add(kind);
            if (kind is PacketKind.Rtp or PacketKind.Rtcp)
            {
                Media.Add(datagram[..length]);
            }
            Flush();
        }

        public void Flush()
        {
            Span<byte> buffer = stackalloc byte[1500];
            while (Peer.TryPollDatagram(buffer, out int length, out NetEndPoint to))
            {
                _pair.Send(this, to, buffer[..length]);
            }
            while (Peer.TryPollEvent(out PeerEvent peerEvent))
            {
                Events.Add(peerEvent);
            }
        }

        public bool SendRtp(ushort sequence)
        {
            byte[] buffer = new byte[200];
            buffer[0] = 0x80;
            buffer[2] = (byte)(sequence >> 8);
            buffer[3] = (byte)sequence;
            buffer[11] = 1;
            buffer.AsSpan(12, 160).Fill((byte)sequence);
            int length = Peer.ProtectRtp(buffer, 172);
            _pair.Send(this, Peer.Remote, buffer.AsSpan(0, length));
            return length > 172;
        }
    }
}

/// <summary>How the network of a <see cref="PeerPair"/> behaves and what its sides are.</summary>
internal sealed class PairOptions
{
    public int LossPerMille { get; set; }

    public int DuplicatePerMille { get; set; }

    public int DamagePerMille { get; set; }

    public int DelayMicros { get; set; } = 1_000;

    public int JitterMicros { get; set; }

    public bool IsServerFull { get; set; }

    public SetupRole ClientSetup { get; set; } = SetupRole.ActPass;

    public SetupRole ServerSetup { get; set; } = SetupRole.Active;

    public bool HasData { get; set; }

    public string[] OpenChannels { get; set; } = [];

    public IDtlsFactory? ClientDtls { get; set; }

    public IDtlsFactory? ServerDtls { get; set; }
}
