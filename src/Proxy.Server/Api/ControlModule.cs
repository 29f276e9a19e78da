using System;
using System.Buffers;
using System.Collections.Generic;
using System.Globalization;
using System.Text.Json;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.Server.Http;
using Proxy.Server.Node;

namespace Proxy.Server.Api;

/// <summary>
/// Async world. <c>GET /node</c>: does it take calls. <c>POST /node/drain[?for_ms=N]</c>, <c>DELETE /node/drain</c>: take none, take them again.
/// <c>POST /node/reload</c>: read configuration and policy again. Behind <c>siproom drain</c> and <c>siproom reload</c>.
/// </summary>
public sealed class ControlModule(NodeControl control, AdminGate gate) : IHttpModule
{
    private const long LongestDrainMs = 7L * 24 * 3600 * 1000;

    public void Map(WebApplication app)
    {
        app.MapGet("/node", context => Guarded(context, async () => await WriteAsync(context, await control.StateAsync().ConfigureAwait(false)).ConfigureAwait(false)));
        app.MapPost("/node/drain", context => Guarded(context, () => DrainAsync(context)));
        app.MapDelete("/node/drain", context => Guarded(context, () => UndoAsync(context)));
        app.MapPost("/node/reload", context => Guarded(context, () => ReloadAsync(context)));
    }

    private Task Guarded(HttpContext context, Func<Task> handle) => gate.Admits(context) ? handle() : Task.CompletedTask;

    private async Task DrainAsync(HttpContext context)
    {
        string given = context.Request.Query["for_ms"].ToString();
        long ms = 0;
        if (given.Length > 0 && (!long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out ms) || ms > LongestDrainMs))
        {
            await FailAsync(context, StatusCodes.Status400BadRequest, $"for_ms: '{given}' is not a number of milliseconds up to a week").ConfigureAwait(false);
            return;
        }
        TimeSpan? time = given.Length > 0 ? TimeSpan.FromMilliseconds(ms) : null;
        await WriteAsync(context, await control.DrainAsync(time, isLeaving: false).ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task UndoAsync(HttpContext context)
    {
        if (control.Undo() is not { } undone)
        {
            await FailAsync(context, StatusCodes.Status409Conflict, "the node was told by a signal to end; that is not taken back").ConfigureAwait(false);
            return;
        }
        await WriteAsync(context, await undone.ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task ReloadAsync(HttpContext context)
    {
        ReloadReport report = await control.ReloadAsync(context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, StatusCodes.Status200OK, json =>
        {
            WriteLines(json, "problems", report.Problems);
            WriteLines(json, "notices", report.Notices);
        }).ConfigureAwait(false);
    }

    private static void WriteLines(Utf8JsonWriter json, string name, IReadOnlyList<string> lines)
    {
        json.WriteStartArray(name);
        foreach (string line in lines)
        {
            json.WriteStringValue(line);
        }
        json.WriteEndArray();
    }

    private static Task WriteAsync(HttpContext context, DrainState state) => WriteAsync(context, StatusCodes.Status200OK, json =>
    {
        json.WriteBoolean("draining", state.IsDraining);
        json.WriteNumber("calls", state.Calls);
        if (state.SecondsLeft >= 0)
        {
            json.WriteNumber("seconds_left", Math.Round(state.SecondsLeft, 3));
        }
    });

    internal static Task FailAsync(HttpContext context, int status, string sentence) =>
        WriteAsync(context, status, json => json.WriteString("error", sentence));

    internal static async Task WriteAsync(HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.WrittenCount;
        await context.Response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
    }
}
