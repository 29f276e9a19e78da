using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.Json;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Server.Http;
using Proxy.Server.Node;
using Proxy.Server.Signal;
using Proxy.Sip.Guarding;

namespace Proxy.Server.Api;

/// <summary>
/// Async world. The ban list: <c>GET /node/bans</c>, <c>POST /node/bans?address=A[&amp;for_ms=N]</c>, <c>DELETE /node/bans?address=A</c>.
/// Behind <c>siproom bans</c>.
/// </summary>
public sealed class BansModule(SiproomNode node, AdminGate gate) : IHttpModule
{
    private const long LongestMs = 365L * 24 * 3600 * 1000;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public void Map(WebApplication app)
    {
        app.MapGet("/node/bans", ListAsync);
        app.MapPost("/node/bans", AddAsync);
        app.MapDelete("/node/bans", RemoveAsync);
    }

    private async Task ListAsync(HttpContext context)
    {
        if (!gate.Admits(context))
        {
            return;
        }
        List<GuardBan> bans = await node.Ask((loop, now) => loop.Sip.Guard?.Bans(now) ?? []).WaitAsync(s_patience, context.RequestAborted).ConfigureAwait(false);
        bans.Sort(static (a, b) => b.Left.CompareTo(a.Left));
        await ControlModule.WriteAsync(context, StatusCodes.Status200OK, json =>
        {
            json.WriteStartArray("bans");
            foreach (GuardBan ban in bans)
            {
                json.WriteStartObject();
                Write(json, ban);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }).ConfigureAwait(false);
    }

    private async Task AddAsync(HttpContext context)
    {
        if (!gate.Admits(context) || await ReadAsync(context).ConfigureAwait(false) is not { } address)
        {
            return;
        }
        string given = context.Request.Query["for_ms"].ToString();
        long ms = 0;
        if (given.Length > 0 && (!long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out ms) || ms is 0 or > LongestMs))
        {
            await ControlModule.FailAsync(context, StatusCodes.Status400BadRequest, $"for_ms: '{given}' is not a number of milliseconds up to a year").ConfigureAwait(false);
            return;
        }
        TimeSpan time = await node.Ask((loop, now) => Ban(loop, address, TimeSpan.FromMilliseconds(ms), now))
            .WaitAsync(s_patience, context.RequestAborted).ConfigureAwait(false);
        if (time == TimeSpan.Zero)
        {
            await ControlModule.FailAsync(context, StatusCodes.Status409Conflict, $"{address} is listed by a trunk, a trusted proxy or --dev: no ban is for it").ConfigureAwait(false);
            return;
        }
        await ControlModule.WriteAsync(context, StatusCodes.Status200OK, json => Write(json, new GuardBan(SourceGuard.KeyOf(address), time, 1))).ConfigureAwait(false);
    }

    private async Task RemoveAsync(HttpContext context)
    {
        if (!gate.Admits(context) || await ReadAsync(context).ConfigureAwait(false) is not { } address)
        {
            return;
        }
        bool wasBanned = await node.Ask((loop, now) => loop.Sip.Guard?.Unban(address, now) ?? false).WaitAsync(s_patience, context.RequestAborted).ConfigureAwait(false);
        if (!wasBanned)
        {
            await ControlModule.FailAsync(context, StatusCodes.Status404NotFound, $"{address} is not banned").ConfigureAwait(false);
            return;
        }
        await ControlModule.WriteAsync(context, StatusCodes.Status200OK, json => json.WriteString("address", SourceGuard.KeyOf(address).ToString())).ConfigureAwait(false);
    }

    /// <returns>For how long; zero for a listed source.</returns>
    private static TimeSpan Ban(SignalLoop loop, NetAddress address, TimeSpan time, MonoTime now)
    {
        if (loop.Sip.Guard is not { } guard)
        {
            return TimeSpan.Zero;
        }
        time = time == TimeSpan.Zero ? guard.BanFor : time;
        return guard.Ban(address, time, now) ? time : TimeSpan.Zero;
    }

    private static void Write(Utf8JsonWriter json, GuardBan ban)
    {
        json.WriteString("address", ban.Source.ToString());
        json.WriteNumber("seconds_left", Math.Round(ban.Left.TotalSeconds, 1));
        json.WriteNumber("times", ban.Times);
    }

    private static async Task<NetAddress?> ReadAsync(HttpContext context)
    {
        string text = context.Request.Query["address"].ToString();
        if (NetAddress.TryParse(text, out NetAddress address))
        {
            return address;
        }
        await ControlModule.FailAsync(context, StatusCodes.Status400BadRequest, $"address: '{text}' is not an IP address").ConfigureAwait(false);
        return null;
    }
}
