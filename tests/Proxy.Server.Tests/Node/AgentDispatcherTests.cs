using System;
using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging.Abstractions;
using Proxy.Bridge.Rooms;
using Proxy.Core;
using Proxy.Core.Collections;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.DevRoom;
using Proxy.Server.Dns;
using Proxy.Server.Http;
using Proxy.Server.Linux;
using Proxy.Server.Node;
using Proxy.Server.Rooms;
using Proxy.Server.Signal;
using Proxy.Server.Tests.Http;
using Proxy.Server.WebSockets;
using Xunit;

namespace Proxy.Server.Tests.Node;

/// <summary>Explicit dispatch of agents over HTTP, against the built-in room server.</summary>
public sealed class AgentDispatcherTests
{
    private static readonly NetEndPoint s_loopback = new(NetAddress.FromV4(0x7F000001), 0);

    [Fact]
    public async Task Agents_of_a_rule_are_dispatched_at_the_server_that_works_and_a_refusal_comes_back_to_the_call()
    {
        AgentBoard board = new();
        ConcurrentQueue<string> notices = new();
        RoomLoopOptions options = new()
        {
            Ice = s_loopback,
            Noticed = notice =>
            {
                board.Take(notice);
                notices.Enqueue(notice.ToString());
            },
        };
        using RoomLoop loop = RoomLoop.TryCreate(options, (what, e) => throw new InvalidOperationException(what, e), out _)!;
        loop.Start();
        await using HttpHost host = await HttpHostTests.StartAsync(new RoomsModule(loop));
        using Waker waker = new();
        SignalMailboxes mail = new(new Limits(), waker, e => throw e);
        using SignalDialer dialer = new(new SignalDialerOptions(), new DnsCache(), new SignalServers(["ws://127.0.0.1:9", $"ws://{host.Local}"]));
        Make(dialer, mail, "secret").Dispatch(default, "SCL_1", "r", "{\"agents\":[{\"agentName\":\"inbound\",\"metadata\":\"m\"}]}");
        await UntilAsync(() => !notices.IsEmpty);
        Assert.Equal("no worker takes the job of agent 'inbound' in room r: none is registered under that name (registered: none)", Assert.Single(notices));
        Assert.Equal(new AgentSighting(AgentStage.Untaken, "none is registered under that name (registered: none)"), board.Look("r", "inbound"));
        Assert.False(mail.Control.TryRead(out _));

        Make(dialer, mail, "another").Dispatch(default, "SCL_2", "r", "{\"agents\":[{\"agentName\":\"inbound\"}]}");
        await UntilAsync(() => mail.Control.TryRead(out _));
    }

    [Fact]
    public void A_room_that_closed_is_forgotten()
    {
        AgentBoard board = new();
        board.Take(new RoomNotice(RoomNoticeKind.JobTaken, "r", "", "worker AW_1", "a"));
        board.Take(new RoomNotice(RoomNoticeKind.AgentJoined, "r", "", "agent-1", "b"));
        board.Take(new RoomNotice(RoomNoticeKind.JobOver, "other", "", "failed", "a"));
        Assert.Equal(new AgentSighting(AgentStage.InRoom, "agent-1"), board.Look("r", "b"));
        board.Take(new RoomNotice(RoomNoticeKind.RoomClosed, "r", "", "RoomClosed"));
        Assert.Equal((AgentStage.Unknown, AgentStage.Unknown, AgentStage.Over), (board.Look("r", "a").Stage, board.Look("r", "b").Stage, board.Look("other", "a").Stage));
    }

    private static AgentDispatcher Make(SignalDialer dialer, SignalMailboxes mail, string secret)
    {
        AgentDispatcherOptions options = new() { Url = "ws://127.0.0.1:9", ApiKey = "devkey", ApiSecret = secret, Utc = () => DateTimeOffset.UtcNow };
        return new AgentDispatcher(dialer, options, mail, NullLogger.Instance);
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));
        while (!holds())
        {
            await Task.Delay(5, patience.Token);
        }
    }
}
