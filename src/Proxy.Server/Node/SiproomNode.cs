using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Proxy.Bridge;
using Proxy.Bridge.Records;
using Proxy.Bridge.Rooms;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Server.Config;
using Proxy.Server.Dns;
using Proxy.Server.Hook;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;
using Proxy.Server.Records;
using Proxy.Server.Shards;
using Proxy.Server.Signal;
using Proxy.Server.Store;
using Proxy.Server.WebSockets;
using Proxy.Sip;
using Proxy.WebRtc.Dtls;

namespace Proxy.Server.Node;

/// <summary>
/// The composition root: makes every loop, socket and table of a running node from its configuration, starts and stops
/// them. Nothing else in the house knows all the parts.
/// </summary>
public sealed class SiproomNode : IDisposable
{
    /// <summary>A 100 that leaves before the policy has decided would show that somebody is here.</summary>
    private static readonly TimeSpan s_hiddenTrying = TimeSpan.FromMilliseconds(200);

    /// <summary>The lowest of the real-time priorities: before all ordinary programs, behind what the operator runs as real-time.</summary>
    private const int ShardPriority = 1;

    private readonly List<IDisposable> _parts = [];
    private readonly List<Thread> _threads = [];
    private readonly NodeParts _p;

    private SiproomNode(NodeParts parts) => _p = parts;

    /// <summary>The signal thread's loop; other threads reach it by <see cref="Ask"/>.</summary>
    public SignalLoop Signal => _p.Signal;

    public MetricsRegistry Metrics => _p.Metrics;

    /// <summary>Call attempts that are over.</summary>
    public CallArchive Archive => _p.Archive;

    /// <summary>Any thread. The wall clock at a time of the loops.</summary>
    public DateTimeOffset UtcAt(MonoTime time) => _p.Signal.Calls.UtcAt(time);

    /// <summary>Calls that the node can hold, and which limit says so.</summary>
    public (int Calls, string Because) Capacity => (_p.Limits.CallsMax, _p.CapacityReason);

    /// <summary>Where SIP over UDP listens.</summary>
    public NetEndPoint SipLocal => _p.Sockets.Local;

    /// <summary>All addresses where SIP over UDP and TCP listens.</summary>
    public IEnumerable<NetEndPoint> SipLocals => _p.Sockets.Locals;

    /// <summary>Where SIP over TLS listens; unset without it.</summary>
    public NetEndPoint TlsLocal => _p.Sockets.TlsLocal;

    /// <summary>Certificates of the TLS listener; null without it.</summary>
    public TcpTls? Tls => _p.Sockets.Tls;

    /// <summary>Makes the node; nothing runs yet.</summary>
    /// <param name="write">Takes the record of every call attempt; must not block.</param>
    /// <param name="error">One sentence when it cannot be made.</param>
    /// <param name="lists">Whether the policy lists an address; null lists none.</param>
    /// <param name="agents">Knows the agents of a room server in this process; null when it runs elsewhere.</param>
    /// <param name="answers">Gets what the policy's deferred verdicts wait for; null where it never defers.</param>
    public static SiproomNode? TryCreate(
        ServerConfig config, IPolicy policy, ILogger log, Action<CallRecord> write, out string error, Func<NetAddress, bool>? lists = null, IAgentWatch? agents = null,
        PolicyAnswers? answers = null)
    {
        (Limits limits, string reason) = FitCalls(config);
        var reactor = new Reactor();
        var mail = new SignalMailboxes(limits, reactor.Waker, e => NodeLog.Fault(log, e));
        Func<NetAddress, bool> isListed = Strangers.Listed(config, lists ?? (_ => false));
        if (SipSockets.TryBind(config, limits, mail, isListed, out error) is not { } bound)
        {
            return null;
        }
        DtlsIdentity dtls = DtlsIdentity.Create();
        int shardCount = Math.Max(1, Environment.ProcessorCount - 1);
        int perShard = (limits.CallsMax + shardCount - 1) / shardCount;
        var sockets = new SocketTable((limits.CallsMax * 2) + 8);
        var shards = new ShardLoop[shardCount];
        for (int i = 0; i < shardCount; i++)
        {
            shards[i] = new ShardLoop(i, limits, perShard, mail.Shards, sockets);
        }
        var media = new MediaHost(shards, sockets, MediaOptions(config, bound, limits, perShard));
        var dialer = new SignalDialer(new SignalDialerOptions { DialTimeout = config.Limits.RoomJoinTimeout }, new DnsCache(), new SignalServers(config.WsUrls));
        var rooms = new RoomSockets(dialer, mail);
        var archive = new CallArchive(limits);
        var journal = new CallJournal(log, record =>
        {
            archive.Write(record);
            write(record);
        });
        NetAddress signalAddress = AdvertisedAddress(config);
        SipListener[] listeners = bound.Listeners(config, signalAddress, TowardsAnywhere);
        var options = new SipEndpointOptions
        {
            Listeners = listeners,
            Limits = limits,
            ServerHeader = "siproom",
            RetryAfterSeconds = RetryAfter(config),
            TryingDelay = config.HideInboundPort ? s_hiddenTrying : TimeSpan.Zero,
            Guard = Strangers.Guard(config, limits, isListed),
        };
        var sip = new SipEndpoint(options, SystemRandom.Instance);
        var cpu = new CpuGate(Array.ConvertAll(shards, s => s.Meter), !config.IsDev, limits);
        CallServices services = Services(config, limits, policy, media, rooms, journal, dtls, flow => MediaAddress(config, bound.MediaAddresses, listeners, flow));
        CallTable calls = new(services with
        {
            Agents = agents,
            Dispatcher = Dispatcher(config, dialer, mail, log),
            Answers = answers is null ? null : new AnswerDesk(answers, mail),
        });
        var dns = new DnsResolver(new DnsOptions { Servers = [.. config.DnsServers] });
        var lookups = new TargetLookups(dns, Array.Exists(listeners, l => l.Local.Address.IsV6), SystemRandom.Instance, mail.Targets);
        var signal = new SignalLoop(reactor, mail, sip, calls, media, bound.Datagrams, bound.Streams, cpu, limits)
        {
            BanSet = ban => NodeLog.Banned(log, ban.Source, ban.Left.TotalSeconds, ban.Times),
            LookUp = name => _ = lookups.Begin(name),
        };
        var metrics = new MetricsRegistry();
        metrics.Add(new NodeMetrics(signal, shards, journal));
        metrics.Add(bound.Streams);
        metrics.Add(dns);
        if (bound.Tls is not null)
        {
            metrics.Add(bound.Tls);
        }
        metrics.Add(archive);
        var node = new SiproomNode(new NodeParts(signal, shards, mail, metrics, limits, reason, bound, archive));
        var stalls = new StallLog([signal.Meter, .. Array.ConvertAll(shards, s => s.Meter)], log);
        node._parts.AddRange([stalls, bound, signal, dialer, dns, archive]);
        return node;
    }

