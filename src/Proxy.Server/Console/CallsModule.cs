using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.Server.Http;
using Proxy.Server.Node;

namespace Proxy.Server.Console;

/// <summary>Async world. <c>GET /calls</c>: the live calls, <c>{"calls":[…]}</c>, oldest first.</summary>
/// <param name="ask">Asks the calls' owner; may fail or never end when that thread is not there.</param>
public sealed class CallsModule(Func<Task<IReadOnlyList<LiveCall>>> ask, ConsoleAccess access) : IHttpModule
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    public void Map(WebApplication app) => app.MapGet("/calls", access.Guard(ListAsync));

    private async Task ListAsync(HttpContext context)
    {
        IReadOnlyList<LiveCall> calls;
        try
        {
            calls = await ask().WaitAsync(s_patience, context.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException)
        {
            await ConsoleReply.TextAsync(context, StatusCodes.Status503ServiceUnavailable, "the calls' owner did not answer: it is starting, stopping or overloaded").ConfigureAwait(false);
            return;
        }
        await ConsoleReply.JsonAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("calls");
            foreach (LiveCall call in calls)
            {
                call.WriteTo(json);
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }
}
