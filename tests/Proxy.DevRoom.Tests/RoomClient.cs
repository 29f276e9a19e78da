using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.DevRoom.DemoAgent;
using Proxy.LiveKit.Protocol;
using Proxy.Rtp.Packets;

namespace Proxy.DevRoom.Tests;

/// <summary>A room server in virtual time with clients that speak plain packets.</summary>
internal sealed class RoomWorld
{
    private long _connections;

    public RoomWorld(string agentPrefix = "", DemoAgentMode mode = DemoAgentMode.GreetAndEcho, IRandom? random = null)
    {
        NetEndPoint.TryParse("127.0.0.1:7882", out NetEndPoint candidate);
        RoomServerOptions options = new()
        {
            HostCandidates = [candidate],
            UnixMicrosAtZero = 1_795_360_000_000_000,
            DemoAgentRoomPrefix = agentPrefix,
            DemoAgentMode = mode,
        };
        Server = new RoomServer(options, Transports, random ?? new SeededRandom(7));
    }

    public RoomServer Server { get; }

    public PlainTransportFactory Transports { get; } = new();

    public MonoTime Now { get; private set; } = new(1_000_000);

    public Dictionary<long, RoomClient> Clients { get; } = [];

    public Dictionary<long, TestWorker> Workers { get; } = [];

    /// <summary>Datagrams that left the mux, oldest first.</summary>
    public List<(byte[] Bytes, NetEndPoint To)> Datagrams { get; } = [];

    public RoomClient Client(string room, string identity, string grants = "") => new(this, ++_connections, room, identity, grants);

    /// <param name="token">An access token for the room.</param>
    public RoomClient ClientWithToken(string identity, string token) => new(this, ++_connections, identity, token);

    /// <summary>A connection of <c>/agent</c> that is not open yet.</summary>
    public TestWorker Worker() => new(this, ++_connections);

    /// <summary>An idle worker that is registered.</summary>
    public TestWorker Worker(string agentName, JobType type = JobType.JtRoom, float load = 0)
    {
        TestWorker worker = Worker();
        worker.Open();
        worker.Register(new RegisterWorkerRequest { AgentName = agentName, Type = type });
        worker.Report(load);
        return worker;
    }

    /// <summary>Notices since the last call, as lines.</summary>
    public List<string> Notices()
    {
        List<string> lines = [];
        while (Server.TryPollNotice(out RoomNotice notice))
        {
            lines.Add(notice.ToString());
        }
        return lines;
    }

    public void Advance(int millis)
    {
        MonoTime end = Now.AddMillis(millis);
        while (Server.NextDeadline <= end)
        {
            Now = Server.NextDeadline > Now ? Server.NextDeadline : Now;
            Server.HandleTimeout(Now);
            Drain();
        }
        Now = end;
    }

    public void Drain()
    {
        while (Server.TryPollSignal(out SignalOutput output))
        {
            if (Clients.TryGetValue(output.Connection, out RoomClient? client))
            {
                client.Take(output);
            }
            if (Workers.TryGetValue(output.Connection, out TestWorker? worker))
            {
                worker.Take(output);
            }
        }
        while (Server.TryPollDatagram(out ReadOnlySpan<byte> datagram, out NetEndPoint to))
        {
            Datagrams.Add((datagram.ToArray(), to));
        }
    }

    public static string Token(string room, string identity, string grants = "", string secret = "secret", string key = "devkey", string claims = "")
    {
        string video = $"\"video\":{{\"roomJoin\":true,\"room\":{JsonSerializer.Serialize(room)},\"canUpdateOwnMetadata\":true{grants}}}";
        return Sign($"{{\"iss\":\"{key}\",\"sub\":{JsonSerializer.Serialize(identity)},\"name\":\"n\",{video}{claims}}}", secret);
    }

    public static string Sign(string claims, string secret = "secret")
    {
        string text = Base64Url.EncodeToString("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"u8) + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims));
        return text + "." + Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(text)));
    }

    /// <summary>The query parameter of a join, padded as it must be.</summary>
    public static string Query(JoinRequest request)
    {
        string text = Convert.ToBase64String(new WrappedJoinRequest { JoinRequest = request.ToByteString() }.ToByteArray());
        return "join_request=" + text.Replace('+', '-').Replace('/', '_').Replace("=", "%3D", StringComparison.Ordinal);
    }

    public RoomHttpReply Api<TRequest>(string method, TRequest request, string grants, string service = "RoomService")
        where TRequest : IMessage
    {
        string token = Sign("{\"iss\":\"devkey\",\"sub\":\"api\",\"video\":{" + grants + "}}");
        RoomHttpReply reply = Server.CallService(service, method, request.ToByteArray(), false, token, Now);
        Drain();
        return reply;
    }
}

/// <summary>One client: its frames, its offers, its packets.</summary>
internal sealed class RoomClient
{
    private readonly RoomWorld _world;
    private readonly string _token;
    private uint _offerId;

    public RoomClient(RoomWorld world, long connection, string room, string identity, string grants)
        : this(world, connection, identity, RoomWorld.Token(room, identity, grants))
    {
    }

    public RoomClient(RoomWorld world, long connection, string identity, string token)
    {
        _world = world;
        Connection = connection;
        Identity = identity;
        _token = token;
        NetEndPoint.TryParse("127.0.0.1:" + (40_000 + connection), out NetEndPoint address);
        Address = address;
        world.Clients[connection] = this;
    }

