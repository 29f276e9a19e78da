using System;
using System.Buffers;
using System.Text.Json;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;

namespace Proxy.Server.Console;

/// <summary>Async world. Answers that no cache keeps.</summary>
internal static class ConsoleReply
{
    public static Task TextAsync(HttpContext context, int status, string sentence)
    {
        Prepare(context, status, "text/plain; charset=utf-8");
        return context.Response.WriteAsync(sentence + "\n", context.RequestAborted);
    }

    /// <param name="write">Writes one JSON value.</param>
    public static async Task JsonAsync(HttpContext context, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var json = new Utf8JsonWriter(buffer);
        await using (json.ConfigureAwait(false))
        {
            write(json);
        }
        Prepare(context, StatusCodes.Status200OK, "application/json");
        context.Response.ContentLength = buffer.WrittenCount;
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
    }

    private static void Prepare(HttpContext context, int status, string type)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
    }
}
