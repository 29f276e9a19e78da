using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Rtcp;
using Proxy.WebRtc;
using Proxy.WebRtc.Dtls;
using Xunit;

namespace Proxy.Participant.Tests;

/// <summary>
/// A whole participant and a room server's transport in memory: the signalling machine, its media half, and a peer that
/// answers with the stock server's words. Real OpenSSL and SRTP; virtual time, which is enough on a link that loses nothing.
/// </summary>
internal sealed class MediaPair : IDisposable
{
    public const uint RemoteSsrc = 918470551;

    private readonly DtlsIdentity _clientIdentity = DtlsIdentity.Create();
    private readonly DtlsIdentity _serverIdentity = DtlsIdentity.Create();
    private readonly SeededRandom _random = new(7);
    private readonly NetEndPoint _clientAddress = Parse("127.0.0.1:40000");
    private readonly NetEndPoint _serverAddress = Parse("127.0.0.1:17002");
    private readonly byte[] _buffer = new byte[1_500];

    public MediaPair(RoomCodec codec = RoomCodec.Pcmu, bool hasData = false)
    {
        RoomJoin join = ParticipantHarness.Join(codec) with { Ice = IceCredentials.Create(_random), Fingerprint = _clientIdentity.FingerprintSha256 };
        Signal = new ParticipantHarness(join);
        var options = new PeerOptions
        {
            Local = join.Ice,
            IsControlling = true,
            Setup = SetupRole.ActPass,
            HasData = hasData,
            OpenChannels = hasData ? ["_reliable", "_lossy"] : [],
        };
        Media = new RoomMedia(new PeerConnection(options, _clientIdentity, _random, Now), join.Ssrc, join.Cname, 65_530, 1_000);
        ServerIce = IceCredentials.Create(_random);
        ServerPeer = new PeerConnection(
            new PeerOptions { Local = ServerIce, IsControlling = false, Setup = SetupRole.Active, HasData = hasData }, _serverIdentity, _random, Now);
        ServerPeer.SetRemote(new RemoteDescription(join.Ice, false, join.Fingerprint, SetupRole.ActPass, []), Now);
    }

    public MonoTime Now { get; private set; } = MonoTime.FromMillis(5_000);

    public ParticipantHarness Signal { get; }

    public RoomMedia Media { get; }

    public PeerConnection ServerPeer { get; }

    public IceCredentials ServerIce { get; }

    /// <summary>Plain RTP and RTCP that the server got.</summary>
    public List<byte[]> ServerRtp { get; } = [];

    public List<byte[]> ServerRtcp { get; } = [];

    public List<PeerEvent> ServerEvents { get; } = [];

    /// <summary>Dials, joins, answers with <paramref name="answer"/> and waits until both sides are up.</summary>
    public void Connect(string answer = "minimal.2.answer", params (string Mid, string Track)[] map)
    {
        Signal.Start();
        Signal.Open();
        Signal.Receive(Server.Join(Server.Participant("PA_hMdgAAANNYgq", "agent", 1, Server.Audio("TR_AMR5WSDyQctood"))));
        Signal.Receive(Server.Published());
        Answer(answer, 1, map);
        Signal.Receive(Server.Trickle("candidate:1 1 udp 2130706431 127.0.0.1 17002 typ host"));
        Run(200, () => Signal.Machine.IsActive && ServerPeer.State == PeerState.Connected);
        Assert.True(Signal.Machine.IsActive);
        Assert.Equal(PeerState.Connected, ServerPeer.State);
    }

