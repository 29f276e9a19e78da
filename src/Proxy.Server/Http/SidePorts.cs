using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Proxy.Core.Net;
using Proxy.Server.Metrics;

namespace Proxy.Server.Http;

/// <summary>Main thread. livekit/sip's <c>health_port</c> and <c>prometheus_port</c>: plain HTTP on all interfaces, beside the HTTP address.</summary>
public sealed class SidePorts : IAsyncDisposable
{
    private readonly List<HttpHost> _hosts = [];

    /// <summary>Listens on the ports that are not 0; one host when both are the same.</summary>
    /// <param name="error">One sentence when a port is taken, else empty.</param>
    public static async Task<(SidePorts Ports, string Error)> StartAsync(ushort healthPort, ushort metricsPort, HealthModule health, MetricsModule metrics, ILogger log)
    {
        var ports = new SidePorts();
        string error = "";
        if (healthPort != 0)
        {
            IHttpModule[] both = healthPort == metricsPort ? [new HealthRoot(health), health, metrics] : [new HealthRoot(health), health];
            error = await ports.ListenAsync("health_port", healthPort, both, log).ConfigureAwait(false);
        }
        if (metricsPort != 0 && metricsPort != healthPort && error.Length == 0)
        {
            error = await ports.ListenAsync("prometheus_port", metricsPort, [metrics], log).ConfigureAwait(false);
        }
        return (ports, error);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (HttpHost host in _hosts)
        {
            await host.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<string> ListenAsync(string key, ushort port, IReadOnlyList<IHttpModule> modules, ILogger log)
    {
        HttpHost host = HttpHost.Build(new HttpOptions { Listen = new NetEndPoint(NetAddress.FromV4(0), port), Log = log }, modules);
        _hosts.Add(host);
        try
        {
            await host.StartAsync(CancellationToken.None).ConfigureAwait(false);
            return "";
        }
        catch (IOException e)
        {
            return $"{key}: cannot listen on port {port}: {e.Message}";
        }
    }

    /// <summary>What livekit/sip answers on its health port: whether calls are taken.</summary>
    private sealed class HealthRoot(HealthModule health) : IHttpModule
    {
        public void Map(WebApplication app) => app.MapGet("/", health.AnswerReadyAsync);
    }
}
