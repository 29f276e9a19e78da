using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Core.Collections;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.DevRoom;
using Proxy.DevRoom.DemoAgent;
using Proxy.DevRoom.Forwarding;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;
using Proxy.WebRtc.Dtls;

namespace Proxy.Server.Rooms;

/// <summary>
/// Room loop. One thread that owns every room of the built-in room server and its UDP mux; the async world reaches it by
/// a bounded mailbox. ADR 0014.
/// </summary>
public sealed class RoomLoop : IDisposable, IMetricsSource
{
    private const ulong MuxToken = 1;
    private const int InputsMax = 65_536;
    private const int DatagramsPerTurn = 256;
    private const int DatagramBytes = 2_048;

    private readonly Reactor _reactor = new();
    private readonly Mailbox<RoomInput> _inputs;
    private readonly UdpSocket _mux;
    private readonly DtlsIdentity _identity;
    private readonly RoomServer _server;
    private readonly Action<string, Exception> _failed;
    private readonly Action<RoomNotice>? _noticed;
    private readonly Dictionary<long, RoomSocket> _sockets = [];
    private readonly byte[] _buffer = new byte[DatagramBytes];
    private volatile bool _isStopping;
    private Thread? _thread;
    private long _lastConnection;

    private RoomLoop(RoomLoopOptions options, UdpSocket mux, Action<string, Exception> failed)
    {
        _failed = failed;
        _noticed = options.Noticed;
        _mux = mux;
        _inputs = new Mailbox<RoomInput>(InputsMax, RingFull.DropNewest, _reactor.Waker);
        _identity = DtlsIdentity.Create();
        long unixMicros = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;
        RoomServerOptions serverOptions = new()
        {
            ApiKey = options.ApiKey,
            ApiSecret = options.ApiSecret,
            HostCandidates = Candidates(mux.Local),
            UnixMicrosAtZero = unixMicros - Clock.Now().Micros,
            DemoAgentRoomPrefix = options.DemoAgentRoomPrefix,
            DemoAgentMode = options.DemoAgentMode,
        };
        _server = new RoomServer(serverOptions, new WebRtcTransportFactory(_identity, SystemRandom.Instance), SystemRandom.Instance);
        _reactor.Watch(mux.Fd, MuxToken);
    }

    /// <summary>Where the UDP mux listens.</summary>
    public NetEndPoint Mux => _mux.Local;

    /// <summary>Room loop's thread writes, others read; a scrape may see two turns mixed.</summary>
    public RoomLoopFigures Figures { get; private set; }

    /// <summary>Async world.</summary>
    public void Write(MetricsWriter writer)
    {
        RoomLoopFigures figures = Figures;
        writer.Gauge("siproom_dev_rooms", "Rooms of the built-in room server.", figures.Rooms);
        writer.Counter("siproom_dev_packets_forwarded_total", "RTP packets that the built-in room server sent to subscribers.", figures.Forwarded);
        writer.Counter("siproom_dev_packets_dropped_total", "Datagrams of the built-in room server that went nowhere.", figures.Dropped);
        if (!figures.LastEchoOnset.IsNever && figures.LastEchoOnset.Micros > 0)
        {
            writer.Gauge("siproom_dev_echo_onset_microseconds", "When sound last began at an echoing demo agent, CLOCK_MONOTONIC.", figures.LastEchoOnset.Micros);
        }
    }

    /// <summary>Binds the mux; <see cref="Start"/> runs the loop.</summary>
    /// <param name="failed">Told what went wrong in a turn; the loop goes on.</param>
    /// <param name="error">One clause when the port cannot be bound.</param>
    public static RoomLoop? TryCreate(RoomLoopOptions options, Action<string, Exception> failed, out string error) =>
        UdpSocket.TryBind(options.Ice, new UdpOptions { ReceiveBytes = 4 << 20, SendBytes = 4 << 20 }, out UdpSocket? mux, out error)
            ? new RoomLoop(options, mux, failed)
            : null;

    public void Start() => _thread = LoopThread.Start("rooms", -1, Run);

    /// <summary>Any thread. Answers a GET below <c>/rtc</c> or of <c>/agent</c>; with 101 the socket gets its frames from then on.</summary>
    internal async Task<(RoomHttpReply Reply, RoomSocket Socket)> OpenAsync(string path, string query, string? bearerToken, bool isWebSocket)
    {
        RoomSocket socket = new(Interlocked.Increment(ref _lastConnection), this);
        RoomHttpReply reply = await AskAsync(new RoomInput
        {
            Kind = RoomInputKind.Open,
            Connection = socket.Connection,
            Name = path,
            Query = query,
            BearerToken = bearerToken,
            Flag = isWebSocket,
            Socket = socket,
            Reply = NewReply(),
        }).ConfigureAwait(false);
        return (reply, socket);
    }

    /// <summary>Any thread. A Twirp call.</summary>
    /// <param name="service"><c>RoomService</c> or <c>AgentDispatchService</c>.</param>
    public Task<RoomHttpReply> CallServiceAsync(string service, string method, byte[] body, bool isJson, string? bearerToken) =>
        AskAsync(new RoomInput
        {
            Kind = RoomInputKind.Service,
            ServiceName = service,
            Name = method,
            Body = body,
            Flag = isJson,
            BearerToken = bearerToken,
            Reply = NewReply(),
        });

