using System;
using System.IO;
using System.Net.WebSockets;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.DevRoom;
using Proxy.Server.Http;

namespace Proxy.Server.Rooms;

/// <summary>
/// Async world. The room server's routes: <c>/rtc*</c> (signalling), <c>/agent</c> (agents workers) and
/// <c>/twirp/livekit.RoomService/*</c>, <c>/twirp/livekit.AgentDispatchService/*</c>.
/// </summary>
public sealed class RoomsModule(RoomLoop loop) : IHttpModule
{
    public void Map(WebApplication app)
    {
        app.Map("/rtc/{**rest}", SignalAsync);
        app.Map("/agent", SignalAsync);
        app.MapPost("/twirp/livekit.RoomService/{method}", context => CallAsync(context, "RoomService"));
        app.MapPost("/twirp/livekit.AgentDispatchService/{method}", context => CallAsync(context, "AgentDispatchService"));
    }

    private async Task SignalAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        string query = request.QueryString.HasValue ? request.QueryString.Value![1..] : "";
        (RoomHttpReply reply, RoomSocket socket) = await loop.OpenAsync(
            request.Path.Value ?? "", query, BearerToken(request), context.WebSockets.IsWebSocketRequest).ConfigureAwait(false);
        // The browser asks /validate from another origin after a failed join.
        context.Response.Headers.AccessControlAllowOrigin = "*";
        if (!reply.IsUpgrade)
        {
            await WriteAsync(context, reply).ConfigureAwait(false);
            return;
        }
        // Pings every 10 s as the stock server sends them; nothing depends on the answers.
        using WebSocket webSocket = await context.WebSockets.AcceptWebSocketAsync(
            new WebSocketAcceptContext { KeepAliveInterval = TimeSpan.FromSeconds(10) }).ConfigureAwait(false);
        await socket.RunAsync(webSocket, context.RequestAborted).ConfigureAwait(false);
    }

    private async Task CallAsync(HttpContext context, string service)
    {
        HttpRequest request = context.Request;
        bool isJson = request.ContentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) ?? false;
        MemoryStream body = new();
        await request.Body.CopyToAsync(body, context.RequestAborted).ConfigureAwait(false);
        string method = request.RouteValues["method"] as string ?? "";
        RoomHttpReply reply = await loop.CallServiceAsync(service, method, body.ToArray(), isJson, BearerToken(request)).ConfigureAwait(false);
        await WriteAsync(context, reply).ConfigureAwait(false);
    }

    private static string? BearerToken(HttpRequest request)
    {
        string? authorization = request.Headers.Authorization;
        return authorization?.StartsWith("Bearer ", StringComparison.Ordinal) == true ? authorization[7..] : null;
    }

    private static async Task WriteAsync(HttpContext context, RoomHttpReply reply)
    {
        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = reply.ContentType;
        context.Response.ContentLength = reply.Body.Length;
        await context.Response.Body.WriteAsync(reply.Body, context.RequestAborted).ConfigureAwait(false);
    }
}
