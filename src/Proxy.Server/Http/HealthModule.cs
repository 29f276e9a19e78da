using System;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Proxy.Server.Http;

/// <summary>Async world. <c>/healthz</c>: the process lives. <c>/readyz</c>: it takes calls.</summary>
/// <param name="whyNotReady">Empty when calls are taken, else the reason as a word: <c>starting</c>, <c>draining</c>, <c>overload</c>.</param>
public sealed class HealthModule(Func<string> whyNotReady) : IHttpModule
{
    public void Map(WebApplication app)
    {
        app.MapGet("/healthz", context => WriteAsync(context, StatusCodes.Status200OK, "ok"));
        app.MapGet("/readyz", AnswerReadyAsync);
    }

    internal Task AnswerReadyAsync(HttpContext context)
    {
        string reason = whyNotReady();
        return reason.Length == 0
            ? WriteAsync(context, StatusCodes.Status200OK, "ready")
            : WriteAsync(context, StatusCodes.Status503ServiceUnavailable, reason);
    }

    private static Task WriteAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(text + "\n", context.RequestAborted);
    }
}
