using System;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Proxy.Bridge.Records;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Server.Config;
using Proxy.Server.Node;
using Proxy.Server.Store;
using Xunit;

namespace Proxy.Server.Tests.Node;

/// <summary>A whole node in this process on ports of the kernel's choice, and a caller made of text. Its room server takes connections and says nothing: calls ring.</summary>
internal sealed class NodeRig : IDisposable
{
    private readonly UdpClient _caller = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly TcpListener _silence = new(IPAddress.Loopback, 0);
    private int _number;

    public NodeRig(Func<ServerConfig, ServerConfig>? change = null)
    {
        _silence.Start();
        var loopback = new NetEndPoint(NetAddress.FromV4(0x7F000001), 0);
        // A machine that is busy with something else must neither refuse a call nor let its time run out: nothing here waits for a clock.
        var limits = new Limits { CpuMax = 100, RoomJoinTimeout = TimeSpan.FromHours(1), RingingTimeout = TimeSpan.FromHours(1) };
        var config = new ServerConfig { Limits = limits, IsDev = true, ApiKey = "devkey", ApiSecret = "secret", SipListen = loopback, SipPortAnnounced = 0, Http = loopback, WsUrls = [$"ws://{_silence.LocalEndpoint}"] };
        Config = change?.Invoke(config) ?? config;
        Policy = PolicyRuntime.TryOpen(Config, _ => { }, out string error)!;
        Assert.True(Policy is not null, error);
        SiproomNode? node = SiproomNode.TryCreate(Config, Policy.Policy, NullLogger.Instance, Records.Enqueue, out error, Policy.Lists);
        Assert.True(node is not null, error);
        Node = node;
        Target = node.SipLocal;
        Node.Start();
    }

    public ServerConfig Config { get; }

    public PolicyRuntime Policy { get; }

    /// <summary>Requests that <see cref="SendAsync"/> sent.</summary>
    public int Sent => _number;

    /// <summary>Where requests go; the node's first listener.</summary>
    public NetEndPoint Target { get; set; }

    public SiproomNode Node { get; }

    public ConcurrentQueue<CallRecord> Records { get; } = new();

    public IPEndPoint Caller => (IPEndPoint)_caller.Client.LocalEndPoint!;

    public static string Offer => "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n";

    /// <summary>Sends a request with a dialog of its own; returns its Call-ID.</summary>
    public async Task<string> SendAsync(string method, string user = "room-kitchen", string extra = "")
    {
        _number++;
        string body = method == "INVITE" ? Offer : "";
        string type = body.Length > 0 ? "Content-Type: application/sdp\r\n" : "";
        string id = $"rig-{_number}@caller";
        await SendRawAsync($"{method} sip:{user}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {Caller};branch=z9hG4bKr{_number};rport\r\nMax-Forwards: 70\r\n"
            + $"From: <sip:+15550199@127.0.0.1>;tag=c{_number}\r\nTo: <sip:{user}@127.0.0.1>\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\n"
            + $"Contact: <sip:+15550199@{Caller}>\r\n{extra}{type}Content-Length: {body.Length}\r\n\r\n{body}");
        return id;
    }

    public async Task SendRawAsync(string message) =>
        await _caller.SendAsync(Encoding.UTF8.GetBytes(message), new IPEndPoint(Target.Address.ToIPAddress(), Target.Port));

    /// <summary>The next message that is no 100.</summary>
    public async Task<string> ReceiveAsync(TimeSpan? most = null)
    {
        using var patience = new CancellationTokenSource(most ?? TimeSpan.FromMinutes(2));
        while (true)
        {
            UdpReceiveResult datagram = await _caller.ReceiveAsync(patience.Token);
            string message = Encoding.UTF8.GetString(datagram.Buffer);
            if (!message.StartsWith("SIP/2.0 100", StringComparison.Ordinal))
            {
                return message;
            }
        }
    }

    public void Dispose()
    {
        Node.Stop(TimeSpan.FromSeconds(1));
        Node.Dispose();
        Policy.Dispose();
        _caller.Dispose();
        _silence.Dispose();
    }
}
