using System;
using System.Collections.Concurrent;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.Core.Collections;
using Proxy.Server.Dns;
using Proxy.Server.Http;
using Proxy.Server.Tests.Http;
using Proxy.Server.WebSockets;
using Xunit;

namespace Proxy.Server.Tests.WebSockets;

public sealed class SignalDialerTests
{
    private static readonly SignalSocketKey s_key = new(new SlotId(3, 1), 1);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Messages_go_both_ways_whole_and_in_order_and_a_close_is_answered()
    {
        await using HttpHost host = await HttpHostTests.StartAsync(new Room());
        using SignalDialer dialer = new(new SignalDialerOptions(), new DnsCache());
        Sink sink = new();
        SignalSocketPump pump = dialer.Dial(s_key, $"ws://localhost:{host.Local.Port}/rtc/v1?join_request=abc", "the-token", sink);
        byte[] large = new byte[300_000];
        new Random(1).NextBytes(large);
        Assert.True(pump.TrySend("one"u8.ToArray()));
        Assert.True(pump.TrySend(large));
        Assert.Equal("opened", await sink.NextAsync());
        Assert.Equal("message Bearer the-token ?join_request=abc", await sink.NextAsync());
        Assert.Equal("message one", await sink.NextAsync());
        Assert.Equal("message of 300000", await sink.NextAsync());
        Assert.Equal(large, sink.LastMessage);
        pump.Close();
        Assert.Equal("closed 1000", await sink.NextAsync());
        Assert.False(pump.TrySend("late"u8.ToArray()));
        Assert.Equal(s_key, sink.Key);
    }

    [Fact]
    public async Task Refusal_tells_status_and_body()
    {
        await using HttpHost host = await HttpHostTests.StartAsync(new Room());
        using SignalDialer dialer = new(new SignalDialerOptions(), new DnsCache());
        Sink sink = new();
        dialer.Dial(s_key, $"ws://{host.Local}/refuse", "t", sink);
        Assert.Equal("refused 401 no permissions to access the room", await sink.NextAsync());
    }

