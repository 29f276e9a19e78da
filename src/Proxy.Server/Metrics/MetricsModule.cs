using System.Buffers;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.Server.Http;

namespace Proxy.Server.Metrics;

/// <summary>Async world. <c>/metrics</c> in the Prometheus text format.</summary>
public sealed class MetricsModule(MetricsRegistry registry) : IHttpModule
{
    public void Map(WebApplication app) => app.MapGet("/metrics", WriteAsync);

    private async Task WriteAsync(HttpContext context)
    {
        ArrayBufferWriter<byte> text = new(16 * 1024);
        registry.Scrape(text);
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        context.Response.ContentLength = text.WrittenCount;
        await context.Response.Body.WriteAsync(text.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
    }
}
