using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Proxy.Bridge.Records;
using Proxy.Server.Config;
using Proxy.Server.Console;
using Proxy.Server.Http;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;
using Proxy.Server.Rooms;
using Proxy.Server.Store;

namespace Proxy.Server.Node;

/// <summary>Main thread. <c>siproom serve</c>: policy, node, HTTP and (with --dev) the room server, until a signal ends it.</summary>
public static class ServeNode
{
    private const int Done = 0;
    private const int Failed = 1;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <param name="write">Takes the record of every call attempt; must not block.</param>
    /// <returns>0 stopped by a signal, 1 it failed; the sentence is on stderr.</returns>
    public static int Run(ServerConfig config, ILogger log, Action<CallRecord> write)
    {
        using RoomLoop? rooms = config.IsDev ? StartRooms(config, log) : null;
        if (config.IsDev && rooms is null)
        {
            return Failed;
        }
        using PolicyRuntime? policy = PolicyRuntime.TryOpen(config, sentence => NodeLog.Policy(log, sentence), out string error);
        SiproomNode? node = policy is null ? null : SiproomNode.TryCreate(config, policy.Policy, log, write, out error);
        if (node is null)
        {
            System.Console.Error.WriteLine("siproom: " + error);
            return Failed;
        }
        using (node)
        {
            return Serve(config, log, node, policy!, rooms).GetAwaiter().GetResult();
        }
    }

    private static async Task<int> Serve(ServerConfig config, ILogger log, SiproomNode node, PolicyRuntime policy, RoomLoop? rooms)
    {
        using var stopping = new SemaphoreSlim(0);
        using PosixSignalRegistration term = Stopper(PosixSignal.SIGTERM, stopping);
        using PosixSignalRegistration interrupt = Stopper(PosixSignal.SIGINT, stopping);
        using PosixSignalRegistration hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            _ = policy.ReloadAsync(CancellationToken.None);
        });
        node.Metrics.Add(new ProcessMetrics("0.1.0"));
        string notReady = "starting";
        var modules = new List<IHttpModule> { new HealthModule(() => notReady), new MetricsModule(node.Metrics) };
        modules.AddRange(policy.Modules);
        if (rooms is not null)
        {
            modules.Add(new RoomsModule(rooms));
            modules.Add(new ConsoleModule());
        }
        HttpHost http = HttpHost.Build(new HttpOptions { Listen = config.Http, Log = log }, modules);
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
            node.Start();
            policy.Start();
            notReady = "";
            (int calls, string because) = node.Capacity;
            System.Console.Out.WriteLine($"ready sip=udp+tcp:{node.SipLocal} http={http.Local} calls_max={calls}({because})");
            await stopping.WaitAsync().ConfigureAwait(false);
            notReady = "draining";
            node.Stop(s_patience);
        }
        return Done;
    }

    private static RoomLoop? StartRooms(ServerConfig config, ILogger log)
    {
        var options = new RoomLoopOptions
        {
            ApiKey = config.ApiKey,
            ApiSecret = config.ApiSecret,
            Ice = config.Http with { Port = config.DevIcePort },
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

    private static PosixSignalRegistration Stopper(PosixSignal signal, SemaphoreSlim stopping) => PosixSignalRegistration.Create(
        signal,
        context =>
        {
            context.Cancel = true;
            stopping.Release();
        });
}
