using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Proxy.Bridge.Records;
using Proxy.Core.Net;
using Proxy.Server.Api;
using Proxy.Server.Config;
using Proxy.Server.Console;
using Proxy.Server.Dns;
using Proxy.Server.Http;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;
using Proxy.Server.Rooms;
using Proxy.Server.Store;
using Proxy.Server.Twilio;

namespace Proxy.Server.Node;

/// <summary>Main thread. <c>siproom serve</c>: policy, node, HTTP and (with --dev) the room server, until a signal ends it.</summary>
public static class ServeNode
{
    private const int Done = 0;
    private const int Failed = 1;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_haste = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);

    /// <param name="write">Takes the record of every call attempt; must not block.</param>
    /// <param name="again">Reads the configuration again, for a reload; null where there is none.</param>
    /// <param name="apply">Puts in force what belongs to the command, of a configuration that was read again.</param>
    /// <returns>0 stopped by a signal, 1 it failed; the sentence is on stderr.</returns>
    public static int Run(ServerConfig config, ILogger log, Action<CallRecord> write, Func<ConfigResult>? again = null, Action<ServerConfig>? apply = null)
    {
        LoopThread.FavourThisProcess();
        if (ExternalAddress.Fill(config, out string outside) is not { } complete)
        {
            System.Console.Error.WriteLine("siproom: " + outside);
            return Failed;
        }
        ServerConfig given = config;
        config = complete;
        AgentBoard? agents = config.IsDev ? new AgentBoard() : null;
        using RoomLoop? rooms = agents is not null ? StartRooms(config, log, agents) : null;
        if (config.IsDev && rooms is null)
        {
            return Failed;
        }
        using PolicyRuntime? policy = PolicyRuntime.TryOpen(config, sentence => NodeLog.Policy(log, sentence), out string error, alarm => NodeLog.PolicyAlarm(log, alarm));
        SiproomNode? node = policy is null ? null : SiproomNode.TryCreate(config, policy.Policy, log, write, out error, policy.Lists, agents, policy.Answers);
        if (node is null)
        {
            System.Console.Error.WriteLine("siproom: " + error);
            return Failed;
        }
        using (node)
        {
            var reload = new NodeReload(given, again, node, policy!, apply ?? (_ => { }));
            return Serve(config, log, node, policy!, rooms, reload).GetAwaiter().GetResult();
        }
    }

    private static async Task<int> Serve(ServerConfig config, ILogger log, SiproomNode node, PolicyRuntime policy, RoomLoop? rooms, NodeReload reload)
    {
        using var signals = new SemaphoreSlim(0);
        var control = new NodeControl(node, reload.RunAsync, config.Limits.DrainTimeout);
        using PosixSignalRegistration term = Stopper(PosixSignal.SIGTERM, signals);
        using PosixSignalRegistration interrupt = Stopper(PosixSignal.SIGINT, signals);
        using PosixSignalRegistration hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            _ = ReloadAsync(control, log);
        });
        var health = new HealthModule(() => control.WhyNotReady);
        var metrics = new MetricsModule(node.Metrics);
        policy.Transfer = new NodeTransfers(node).RunAsync;
        HttpHost http = HttpHost.Build(new HttpOptions { Listen = config.Http, Log = log }, [health, metrics, .. Modules(config, log, node, policy, rooms, control)]);
        await using (http.ConfigureAwait(false))
        {
            try
            {
                await http.StartAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (System.IO.IOException e)
            {
                System.Console.Error.WriteLine($"siproom: HTTP cannot listen on {config.Http}: {e.Message}");
                return Failed;
            }
            (SidePorts sides, string taken) = await SidePorts.StartAsync(config.HealthPort, config.PrometheusPort, health, metrics, log).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable closing = sides.ConfigureAwait(false);
            if (taken.Length > 0)
            {
                System.Console.Error.WriteLine("siproom: " + taken);
                return Failed;
            }
            (HttpHost? outside, taken) = await StartPublicAsync(config, log, node, policy).ConfigureAwait(false);
            if (taken.Length > 0)
            {
                System.Console.Error.WriteLine("siproom: " + taken);
                return Failed;
            }
            (HttpHost? socket, string error) = await StartControlAsync(config, http.Local, log, node, policy, control).ConfigureAwait(false);
            if (error.Length > 0)
            {
                System.Console.Error.WriteLine("siproom: " + error);
                return Failed;
            }
            node.Start();
            policy.Start();
            control.Started();
            (int calls, string because) = node.Capacity;
            string more = string.Concat(node.SipLocals.Skip(1).Select(local => $",udp+tcp:{local}"));
            string ready = $"ready sip=udp+tcp:{node.SipLocal}{(node.Tls is null ? "" : $",tls:{node.TlsLocal}")}{more} http={http.Local} calls_max={calls}({because})";
            System.Console.Out.WriteLine(ready);
            var manager = new ServiceManager(Environment.GetEnvironmentVariable("NOTIFY_SOCKET"));
            manager.Ready(ready);
            await signals.WaitAsync().ConfigureAwait(false);
            manager.Stopping("draining");
            await LeaveAsync(node, control, signals, log).ConfigureAwait(false);
            foreach (HttpHost? beside in (HttpHost?[])[socket, outside])
            {
                if (beside is not null)
                {
                    await beside.DisposeAsync().ConfigureAwait(false);
                }
            }
        }
        return Done;
    }

    private static List<IHttpModule> Modules(ServerConfig config, ILogger log, SiproomNode node, PolicyRuntime policy, RoomLoop? rooms, NodeControl control)
    {
        node.Metrics.Add(new ProcessMetrics(Program.Version));
        node.Metrics.Add(policy);
        var modules = new List<IHttpModule>(policy.Modules);
        AddControl(modules, node, control, new AdminGate(policy.Keys, isOpen: false), isDev: rooms is not null);
        if (rooms is not null && config.Twilio is { PublicHttp: null, AuthToken.Length: > 0 })
        {
            var voice = new VoiceModule(config.Twilio, () => policy.Objects, sentence => NodeLog.Policy(log, sentence));
            node.Metrics.Add(voice);
            modules.Add(voice);
        }
        if (rooms is not null)
        {
            node.Metrics.Add(rooms);
            modules.Add(new RoomsModule(rooms));
            modules.Add(new DevModule(rooms, new DevOptions(config.ApiKey, config.ApiSecret, node.SipLocal.ToString(), () => DateTimeOffset.UtcNow)));
        }
        return modules;
    }

    /// <summary>The listener that strangers reach: Twilio's route and nothing else.</summary>
    private static async Task<(HttpHost? Host, string Error)> StartPublicAsync(ServerConfig config, ILogger log, SiproomNode node, PolicyRuntime policy)
    {
        if (config.Twilio.PublicHttp is not { } listen)
        {
            return (null, "");
        }
        var voice = new VoiceModule(config.Twilio, () => policy.Objects, sentence => NodeLog.Policy(log, sentence));
        node.Metrics.Add(voice);
        HttpHost host = HttpHost.Build(new HttpOptions { Listen = listen, Log = log, Connections = 1_000, BodyBytes = 128 * 1024 }, [voice]);
        try
        {
            await host.StartAsync(CancellationToken.None).ConfigureAwait(false);
            return (host, "");
        }
        catch (System.IO.IOException e)
        {
            return (host, $"public_http cannot listen on {listen}: {e.Message}");
        }
    }

    private static void AddControl(List<IHttpModule> modules, SiproomNode node, NodeControl control, AdminGate gate, bool isDev)
    {
        modules.Add(new BansModule(node, gate));
        modules.Add(new ControlModule(control, gate));
        modules.Add(new NodeCallsModule(new NodeCalls(node, node.Archive), gate));
        var access = new ConsoleAccess(gate, isDev);
        modules.Add(new ConsoleModule(PageFiles.Embedded(), access));
        modules.Add(new CallsModule(() => node.Ask(LiveCalls.Copy), access));
    }

    /// <summary>The socket of the command-line verbs. A node can do without the usual one; one that the configuration names must work.</summary>
    private static async Task<(HttpHost? Socket, string Error)> StartControlAsync(
        ServerConfig config, NetEndPoint local, ILogger log, SiproomNode node, PolicyRuntime policy, NodeControl control)
    {
        string path = ControlSocket.PathOf(config, local, Environment.GetEnvironmentVariable);
        if (path.Length == 0)
        {
            return (null, "");
        }
        var modules = new List<IHttpModule>(policy.ControlModules);
        AddControl(modules, node, control, new AdminGate(policy.Keys, isOpen: true), isDev: false);
        (HttpHost? socket, string error) = await ControlSocket.TryStartAsync(path, new HttpOptions { Log = log }, modules).ConfigureAwait(false);
        if (error.Length > 0 && config.ControlSocket is null)
        {
            Logs.Log.ConfigNotice(log, error + "; `siproom drain`, `calls` and the like need --url");
            error = "";
        }
        return (socket, error);
    }

    /// <summary>Drains, then ends: when the last call is over, when the time is up, or at once at a second signal.</summary>
    private static async Task LeaveAsync(SiproomNode node, NodeControl control, SemaphoreSlim signals, ILogger log)
    {
        DrainState state = await control.DrainAsync(null, isLeaving: true).ConfigureAwait(false);
        if (state.Calls > 0)
        {
            NodeLog.Draining(log, state.Calls, state.SecondsLeft);
        }
        TimeSpan patience = s_patience;
        while (node.Signal.Calls.Count > 0)
        {
            if (await signals.WaitAsync(s_look).ConfigureAwait(false))
            {
                patience = s_haste;
                break;
            }
        }
        node.Stop(patience);
    }

    private static async Task ReloadAsync(NodeControl control, ILogger log)
    {
        ReloadReport report = await control.ReloadAsync(CancellationToken.None).ConfigureAwait(false);
        foreach (string line in (IEnumerable<string>)[.. report.Problems, .. report.Notices])
        {
            NodeLog.Reload(log, line);
        }
    }

    private static RoomLoop? StartRooms(ServerConfig config, ILogger log, AgentBoard agents)
    {
        var options = new RoomLoopOptions
        {
            ApiKey = config.ApiKey,
            ApiSecret = config.ApiSecret,
            Ice = config.Http with { Port = config.DevIcePort },
            Noticed = notice =>
            {
                agents.Take(notice);
                RoomsLog.Notice(log, notice);
            },
        };
        RoomLoop? rooms = RoomLoop.TryCreate(options, (what, e) => NodeLog.Fault(log, e), out string error);
        if (rooms is null)
        {
            System.Console.Error.WriteLine($"siproom: the built-in room server cannot listen on UDP port {config.DevIcePort}: {error}");
            return null;
        }
        rooms.Start();
        return rooms;
    }

    private static PosixSignalRegistration Stopper(PosixSignal signal, SemaphoreSlim signals) => PosixSignalRegistration.Create(
        signal,
        context =>
        {
            context.Cancel = true;
            signals.Release();
        });
}
