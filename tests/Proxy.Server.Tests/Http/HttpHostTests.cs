using System;
using System.Net;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.Core.Net;
using Proxy.Server.Console;
using Proxy.Server.Http;
using Proxy.Server.Metrics;
using Xunit;

namespace Proxy.Server.Tests.Http;

public sealed class HttpHostTests
{
    private static readonly NetEndPoint s_loopback = new(NetAddress.FromV4(0x7F000001), 0);

    internal static async Task<HttpHost> StartAsync(params IHttpModule[] modules)
    {
        HttpHost host = HttpHost.Build(new HttpOptions { Listen = s_loopback }, modules);
        await host.StartAsync(CancellationToken.None);
        return host;
    }

    [Fact]
    public async Task Health_readiness_metrics_and_page_answer()
    {
        string reason = "starting";
        MetricsRegistry registry = new();
        registry.Add(new ProcessMetrics("1.2.3"));
        registry.Add(new LoopMeter("shard", 0));
        await using HttpHost host = await StartAsync(new HealthModule(() => reason), new MetricsModule(registry), new ConsoleModule(PageFiles.Embedded(), Console.ConsoleModuleTests.Access(isDev: true)));
        using HttpClient client = new() { BaseAddress = new Uri($"http://{host.Local}") };
        Assert.Equal("ok\n", await client.GetStringAsync("/healthz"));
        using HttpResponseMessage starting = await client.GetAsync("/readyz");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, starting.StatusCode);
        Assert.Equal("starting\n", await starting.Content.ReadAsStringAsync());
        reason = "";
        Assert.Equal("ready\n", await client.GetStringAsync("/readyz"));
        string metrics = await client.GetStringAsync("/metrics");
        Assert.Contains("# TYPE siproom_gc_collections_total counter\nsiproom_gc_collections_total{generation=\"0\"} ", metrics, StringComparison.Ordinal);
        Assert.Contains("siproom_build_info{version=\"1.2.3\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("siproom_loop_stall_seconds_bucket{world=\"shard\",loop=\"0\",le=\"+Inf\"} 0\n", metrics, StringComparison.Ordinal);
        using HttpResponseMessage page = await client.GetAsync("/");
        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        Assert.Contains("siproom", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(page.Headers.Server);
    }

    [Fact]
    public async Task Health_and_metrics_ports_answer_beside_the_HTTP_address_and_a_taken_port_is_one_sentence()
    {
        ushort free = FreePort();
        HealthModule health = new(() => "");
        MetricsModule metrics = new(new MetricsRegistry());
        (SidePorts ports, string error) = await SidePorts.StartAsync(free, free, health, metrics, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        await using (ports)
        {
            Assert.Equal("", error);
            using HttpClient client = new() { BaseAddress = new Uri($"http://127.0.0.1:{free}") };
            Assert.Equal("ready\n", await client.GetStringAsync("/"));
            Assert.Equal("", await client.GetStringAsync("/metrics"));
            (SidePorts second, string taken) = await SidePorts.StartAsync(0, free, health, metrics, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
            await second.DisposeAsync();
            Assert.StartsWith($"prometheus_port: cannot listen on port {free}: ", taken, StringComparison.Ordinal);
        }
    }

    private static ushort FreePort()
    {
        using System.Net.Sockets.TcpListener listener = new(IPAddress.Any, 0);
        listener.Start();
        return (ushort)((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [Fact]
    public async Task Request_line_of_60_KB_is_taken_and_a_longer_one_than_64_KB_refused()
    {
        await using HttpHost host = await StartAsync(new Echo());
        using HttpClient client = new() { BaseAddress = new Uri($"http://{host.Local}") };
        Assert.Equal("60000", await client.GetStringAsync("/length?q=" + new string('a', 59_998)));
        using HttpResponseMessage tooLong = await client.GetAsync("/length?q=" + new string('a', 66_000));
        Assert.Equal(HttpStatusCode.RequestUriTooLong, tooLong.StatusCode);
    }

    [Fact]
    public async Task Handler_that_throws_is_answered_with_500_and_the_next_request_works()
    {
        await using HttpHost host = await StartAsync(new Echo());
        using HttpClient client = new() { BaseAddress = new Uri($"http://{host.Local}") };
        using HttpResponseMessage thrown = await client.GetAsync("/throw");
        Assert.Equal(HttpStatusCode.InternalServerError, thrown.StatusCode);
        Assert.Equal("4", await client.GetStringAsync("/length?q=aa"));
    }

    private sealed class Echo : IHttpModule
    {
        public void Map(WebApplication app)
        {
            app.MapGet("/length", context => context.Response.WriteAsync((context.Request.QueryString.Value!.Length - 1).ToString(System.Globalization.CultureInfo.InvariantCulture)));
            app.MapGet("/throw", (RequestDelegate)(_ => throw new InvalidOperationException("on purpose")));
        }
    }
}