    /// <summary>A captured answer with this server's own transport in it.</summary>
    public void Answer(string file, uint id, params (string Mid, string Track)[] map)
    {
        string sdp = Server.Sdp(file);
        string hash = string.Join(':', _serverIdentity.FingerprintSha256.ToArray().Select(b => b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture)));
        sdp = Regex.Replace(sdp, "sha-256 [0-9A-F:]+", "sha-256 " + hash);
        sdp = Regex.Replace(sdp, "a=ice-ufrag:[^\r]+", "a=ice-ufrag:" + ServerIce.Ufrag);
        sdp = Regex.Replace(sdp, "a=ice-pwd:[^\r]+", "a=ice-pwd:" + ServerIce.Pwd);
        sdp = Regex.Replace(sdp, "a=candidate:[^\r]+\r\n", "");
        Signal.Receive(Server.AnswerText(sdp, id, map));
    }

    /// <summary>Lets time pass, 1 ms a step, and carries everything.</summary>
    public void Run(int millis, Func<bool>? until = null)
    {
        for (int i = 0; i < millis && (until is null || !until()); i++)
        {
            Now = Now.AddMillis(1);
            Step();
        }
    }

    public void Step()
    {
        foreach (MediaCommand command in Signal.Commands)
        {
            Media.Handle(command, Now);
        }
        Signal.Commands.Clear();
        if (Media.NextDeadline <= Now)
        {
            Media.HandleTimeout(Now);
        }
        if (ServerPeer.NextDeadline <= Now)
        {
            ServerPeer.HandleTimeout(Now);
        }
        for (bool moved = true; moved;)
        {
            moved = CarryToServer() | CarryToClient();
        }
        while (Media.TryPollEvent(out PeerEvent peerEvent))
        {
            Signal.Peer(peerEvent.Kind, peerEvent.Label, peerEvent.Payload, peerEvent.Reason);
        }
        while (ServerPeer.TryPollEvent(out PeerEvent peerEvent))
        {
            ServerEvents.Add(peerEvent);
        }
    }

    /// <summary>Hands the server what the track wrote.</summary>
    public void Send(Span<byte> datagram)
    {
        Assert.Equal(_serverAddress, Media.Remote);
        ToServer(datagram);
    }

    /// <summary>A downlink packet of the server, as it arrives at our port.</summary>
    public RoomPacket Receive(uint ssrc, byte payloadType, ushort sequence, byte[] payload, out byte[] plain)
    {
        byte[] datagram = new byte[1_500];
        int length = RtpWriter.Write(datagram, new RtpHeader(payloadType, false, sequence, sequence * 160u, ssrc), payload);
        length = ServerPeer.ProtectRtp(datagram, length);
        RoomPacket packet = Media.HandleDatagram(datagram.AsSpan(0, length), _serverAddress, Now);
        plain = datagram[..packet.Length];
        return packet;
    }

    /// <summary>An encrypted downlink packet, to be handled by the caller.</summary>
    public byte[] Protected(uint ssrc, byte payloadType, ushort sequence, byte[] payload)
    {
        byte[] datagram = new byte[1_500];
        int length = RtpWriter.Write(datagram, new RtpHeader(payloadType, false, sequence, sequence * 160u, ssrc), payload);
        return datagram[..ServerPeer.ProtectRtp(datagram, length)];
    }

    public void ReceiveReport(in SenderInfo? info, ReadOnlySpan<ReportBlock> blocks, uint ssrc)
    {
        byte[] datagram = new byte[1_500];
        int length = RtcpWriter.WriteReport(datagram, ssrc, info, blocks, "server"u8);
        length = ServerPeer.ProtectRtcp(datagram, length);
        Assert.Equal(RoomPacketKind.Consumed, Media.HandleDatagram(datagram.AsSpan(0, length), _serverAddress, Now).Kind);
    }

    public NetEndPoint ServerAddress => _serverAddress;

    public void Dispose()
    {
        Media.Dispose();
        ServerPeer.Dispose();
        _clientIdentity.Dispose();
        _serverIdentity.Dispose();
    }

    private static NetEndPoint Parse(string text) => NetEndPoint.TryParse(text, out NetEndPoint parsed) ? parsed : default;

    private bool CarryToServer()
    {
        bool moved = false;
        while (Media.TryPollDatagram(_buffer, out int length, out NetEndPoint to))
        {
            moved = true;
            if (to == _serverAddress)
            {
                ToServer(_buffer.AsSpan(0, length));
            }
        }
        return moved;
    }

    private bool CarryToClient()
    {
        bool moved = false;
        while (ServerPeer.TryPollDatagram(_buffer, out int length, out NetEndPoint to))
        {
            moved = true;
            if (to == _clientAddress)
            {
                Media.HandleDatagram(_buffer.AsSpan(0, length), _serverAddress, Now);
            }
        }
        return moved;
    }

    private void ToServer(Span<byte> datagram)
    {
        PacketKind kind = ServerPeer.HandleDatagram(datagram, _clientAddress, Now, out int length);
        if (kind == PacketKind.Rtp)
        {
            ServerRtp.Add(datagram[..length].ToArray());
        }
        else if (kind == PacketKind.Rtcp)
        {
            ServerRtcp.Add(datagram[..length].ToArray());
        }
    }
}
