using System;
using System.IO;
using System.Text;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.Server.Http;

namespace Proxy.Server.Api;

/// <summary>Async world. <c>GET /policy/extras?id=</c>, <c>POST /policy/extras</c>, <c>POST /policy/numbers</c> (CSV): behind <c>siproom inbound|dispatch set</c> and <c>number import</c>.</summary>
public sealed class PolicyDeskModule(PolicyDesk desk, AdminGate gate) : IHttpModule
{
    public void Map(WebApplication app)
    {
        app.MapGet("/policy/extras", ReadAsync);
        app.MapPost("/policy/extras", SetAsync);
        app.MapPost("/policy/numbers", ImportAsync);
    }

    private Task ReadAsync(HttpContext context) => AnswerAsync(context, _ => Task.FromResult(desk.Extras(context.Request.Query["id"].ToString())));

    private Task SetAsync(HttpContext context) => AnswerAsync(context, body => desk.SetExtrasAsync(body, context.RequestAborted));

    private Task ImportAsync(HttpContext context) => AnswerAsync(context, body => desk.ImportAsync(Encoding.UTF8.GetString(body.Span), context.RequestAborted));

    private async Task AnswerAsync(HttpContext context, Func<ReadOnlyMemory<byte>, Task<SipReply>> handle)
    {
        if (!gate.Admits(context))
        {
            return;
        }
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted).ConfigureAwait(false);
        SipReply reply = await handle(body.ToArray()).ConfigureAwait(false);
        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = reply.ContentType;
        context.Response.ContentLength = reply.Body.Length;
        await context.Response.Body.WriteAsync(reply.Body, context.RequestAborted).ConfigureAwait(false);
    }
}
