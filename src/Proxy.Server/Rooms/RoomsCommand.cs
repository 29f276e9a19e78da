using System;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.Server.Http;
using Proxy.Server.Metrics;

namespace Proxy.Server.Rooms;

/// <summary>Main thread. <c>siproom rooms</c>: the built-in room server alone, for tests and benchmarks.</summary>
public static class RoomsCommand
{
    private const int Done = 0;
    private const int Failed = 1;
    private const int BadInput = 2;

    /// <summary>Runs until SIGINT or SIGTERM.</summary>
    /// <param name="args">What follows the verb: <c>[--http ADDR:PORT] [--dev-ice-port N]</c>.</param>
    /// <returns>0 stopped, 1 it failed, 2 the input is wrong; the sentence is on stderr.</returns>
    public static int Run(ReadOnlySpan<string> args)
    {
        NetEndPoint.TryParse("127.0.0.1:7880", out NetEndPoint http);
        ushort icePort = 7882;
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : "";
            bool isGood = args[i] switch
            {
                "--http" => NetEndPoint.TryParse(value, out http),
                "--dev-ice-port" => ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out icePort),
                _ => false,
            };
            if (!isGood)
            {
                System.Console.Error.WriteLine($"siproom rooms: {args[i]} '{value}' is not understood; expected --http ADDR:PORT or --dev-ice-port N");
                return BadInput;
            }
        }
        return RunAsync(http, icePort).GetAwaiter().GetResult();
    }

    private static async Task<int> RunAsync(NetEndPoint http, ushort icePort)
    {
        RoomLoopOptions options = new()
        {
            Ice = http with { Port = icePort },
            ApiKey = Environment.GetEnvironmentVariable("LIVEKIT_API_KEY") ?? "devkey",
            ApiSecret = Environment.GetEnvironmentVariable("LIVEKIT_API_SECRET") ?? "secret",
            Noticed = notice => System.Console.Error.WriteLine(notice),
        };
        using RoomLoop? loop = RoomLoop.TryCreate(options, (what, e) => System.Console.Error.WriteLine(what + ": " + e), out string error);
        if (loop is null)
        {
            System.Console.Error.WriteLine($"siproom rooms: --dev-ice-port {options.Ice} cannot be bound: {error}");
            return Failed;
        }
        loop.Start();
        var metrics = new MetricsRegistry();
        metrics.Add(loop);
        await using HttpHost host = HttpHost.Build(new HttpOptions { Listen = http }, [new RoomsModule(loop), new MetricsModule(metrics)]);
        try
        {
            await host.StartAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (System.IO.IOException e)
        {
            System.Console.Error.WriteLine($"siproom rooms: --http {http} cannot be bound: {e.Message}");
            return Failed;
        }
        TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stopped));
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stopped));
        System.Console.Out.WriteLine($"ready http={host.Local} ice={loop.Mux} (room server for development: no TLS, one thread, nothing is kept)");
        await stopped.Task.ConfigureAwait(false);
        await host.StopAsync(CancellationToken.None).ConfigureAwait(false);
        return Done;
    }

    private static void Stop(PosixSignalContext signal, TaskCompletionSource stopped)
    {
        signal.Cancel = true;
        stopped.TrySetResult();
    }
}