    /// <summary>Starts the shards and the signal thread; calls are taken from here on.</summary>
    public void Start()
    {
        foreach (ShardLoop shard in _p.Shards)
        {
            _threads.Add(LoopThread.Start($"shard-{shard.Number}", -1, shard.Run, ShardPriority));
        }
        _threads.Add(LoopThread.Start("signal", -1, _p.Signal.Run));
    }

    /// <summary>Any thread. Runs <paramref name="question"/> on the signal thread.</summary>
    public Task<T> Ask<T>(Func<SignalLoop, MonoTime, T> question)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool isPosted = _p.Mail.Control.TryPost((loop, now) =>
        {
            try
            {
                answer.SetResult(question(loop, now));
            }
            catch (Exception e)
            {
                // The asker hears of it too; the loop's catch counts it.
                answer.SetException(e);
                throw;
            }
        });
        if (!isPosted)
        {
            answer.SetException(new InvalidOperationException("the signal thread's control queue is full"));
        }
        return answer.Task;
    }

    /// <summary>Ends all calls, then the loops. Waits at most <paramref name="patience"/> for the legs to say goodbye.</summary>
    public void Stop(TimeSpan patience)
    {
        Ask((loop, now) =>
        {
            loop.Drain(MonoTime.Never);
            loop.Calls.HangUpAll(new Outcome(EndedBy.Us, "shutdown", "the node shuts down", 503, 41), now);
            return true;
        }).Wait(TimeSpan.FromSeconds(1));
        DateTime until = DateTime.UtcNow + patience;
        while (DateTime.UtcNow < until && _p.Signal.Calls.Count > 0)
        {
            Thread.Sleep(20);
        }
        _p.Signal.Stop();
        foreach (ShardLoop shard in _p.Shards)
        {
            shard.Stop();
        }
        foreach (Thread thread in _threads)
        {
            thread.Join(1000);
        }
    }

    public void Dispose()
    {
        foreach (IDisposable part in _parts)
        {
            part.Dispose();
        }
        foreach (ShardLoop shard in _p.Shards)
        {
            shard.Dispose();
        }
    }

    /// <summary>The smallest of calls_max, the RTP range and the ICE range.</summary>
    private static (Limits Limits, string Reason) FitCalls(ServerConfig config)
    {
        Limits limits = config.Limits;
        (int calls, string reason) = (limits.CallsMax, "calls_max");
        int rtp = config.RtpPorts.Last - config.RtpPorts.First + 1;
        if (rtp < calls)
        {
            (calls, reason) = (rtp, "rtp_port");
        }
        if (config.IcePorts is { } ice && ice.Last - ice.First + 1 < calls)
        {
            (calls, reason) = (ice.Last - ice.First + 1, "ice_port_range");
        }
        return (limits with { CallsMax = calls }, reason);
    }

    private static MediaHostOptions MediaOptions(ServerConfig config, SipSockets bound, Limits limits, int perShard)
    {
        NetAddress any = config.SipListen.Address;
        NetAddress room = NetAddress.FromV4(0);
        return new MediaHostOptions
        {
            SipAddresses = bound.Addresses,
            SipPorts = new PortRange(config.RtpPorts.First, config.RtpPorts.Last, 1, limits.PortRest, SystemRandom.Instance),
            RoomAddress = config.IsDev && any.IsLoopback ? any : room,
            RoomPorts = config.IcePorts is { } ice ? new PortRange(ice.First, ice.Last, 1, limits.PortRest, SystemRandom.Instance) : null,
            UncleanRest = limits.IcePortRest,
            CallsPerShard = perShard,
        };
    }

    private static int RetryAfter(ServerConfig config) =>
        Math.Clamp(Math.Max(config.Refusals[RefusalCode.Draining].RetryAfterSeconds, config.Refusals[RefusalCode.NodeOverload].RetryAfterSeconds), 1, 3600);

    private static NetAddress AdvertisedAddress(ServerConfig config)
    {
        if (config.SignalAddress.IsSet)
        {
            return config.SignalAddress;
        }
        if (!config.SipListen.Address.IsUnspecified)
        {
            return config.SipListen.Address;
        }
        return TowardsAnywhere();
    }

    /// <summary>A public address that nothing is sent to: only the routing table is asked.</summary>
    private static NetAddress TowardsAnywhere() =>
        UdpSocket.TryFindLocalAddress(NetAddress.FromV4(0xC0000201), out NetAddress local) ? local : NetAddress.FromV4(0x7F000001);

    private static AgentDispatcher Dispatcher(ServerConfig config, SignalDialer dialer, SignalMailboxes mail, ILogger log) => new(
        dialer,
        new AgentDispatcherOptions
        {
            Url = config.WsUrls[0],
            ApiKey = config.ApiKey,
            ApiSecret = config.ApiSecret,
            Utc = () => DateTimeOffset.UtcNow,
        },
        mail,
        log);

    private static CallServices Services(
        ServerConfig config, Limits limits, IPolicy policy, MediaHost media, RoomSockets rooms, CallJournal journal, DtlsIdentity dtls, Func<SipFlow, NetAddress> mediaAddress)
    {
        DateTimeOffset utcAtZero = DateTimeOffset.UtcNow.AddTicks(-Clock.Now().Micros * 10);
        var token = new RoomToken(config.ApiKey, config.ApiSecret, () => DateTimeOffset.UtcNow);
        var gateway = new LeanRoomGateway(
            new LeanRoomOptions
            {
                WsUrl = config.WsUrls[0],
                MintToken = token.Mint,
                Dtls = new RoomDtls(dtls, dtls.FingerprintSha256),
                MakeRandom = () => SystemRandom.Instance,
            },
            rooms,
            limits,
            SystemRandom.Instance);
        return new CallServices
        {
            Limits = limits,
            Policy = policy,
            Refusals = config.Refusals,
            Caps = new CallCaps(),
            Media = media,
            Rooms = gateway,
            Observer = journal,
            Random = SystemRandom.Instance,
            Prompts = config.Prompts,
            MediaAddress = mediaAddress,
            UtcAtZero = utcAtZero,
            Passthrough = config.RoomCodec,
            AnswersSecureInClear = config.Compat == Compat.LiveKit,
            HidesFromStrangers = config.HideInboundPort,
            Sources = new SourceRecovery(config.TrustedProxies, config.SourceFrom),
        };
    }

    /// <param name="names">By listener: what one of <c>listeners:</c> says; unset for the others.</param>
    private static NetAddress MediaAddress(ServerConfig config, NetAddress[] names, SipListener[] listeners, in SipFlow flow)
    {
        bool isFirst = flow.Listener < listeners.Length - (2 * config.Listeners.Count);
        NetAddress said = !isFirst ? names[flow.Listener] : config.MediaAddress.IsSet ? config.MediaAddress : config.SignalAddress;
        NetAddress local = listeners[flow.Listener].Local.Address;
        return said.IsSet ? said
            : !local.IsUnspecified ? local
            : UdpSocket.TryFindLocalAddress(flow.Remote.Address, out NetAddress own) ? own
            : listeners[flow.Listener].Advertised.Address;
    }

    private sealed record NodeParts(
        SignalLoop Signal, ShardLoop[] Shards, SignalMailboxes Mail, MetricsRegistry Metrics, Limits Limits, string CapacityReason, SipSockets Sockets, CallArchive Archive);
}