    /// <summary>Any thread. Puts a demo agent in a room.</summary>
    public void AddDemoAgent(string room, DemoAgentOptions agent) => Post(new RoomInput { Kind = RoomInputKind.DemoAgent, Name = room, Agent = agent });

    internal void Post(RoomInput input) => _inputs.TryPost(input);

    private static TaskCompletionSource<RoomHttpReply> NewReply() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Task<RoomHttpReply> AskAsync(RoomInput input)
    {
        if (!_inputs.TryPost(input))
        {
            input.Reply!.SetResult(RoomHttpReply.Text(503, "the development room server is overloaded"));
        }
        return input.Reply!.Task;
    }

    // The candidates of a wildcard bind are all the machine's addresses: libwebrtc skips loopback interfaces of its own,
    // but it reaches a loopback candidate of ours from any other address.
    private static List<NetEndPoint> Candidates(NetEndPoint local)
    {
        if (!local.Address.IsUnspecified)
        {
            return [local];
        }
        List<NetEndPoint> candidates = [];
        foreach (System.Net.NetworkInformation.NetworkInterface adapter in System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces())
        {
            foreach (System.Net.NetworkInformation.UnicastIPAddressInformation address in adapter.GetIPProperties().UnicastAddresses)
            {
                NetAddress own = NetAddress.From(address.Address);
                if (own.Scope == 0 && (!own.IsV6 || local.Address.IsV6))
                {
                    candidates.Add(new NetEndPoint(own, local.Port));
                }
            }
        }
        return candidates;
    }

    private void Run()
    {
        while (!_isStopping)
        {
            try
            {
                Turn();
            }
            catch (Exception e)
            {
                // The loop's one catch: the input is lost, the rooms live on.
                _failed("a turn of the room loop failed", e);
            }
        }
    }

    private void Turn()
    {
        MonoTime now = Clock.Now();
        _reactor.Wait(_server.NextDeadline, now);
        now = Clock.Now();
        for (int i = 0; i < DatagramsPerTurn && _mux.TryReceive(_buffer, out int length, out NetEndPoint from); i++)
        {
            _server.Datagram(_buffer.AsSpan(0, length), from, now);
        }
        while (_inputs.TryRead(out RoomInput input))
        {
            try
            {
                Handle(input, now);
            }
            finally
            {
                // Whoever asked never waits for an answer that a fault swallowed.
                input.Reply?.TrySetResult(RoomHttpReply.Text(500, "the development room server failed on this request"));
            }
        }
        if (_server.NextDeadline <= now)
        {
            _server.HandleTimeout(now);
        }
        Flush();
        Figures = new RoomLoopFigures(_server.RoomCount, _server.Forwarded, _server.Dropped, _server.LastEchoOnset);
    }

    private void Handle(RoomInput input, MonoTime now)
    {
        switch (input.Kind)
        {
            case RoomInputKind.Open:
                _sockets[input.Connection] = input.Socket!;
                RoomHttpReply reply = _server.OpenConnection(input.Connection, input.Name, input.Query, input.BearerToken, input.Flag, now);
                if (!reply.IsUpgrade)
                {
                    _sockets.Remove(input.Connection);
                }
                input.Reply!.SetResult(reply);
                break;
            case RoomInputKind.Frame:
                _server.FrameReceived(input.Connection, input.Body, input.Flag, now);
                break;
            case RoomInputKind.Closed:
                _sockets.Remove(input.Connection);
                _server.ConnectionClosed(input.Connection, now);
                break;
            case RoomInputKind.Service:
                input.Reply!.SetResult(_server.CallService(input.ServiceName, input.Name, input.Body, input.Flag, input.BearerToken, now));
                break;
            case RoomInputKind.DemoAgent:
                _server.AddDemoAgent(input.Name, input.Agent!, now);
                break;
        }
    }

    private void Flush()
    {
        while (_server.TryPollSignal(out SignalOutput output))
        {
            if (_sockets.TryGetValue(output.Connection, out RoomSocket? socket))
            {
                socket.Enqueue(output);
            }
        }
        while (_server.TryPollNotice(out RoomNotice notice))
        {
            _noticed?.Invoke(notice);
        }
        while (_server.TryPollDatagram(out ReadOnlySpan<byte> datagram, out NetEndPoint to))
        {
            _mux.Send(datagram, to);
        }
    }

    public void Dispose()
    {
        _isStopping = true;
        _reactor.Waker.Wake();
        _thread?.Join();
        _server.Dispose();
        _identity.Dispose();
        _mux.Dispose();
        _reactor.Dispose();
    }
}

/// <summary>Any thread. How the room loop is set up.</summary>
public sealed record RoomLoopOptions
{
    public string ApiKey { get; init; } = "devkey";

    public string ApiSecret { get; init; } = "secret";

    /// <summary>Address and port of the UDP mux; port 0 lets the kernel choose.</summary>
    public required NetEndPoint Ice { get; init; }

    /// <summary>See <see cref="RoomServerOptions.DemoAgentRoomPrefix"/>.</summary>
    public string DemoAgentRoomPrefix { get; init; } = "";

    public DemoAgentMode DemoAgentMode { get; init; } = DemoAgentMode.GreetAndEcho;

    /// <summary>Room loop. Told who came and went; must not block. Null: nobody.</summary>
    public Action<RoomNotice>? Noticed { get; init; }
}

/// <summary>Any thread. Figures of the room server at the end of a turn.</summary>
public readonly record struct RoomLoopFigures(int Rooms, long Forwarded, long Dropped, MonoTime LastEchoOnset);