    public long Connection { get; private set; }

    public string Identity { get; }

    public NetEndPoint Address { get; }

    public List<SignalResponse> Frames { get; } = [];

    public ushort? CloseCode { get; private set; }

    public PlainTransport? Transport { get; private set; }

    public string Sid => Frames.First(frame => frame.Join is not null).Join.Participant.Sid;

    public SignalResponse Last(SignalResponse.MessageOneofCase kind) => Frames.Last(frame => frame.MessageCase == kind);

    public IEnumerable<string> Kinds => Frames.Select(frame => frame.MessageCase.ToString());

    public void Take(SignalOutput output)
    {
        if (output.Kind == SignalOutputKind.Close)
        {
            CloseCode = output.CloseCode;
        }
        else
        {
            Frames.Add(SignalResponse.Parser.ParseFrom(output.Frame));
        }
    }

    /// <param name="send">Codecs of the sending section, or null for none.</param>
    /// <param name="receivers">Recvonly sections.</param>
    public RoomHttpReply Join(string? send = "111 0 8", int receivers = 1, bool subscribes = true, Action<JoinRequest>? change = null)
    {
        JoinRequest request = new()
        {
            ClientInfo = new ClientInfo { Protocol = 16 },
            ConnectionSettings = new ConnectionSettings { AutoSubscribe = subscribes },
            PublisherOffer = new SessionDescription { Type = "offer", Id = ++_offerId, Sdp = Offer(send, receivers) },
        };
        if (send is not null)
        {
            request.AddTrackRequests.Add(new AddTrackRequest { Cid = "mic-" + Identity, Name = "mic", Source = TrackSource.Microphone, DisableRed = true });
        }
        change?.Invoke(request);
        return Open(request);
    }

    public RoomHttpReply Open(JoinRequest request)
    {
        int made = _world.Transports.Made.Count;
        RoomHttpReply reply = _world.Server.OpenConnection(Connection, "/rtc/v1", RoomWorld.Query(request), _token, true, _world.Now);
        _world.Drain();
        Transport = _world.Transports.Made.Count > made ? _world.Transports.Made[^1] : Transport;
        return reply;
    }

    /// <summary>A new connection of the same client.</summary>
    public void MoveTo(long connection)
    {
        Connection = connection;
        _world.Clients[connection] = this;
        CloseCode = null;
    }

    public void Send(SignalRequest request)
    {
        _world.Server.FrameReceived(Connection, request.ToByteArray(), false, _world.Now);
        _world.Drain();
    }

    public void SendOffer(string? send, int receivers) =>
        Send(new SignalRequest { Offer = new SessionDescription { Type = "offer", Id = ++_offerId, Sdp = Offer(send, receivers) } });

    /// <summary>A check that the server's ufrag names; the double connects at once.</summary>
    public void Connect()
    {
        byte[] check = PlainTransport.Check(Transport!.Options.Local.Ufrag);
        _world.Server.Datagram(check, Address, _world.Now);
        _world.Drain();
    }

    public void SendRtp(byte payloadType, ushort sequence, uint timestamp, byte[] payload, int level = 15)
    {
        byte[] packet = new byte[64 + payload.Length];
        int length = RtpWriter.Write(packet, new RtpHeader(payloadType, false, sequence, timestamp, Ssrc), payload, 1, level);
        _world.Server.Datagram(packet.AsSpan(0, length), Address, _world.Now);
        _world.Drain();
    }

    public void RaiseData(string label, DataPacket packet)
    {
        Transport!.Raise(new Proxy.WebRtc.PeerEvent(Proxy.WebRtc.PeerEventKind.Data, label, packet.ToByteArray(), null));
        Connect();
    }

    /// <summary>DTLS says goodbye.</summary>
    public void EndTransport()
    {
        Transport!.Raise(new Proxy.WebRtc.PeerEvent(Proxy.WebRtc.PeerEventKind.Closed, null, null, null));
        Connect();
    }

    public uint Ssrc => 1000 + (uint)Connection;

    private string Offer(string? send, int receivers)
    {
        StringBuilder sdp = new("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
        int count = receivers + (send is null ? 0 : 1);
        for (int i = 0; i <= count; i++)
        {
            sdp.Append(' ').Append(i);
        }
        sdp.Append("\r\na=fingerprint:sha-256 ").Append(string.Join(':', Enumerable.Repeat("AB", 32))).Append("\r\n");
        int mid = 0;
        if (send is not null)
        {
            Section(sdp, mid++, send, $"a=ssrc:{Ssrc} cname:c\r\na=msid:- mic-{Identity}\r\na=sendonly\r\n");
        }
        for (int i = 0; i < receivers; i++)
        {
            Section(sdp, mid++, send ?? "111 0 8", "a=recvonly\r\n");
        }
        return sdp.Append($"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=setup:actpass\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\na=sctp-port:5000\r\n").ToString();
    }

    private static void Section(StringBuilder sdp, int mid, string formats, string tail) =>
        sdp.Append($"m=audio 9 UDP/TLS/RTP/SAVPF {formats}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=setup:actpass\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\n")
            .Append("a=rtcp-mux\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n")
            .Append(tail);
}