    [Fact]
    public async Task Nobody_listening_is_a_refusal_without_status()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        taken.Stop();
        using SignalDialer dialer = new(new SignalDialerOptions(), new DnsCache());
        Sink sink = new();
        dialer.Dial(s_key, $"ws://127.0.0.1:{port}/rtc", "t", sink);
        Assert.StartsWith("refused 0 ", await sink.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_that_never_answers_is_given_up_after_the_dial_timeout()
    {
        using TcpListener silent = new(IPAddress.Loopback, 0);
        silent.Start();
        using SignalDialer dialer = new(new SignalDialerOptions { DialTimeout = TimeSpan.FromMilliseconds(200) }, new DnsCache());
        Sink sink = new();
        dialer.Dial(s_key, $"ws://{silent.LocalEndpoint}/rtc", "t", sink);
        Assert.StartsWith("refused 0 no answer within", await sink.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dial_that_is_closed_early_is_refused_and_not_opened()
    {
        using TcpListener silent = new(IPAddress.Loopback, 0);
        silent.Start();
        using SignalDialer dialer = new(new SignalDialerOptions(), new DnsCache());
        Sink sink = new();
        SignalSocketPump pump = dialer.Dial(s_key, $"ws://{silent.LocalEndpoint}/rtc", "t", sink);
        pump.Close();
        Assert.Equal("refused 0 given up", await sink.NextAsync());
    }

    [Fact]
    public async Task Dead_server_is_skipped_and_the_next_one_of_the_list_is_dialled()
    {
        using TcpListener silent = new(IPAddress.Loopback, 0);
        silent.Start();
        await using HttpHost host = await HttpHostTests.StartAsync(new Room());
        string dead = $"http://{silent.LocalEndpoint}/";
        SignalServers servers = new([dead, $"ws://{host.Local}"]);
        using SignalDialer dialer = new(new SignalDialerOptions { NextServerAfter = TimeSpan.FromMilliseconds(200) }, new DnsCache(), servers);
        Sink sink = new();
        dialer.Dial(s_key, $"ws://{silent.LocalEndpoint}/rtc/v1?join_request=abc", "the-token", sink);
        Assert.Equal("opened", await sink.NextAsync());
        Assert.Equal("message Bearer the-token ?join_request=abc", await sink.NextAsync());
        // The dead one is asked last from now on: nobody waits for it again.
        Assert.Equal($"ws://{host.Local}/rtc", servers.InOrder($"ws://{silent.LocalEndpoint}/rtc")[0].Url);
    }

    [Fact]
    public async Task No_of_the_first_server_is_final_and_all_dead_is_one_refusal()
    {
        await using HttpHost host = await HttpHostTests.StartAsync(new Room());
        using SignalDialer dialer = new(new SignalDialerOptions(), new DnsCache(), new SignalServers([$"ws://{host.Local}", "ws://127.0.0.1:1"]));
        Sink sink = new();
        dialer.Dial(s_key, $"ws://{host.Local}/refuse", "t", sink);
        Assert.Equal("refused 401 no permissions to access the room", await sink.NextAsync());
        using SignalDialer dead = new(new SignalDialerOptions(), new DnsCache(), new SignalServers(["ws://127.0.0.1:1", "ws://127.0.0.1:2"]));
        dead.Dial(s_key, "ws://127.0.0.1:1/rtc", "t", sink);
        Assert.StartsWith("refused 0 ", await sink.NextAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not a url")]
    [InlineData("ftp://x/")]
    [InlineData("ws://:0")]
    [InlineData("")]
    public async Task Broken_address_is_a_refusal(string url)
    {
        using SignalDialer dialer = new(new SignalDialerOptions(), new DnsCache(lookUp: _ => throw new SocketException(11001)));
        Sink sink = new();
        dialer.Dial(s_key, url, "t", sink);
        Assert.StartsWith("refused 0 ", await sink.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Message_above_the_limit_closes_the_socket()
    {
        await using HttpHost host = await HttpHostTests.StartAsync(new Room());
        using SignalDialer dialer = new(new SignalDialerOptions { MessageBytes = 1000 }, new DnsCache());
        Sink sink = new();
        SignalSocketPump pump = dialer.Dial(s_key, $"ws://{host.Local}/rtc/v1", "t", sink);
        Assert.Equal("opened", await sink.NextAsync());
        await sink.NextAsync();
        pump.TrySend(new byte[1000]);
        Assert.Equal("message of 1000", await sink.NextAsync());
        pump.TrySend(new byte[1001]);
        Assert.Equal("closed 1009", await sink.NextAsync());
    }

    [Fact]
    public async Task Server_that_vanishes_is_reported_as_1006_once()
    {
        await using HttpHost host = await HttpHostTests.StartAsync(new Room());
        using SignalDialer dialer = new(new SignalDialerOptions(), new DnsCache());
        Sink sink = new();
        SignalSocketPump pump = dialer.Dial(s_key, $"ws://{host.Local}/rtc/v1", "t", sink);
        Assert.Equal("opened", await sink.NextAsync());
        await sink.NextAsync();
        pump.TrySend("vanish"u8.ToArray());
        Assert.Equal("closed 1006", await sink.NextAsync());
    }

    /// <summary>Echoes; the first message says what the request carried.</summary>
    private sealed class Room : IHttpModule
    {
        public void Map(WebApplication app)
        {
            app.MapGet("/rtc/v1", async context =>
            {
                using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync();
                string said = context.Request.Headers.Authorization + " " + context.Request.QueryString;
                await socket.SendAsync(Encoding.UTF8.GetBytes(said), WebSocketMessageType.Binary, true, CancellationToken.None);
                byte[] buffer = new byte[400_000];
                while (true)
                {
                    int length = 0;
                    ValueWebSocketReceiveResult result;
                    do
                    {
                        result = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                        length += result.Count;
                    }
                    while (!result.EndOfMessage);
                    if (result.MessageType == WebSocketMessageType.Close)
                    {
                        await socket.CloseOutputAsync(socket.CloseStatus ?? WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
                        return;
                    }
                    if (buffer.AsSpan(0, length).SequenceEqual("vanish"u8))
                    {
                        context.Abort();
                        return;
                    }
                    await socket.SendAsync(buffer.AsMemory(0, length), WebSocketMessageType.Binary, true, CancellationToken.None);
                }
            });
            app.MapGet("/refuse", context =>
            {
                context.Response.StatusCode = 401;
                return context.Response.WriteAsync("no permissions to access the room");
            });
        }
    }

    private sealed class Sink : ISignalSocketSink
    {
        private readonly ConcurrentQueue<string> _events = new();
        private readonly SemaphoreSlim _more = new(0);

        public byte[] LastMessage { get; private set; } = [];

        public SignalSocketKey Key { get; private set; }

        public async Task<string> NextAsync()
        {
            Assert.True(await _more.WaitAsync(s_patience), "nothing happened");
            Assert.True(_events.TryDequeue(out string? next));
            return next;
        }

        public void Opened(SignalSocketKey key) => Add(key, "opened");

        public void Message(SignalSocketKey key, byte[] message)
        {
            LastMessage = message;
            Add(key, message.Length < 100 ? "message " + Encoding.UTF8.GetString(message) : $"message of {message.Length}");
        }

        public void Closed(SignalSocketKey key, int code) => Add(key, $"closed {code}");

        public void Refused(SignalSocketKey key, int httpStatus, byte[] body) => Add(key, $"refused {httpStatus} {Encoding.UTF8.GetString(body)}");

        private void Add(SignalSocketKey key, string what)
        {
            Key = key;
            _events.Enqueue(what);
            _more.Release();
        }
    }
}
