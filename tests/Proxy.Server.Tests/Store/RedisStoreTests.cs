using System;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;
using Proxy.Policy;
using Proxy.Policy.Deferred;
using Proxy.Server.Config;
using Proxy.Server.Store;
using Xunit;

namespace Proxy.Server.Tests.Store;

/// <summary>Against a real redis-server, which the gate installs; one process a test class, on a free port of loopback.</summary>
public sealed class RedisStoreTests : IDisposable
{
    private readonly int _port = FreePort();
    private Process _redis;
    private readonly RedisStore _store;

    public RedisStoreTests()
    {
        _redis = Start();
        _store = new RedisStore(new RedisStoreSettings { Address = Address });
    }

    private RedisAddress Address => new("127.0.0.1", _port);

    public void Dispose()
    {
        _store.Dispose();
        Stop();
    }

    private static int FreePort()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        return port;
    }

    private Process Start(params string[] more)
    {
        var process = new Process
        {
            StartInfo = new ProcessStartInfo("redis-server", ["--port", _port.ToString(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Path.GetTempPath(), "--logfile", "/dev/null", .. more]),
        };
        process.Start();
        for (int attempt = 0; attempt < 200; attempt++)
        {
            try
            {
                using var probe = new TcpClient("127.0.0.1", _port);
                return process;
            }
            catch (SocketException)
            {
                Thread.Sleep(25);
            }
        }
        process.Kill();
        throw new InvalidOperationException("redis-server does not listen");
    }

    private void Stop()
    {
        _redis.Kill();
        _redis.WaitForExit();
        _redis.Dispose();
    }

    private async Task Write(string hash, string id, IMessage message)
    {
        using RespClient client = await RespClient.ConnectAsync(Address, default);
        await client.SetAsync(hash, id, message.ToByteArray(), default);
    }

    private static SIPInboundTrunkInfo Trunk(string id, params string[] numbers)
    {
        var trunk = new SIPInboundTrunkInfo { SipTrunkId = id };
        trunk.Numbers.Add(numbers);
        return trunk;
    }

    private static SIPDispatchRuleInfo Rule(string id, string room) =>
        new() { SipDispatchRuleId = id, Rule = new SIPDispatchRule { DispatchRuleDirect = new SIPDispatchRuleDirect { RoomName = room } } };

    [Fact]
    public async Task What_a_livekit_server_wrote_decides_calls_and_is_swapped_only_when_it_changed()
    {
        await Write("sip_inbound_trunk", "ST_1", Trunk("ST_1", "+15550200"));
        await Write("sip_dispatch_rule", "SDR_1", Rule("SDR_1", "lobby"));
        Assert.True(await _store.RefreshAsync(default));
        Assert.False(await _store.RefreshAsync(default));
        var policy = new RulePolicy(_store, new PolicySettings());
        var facts = new CallFacts { ToUser = "15550200", FromUser = "+1" };
        Assert.Equal("lobby", policy.Decide(facts, default, null).Room);
        await Write("sip_dispatch_rule", "SDR_1", Rule("SDR_1", "other"));
        Assert.True(await _store.RefreshAsync(default));
        Verdict verdict = policy.Decide(facts, default, null);
        Assert.Equal(("other", 2L), (verdict.Room, verdict.PolicyVersion));
    }

    [Fact]
    public async Task Hashes_that_nobody_wrote_to_are_not_read_again()
    {
        await Write("sip_dispatch_rule", "SDR_1", Rule("SDR_1", "lobby"));
        Assert.True(await _store.RefreshAsync(default));
        for (int second = 0; second < 5; second++)
        {
            Assert.False(await _store.RefreshAsync(default));
        }
        Assert.Equal(1, _store.Readings);
        await Write("sip_inbound_trunk", "ST_1", Trunk("ST_1", "+15550200"));
        Assert.True(await _store.RefreshAsync(default));
        Assert.Equal((2, "ST_1"), (_store.Readings, Assert.Single(_store.Current.Objects.Trunks).Id));
        _store.Rebuild();
        Assert.True(await _store.RefreshAsync(default));
        Assert.False(await _store.RefreshAsync(default));
        Assert.Equal(3, _store.Readings);
    }

    [Theory]
    [InlineData("HELLO")]
    [InlineData("CLIENT")]
    public async Task A_server_that_cannot_tell_of_changes_is_read_each_time(string unknown)
    {
        Stop();
        _redis = Start("--rename-command", unknown, "");
        await Write("sip_dispatch_rule", "SDR_1", Rule("SDR_1", "lobby"));
        Assert.True(await _store.RefreshAsync(default));
        Assert.False(await _store.RefreshAsync(default));
        await Write("sip_dispatch_rule", "SDR_1", Rule("SDR_1", "other"));
        Assert.True(await _store.RefreshAsync(default));
        Assert.Equal(3, _store.Readings);
    }

    [Fact]
    public async Task A_change_is_in_Redis_for_every_other_node_and_unknown_fields_survive()
    {
        byte[] unknown = [.. Trunk("ST_1", "+1").ToByteArray(), 0xFA, 0x3E, 0x03, (byte)'n', (byte)'e', (byte)'w'];
        using (RespClient client = await RespClient.ConnectAsync(Address, default))
        {
            await client.SetAsync("sip_inbound_trunk", "ST_1", unknown, default);
        }
        await _store.ChangeAsync(objects =>
        {
            SIPInboundTrunkInfo trunk = objects.Inbound["ST_1"].Clone();
            trunk.Name = "named";
            return new ObjectChange(ObjectKind.InboundTrunk, "ST_1", trunk) { Extras = """{"max_calls": 5}""" };
        }, default);
        using var other = new RedisStore(new RedisStoreSettings { Address = Address });
        await other.RefreshAsync(default);
        Assert.Equal("named", other.Objects.Inbound["ST_1"].Name);
        Assert.Equal(5, other.Current.Objects.Trunks[0].Extras.MaxCalls);
        Assert.Contains("new", System.Text.Encoding.ASCII.GetString(other.Objects.Inbound["ST_1"].ToByteArray()));
        await _store.ChangeAsync(_ => new ObjectChange(ObjectKind.InboundTrunk, "ST_1", null), default);
        await other.RefreshAsync(default);
        Assert.Empty(other.Objects.Inbound);
        Assert.Empty(other.Objects.Extras);
    }

    [Fact]
    public async Task While_Redis_is_away_the_last_snapshot_decides_and_its_return_is_noticed()
    {
        await Write("sip_inbound_trunk", "ST_1", Trunk("ST_1", "+15550200"));
        await _store.RefreshAsync(default);
        Stop();
        Assert.False(await _store.RefreshAsync(default));
        Assert.NotEmpty(_store.Outage);
        Assert.Single(_store.Objects.Inbound);
        await Assert.ThrowsAsync<ObjectStoreException>(() => _store.ChangeAsync(_ => new ObjectChange(ObjectKind.InboundTrunk, "ST_2", Trunk("ST_2")), default));
        _redis = Start();
        await Write("sip_inbound_trunk", "ST_2", Trunk("ST_2", "+1"));
        Assert.True(await _store.RefreshAsync(default));
        Assert.Empty(_store.Outage);
        Assert.Equal(["ST_2"], _store.Objects.Inbound.Keys);
    }

    [Fact]
    public async Task Redis_that_falls_silent_before_a_write_holds_up_neither_it_nor_the_readings_after_it()
    {
        using var store = new RedisStore(new RedisStoreSettings { Address = Address, ReplyTimeout = TimeSpan.FromMilliseconds(300) });
        await store.RefreshAsync(default);
        Task change = store.ChangeAsync(_ => { Signal("STOP"); return new ObjectChange(ObjectKind.InboundTrunk, "ST_1", Trunk("ST_1")); }, default);
        await Assert.ThrowsAsync<ObjectStoreException>(() => change);
        Assert.NotEmpty(store.Outage);
        Signal("CONT");
        await store.RefreshAsync(default);
        Assert.Empty(store.Outage);
    }

    private void Signal(string name)
    {
        using Process kill = Process.Start("kill", ["-" + name, _redis.Id.ToString()]);
        kill.WaitForExit();
    }

    [Fact]
    public async Task What_conflicts_or_cannot_be_read_is_set_aside_alone_with_a_sentence()
    {
        await Write("sip_inbound_trunk", "ST_a", Trunk("ST_a", "+1"));
        await Write("sip_inbound_trunk", "ST_b", Trunk("ST_b", "+1"));
        await Write("sip_inbound_trunk", "ST_c", Trunk("ST_c", "+2"));
        await Write("sip_dispatch_rule", "SDR_1", Rule("SDR_1", "lobby"));
        await Write("sip_dispatch_rule", "SDR_2", Rule("SDR_2", "a-second"));
        using (RespClient client = await RespClient.ConnectAsync(Address, default))
        {
            await client.SetAsync("sip_inbound_trunk", "ST_x", [0xFF, 0xFF], default);
        }
        await _store.RefreshAsync(default);
        Assert.Equal(3, _store.Quarantined.Count);
        var policy = new RulePolicy(_store, new PolicySettings());
        Assert.Equal("lobby", policy.Decide(new CallFacts { ToUser = "+2", FromUser = "+9" }, default, null).Room);
        Assert.Equal(RefusalCode.AmbiguousTrunk, policy.Decide(new CallFacts { ToUser = "+1", FromUser = "+9" }, default, null).Code);
    }

    [Fact]
    public async Task Additions_that_cannot_be_used_are_set_aside_a_rule_with_them()
    {
        await Write("sip_inbound_trunk", "ST_1", Trunk("ST_1", "+1"));
        await Write("sip_dispatch_rule", "SDR_1", Rule("SDR_1", "guarded"));
        await Write("sip_dispatch_rule", "SDR_2", Rule("SDR_2", "lobby"));
        using (RespClient client = await RespClient.ConnectAsync(Address, default))
        {
            await client.SetAsync("siproom_x", "ST_1", "not json"u8.ToArray(), default);
            await client.SetAsync("siproom_x", "SDR_1", """{"match_headers": 7}"""u8.ToArray(), default);
        }
        await _store.RefreshAsync(default);
        Assert.Contains(_store.Quarantined, s => s.StartsWith("the additions of ST_1", StringComparison.Ordinal));
        Assert.Contains(_store.Quarantined, s => s.StartsWith("the additions of SDR_1", StringComparison.Ordinal) && s.EndsWith("the rule is set aside", StringComparison.Ordinal));
        Assert.Equal("lobby", new RulePolicy(_store, new PolicySettings()).Decide(new CallFacts { ToUser = "+1", FromUser = "+9" }, default, null).Room);
        string metrics = Metrics(_store);
        Assert.Contains("siproom_policy_quarantined{why=\"unreadable\"} 2", metrics);
        Assert.Contains("siproom_redis_up 1", metrics);
    }

    private ServerConfig Config => new()
    {
        ApiKey = "k",
        ApiSecret = "secret",
        PolicyInRedis = true,
        Compat = Compat.LiveKit,
        Redis = new RedisConfig { Addresses = [$"127.0.0.1:{_port}"] },
    };

    private static string Metrics(Proxy.Server.Metrics.IMetricsSource source)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        source.Write(new Proxy.Server.Metrics.MetricsWriter(buffer));
        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    [Fact]
    public async Task A_call_right_after_the_rule_was_made_reads_Redis_again_and_is_taken()
    {
        // Never started: nothing polls, so that only the call itself can have read Redis.
        using PolicyRuntime runtime = PolicyRuntime.TryOpen(Config, _ => { }, out _)!;
        await runtime.ReloadAsync(default);
        await Write("sip_inbound_trunk", "ST_1", Trunk("ST_1", "+15550200"));
        await Write("sip_dispatch_rule", "SDR_1", Rule("SDR_1", "lobby"));
        var facts = new CallFacts { ToUser = "+15550200", FromUser = "+1" };
        Verdict waits = runtime.Policy.Decide(facts, default, null);
        Assert.Equal((VerdictKind.Deferred, RefusalCode.NoTrunk), (waits.Kind, waits.Deferral!.Local.Code));
        Assert.True(runtime.Answers.TryEnter(waits, out _));
        DeferredAnswer answer = await runtime.Answers.AskAsync(facts, waits, default);
        Verdict joined = runtime.Policy.Resume(facts, waits, answer, default, null);
        Assert.Equal(("lobby", VerdictKind.Join), (joined.Room, joined.Kind));
        Assert.Matches("^policy read again in [0-9]+ ms$", joined.Note);
        Assert.Contains("siproom_redis_call_refreshes_total 1", Metrics(runtime));
    }

    [Fact]
    public async Task Redis_that_goes_away_and_comes_back_is_told_once_each_and_shown()
    {
        var said = new System.Collections.Concurrent.ConcurrentQueue<string>();
        var alarms = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using PolicyRuntime runtime = PolicyRuntime.TryOpen(Config, said.Enqueue, out _, alarms.Enqueue)!;
        await Write("sip_inbound_trunk", "ST_1", Trunk("ST_1", "+1"));
        await Write("sip_inbound_trunk", "ST_2", Trunk("ST_2", "+1"));
        await runtime.ReloadAsync(default);
        Assert.Contains("ST_2", Assert.Single(alarms));
        Stop();
        await runtime.ReloadAsync(default);
        await runtime.ReloadAsync(default);
        Assert.StartsWith("Redis is away", alarms.ToArray()[^1]);
        Assert.Equal(2, alarms.Count);
        Assert.Contains("siproom_redis_up 0", Metrics(runtime));
        Assert.Contains("siproom_policy_quarantined{why=\"conflict\"} 1", Metrics(runtime));
        _redis = Start();
        await Write("sip_inbound_trunk", "ST_1", Trunk("ST_1", "+1"));
        await runtime.ReloadAsync(default);
        Assert.Contains("Redis is back", said);
        Assert.Contains("siproom_redis_up 1", Metrics(runtime));
        Assert.Contains("siproom_policy_quarantined{why=\"conflict\"} 0", Metrics(runtime));
        Assert.Equal(2, alarms.Count);
    }

    [Fact]
    public async Task The_node_sees_a_change_within_its_interval()
    {
        var seen = new TaskCompletionSource();
        using PolicyRuntime runtime = PolicyRuntime.TryOpen(Config, said =>
        {
            if (said.Contains(": 1 trunks", StringComparison.Ordinal))
            {
                seen.TrySetResult();
            }
        }, out _)!;
        runtime.Start();
        await Write("sip_inbound_trunk", "ST_1", Trunk("ST_1", "+1"));
        await seen.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }
}
