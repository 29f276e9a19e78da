using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.Bridge;
using Proxy.Server.Http;
using Proxy.Server.Node;
using Proxy.Server.Records;
using Proxy.Server.Signal;

namespace Proxy.Server.Api;

/// <summary>
/// Async world. <c>GET /node/calls[?live=1|refused=1][&amp;number=N][&amp;since_ms=AGO][&amp;limit=N]</c>: <c>{live: […], ended: […], more: N}</c>, newest first.
/// <c>GET /node/calls/show?id=</c>: the same for one call. <c>GET /node/calls/sip?id=</c>: its SIP messages as text.
/// <c>POST /node/calls/hangup?id=</c>. An id is ours, the SIP Call-ID or the provider's.
/// </summary>
public sealed class NodeCallsModule(NodeCalls calls, AdminGate gate) : IHttpModule
{
    private const int LimitMax = 10_000;
    private const int LimitUsual = 100;

    public void Map(WebApplication app)
    {
        app.MapGet("/node/calls", context => Guarded(context, ListAsync));
        app.MapGet("/node/calls/show", context => Guarded(context, ShowAsync));
        app.MapGet("/node/calls/sip", context => Guarded(context, SipAsync));
        app.MapPost("/node/calls/hangup", context => Guarded(context, HangUpAsync));
    }

    private Task Guarded(HttpContext context, Func<HttpContext, Task> handle) => gate.Admits(context) ? handle(context) : Task.CompletedTask;

    private async Task ListAsync(HttpContext context)
    {
        IQueryCollection query = context.Request.Query;
        string error = "";
        long sinceMs = Number(query["since_ms"].ToString(), "since_ms", long.MaxValue / 2, 0, ref error);
        int limit = (int)Number(query["limit"].ToString(), "limit", LimitMax, LimitUsual, ref error);
        bool isLive = query["live"] == "1";
        bool isRefused = query["refused"] == "1";
        if (isLive && isRefused)
        {
            error = "live excludes refused: keep one of the two";
        }
        if (error.Length > 0)
        {
            await ControlModule.FailAsync(context, StatusCodes.Status400BadRequest, error).ConfigureAwait(false);
            return;
        }
        var wanted = new CallQuery
        {
            Number = query["number"].ToString(),
            IsRefused = isRefused,
            SinceMs = sinceMs > 0 ? DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - sinceMs : 0,
        };
        IReadOnlyList<LiveCall> live = await calls.LiveAsync(wanted, context.RequestAborted).ConfigureAwait(false);
        (List<byte[]> ended, int more) = isLive ? ([], 0) : await calls.EndedAsync(wanted, limit, context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, live, ended, more).ConfigureAwait(false);
    }

    private async Task ShowAsync(HttpContext context)
    {
        string id = context.Request.Query["id"].ToString();
        IReadOnlyList<LiveCall> live = id.Length == 0 ? [] : await calls.LiveAsync(new CallQuery { Id = id }, context.RequestAborted).ConfigureAwait(false);
        (List<byte[]> ended, int more) = id.Length == 0 ? ([], 0) : await calls.FindAsync(id, context.RequestAborted).ConfigureAwait(false);
        if (live.Count + ended.Count == 0)
        {
            await UnknownAsync(context, id).ConfigureAwait(false);
            return;
        }
        await WriteAsync(context, live, ended, more).ConfigureAwait(false);
    }

    private async Task SipAsync(HttpContext context)
    {
        string id = context.Request.Query["id"].ToString();
        (string sipCallId, SipTraceCopy copy, DateTimeOffset utc) = await calls.SipAsync(id, context.RequestAborted).ConfigureAwait(false);
        if (copy.Messages.Count == 0)
        {
            await ControlModule.FailAsync(context, StatusCodes.Status404NotFound, $"no SIP message of a call '{id}' is kept").ConfigureAwait(false);
            return;
        }
        if (context.Request.Headers.Accept.ToString().Contains("text/plain", StringComparison.Ordinal))
        {
            context.Response.ContentType = "text/plain; charset=utf-8";
            await context.Response.WriteAsync(SipLadder.Write(sipCallId, copy, utc), context.RequestAborted).ConfigureAwait(false);
            return;
        }
        await ControlModule.WriteAsync(context, StatusCodes.Status200OK, json =>
        {
            json.WriteString("sip_call_id", sipCallId);
            json.WriteStartArray("messages");
            foreach (SipTraceMessage message in copy.Messages)
            {
                json.WriteStartObject();
                json.WriteString("at", (utc + (message.At - copy.Messages[0].At)).UtcDateTime);
                json.WriteString("direction", message.IsSent ? "sent" : "received");
                json.WriteString("transport", FactsFromInvite.TransportName(message.Transport));
                json.WriteString("remote", message.Remote.ToString());
                json.WriteNumber("bytes", message.WireLength);
                json.WriteBoolean("again", message.IsRepeat);
                json.WriteString("message", Encoding.UTF8.GetString(message.Bytes));
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteNumber("more", copy.Cut);
        }).ConfigureAwait(false);
    }

    private async Task HangUpAsync(HttpContext context)
    {
        string id = context.Request.Query["id"].ToString();
        string? hungUp = id.Length == 0 ? null : await calls.HangUpAsync(id, context.RequestAborted).ConfigureAwait(false);
        if (hungUp is null)
        {
            await ControlModule.FailAsync(context, StatusCodes.Status404NotFound, $"no call '{id}' runs").ConfigureAwait(false);
            return;
        }
        await ControlModule.WriteAsync(context, StatusCodes.Status200OK, json => json.WriteString("call_id", hungUp)).ConfigureAwait(false);
    }

    private static Task WriteAsync(HttpContext context, IReadOnlyList<LiveCall> live, List<byte[]> ended, int more) =>
        ControlModule.WriteAsync(context, StatusCodes.Status200OK, json =>
        {
            json.WriteStartArray("live");
            foreach (LiveCall call in live)
            {
                call.WriteTo(json);
            }
            json.WriteEndArray();
            json.WriteStartArray("ended");
            foreach (byte[] record in ended)
            {
                json.WriteRawValue(record, skipInputValidation: true);
            }
            json.WriteEndArray();
            json.WriteNumber("more", more);
        });

    private static Task UnknownAsync(HttpContext context, string id) =>
        ControlModule.FailAsync(context, StatusCodes.Status404NotFound, $"no call '{id}' is known: ids are ours (SCL_…), the SIP Call-ID or the provider's, and 24 hours are remembered");

    private static long Number(string text, string key, long most, long usual, ref string error)
    {
        if (text.Length == 0)
        {
            return usual;
        }
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value <= most)
        {
            return value;
        }
        error = $"{key}: '{text}' is not a number up to {most}";
        return usual;
    }
}
