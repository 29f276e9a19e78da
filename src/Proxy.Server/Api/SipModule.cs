using System;
using System.IO;
using System.Text;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.LiveKit.Tokens;
using Proxy.LiveKit.Twirp;
using Proxy.Server.Http;

namespace Proxy.Server.Api;

/// <summary>Async world. The routes <c>/twirp/livekit.SIP/*</c> and <c>/twirp/livekit.PhoneNumberService/*</c>: token, method, content type, body.</summary>
public sealed class SipModule : IHttpModule
{
    /// <summary>Largest body of a request without a token that allows anything.</summary>
    public const int BodyBytesUnknown = 64 * 1024;

    private const string Bearer = "Bearer ";

    private readonly SipTwirp _twirp;
    private readonly TokenKeys _keys;
    private readonly Func<DateTimeOffset> _utc;
    private readonly bool _isOpen;

    /// <param name="twirp">The service.</param>
    /// <param name="keys">API keys and secrets.</param>
    /// <param name="utc">The wall clock, for the tokens' times.</param>
    /// <param name="isOpen">The unix socket: who can open it may do everything, without a token.</param>
    public SipModule(SipTwirp twirp, TokenKeys keys, Func<DateTimeOffset> utc, bool isOpen = false)
    {
        _isOpen = isOpen;
        _twirp = twirp;
        _keys = keys;
        _utc = utc;
    }

    public void Map(WebApplication app)
    {
        foreach (string service in SipMethods.Services)
        {
            app.Map($"/twirp/{service}/{{**method}}", context => HandleAsync(service, context));
        }
    }

    private async Task HandleAsync(string service, HttpContext context)
    {
        HttpRequest request = context.Request;
        if (!TryCaller(request, out SipCaller caller, out string refused))
        {
            await WriteAsync(context, new SipReply(401, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(refused))).ConfigureAwait(false);
            return;
        }
        string path = request.Path.Value ?? "";
        string method = path[(path.IndexOf(service, StringComparison.Ordinal) + service.Length + 1)..];
        string type = MediaType(request.ContentType);
        bool isJson = type.Equals("application/json", StringComparison.OrdinalIgnoreCase);
        string wrong = request.Method != "POST" ? $"unsupported method \"{request.Method}\" (only POST is allowed)"
            : !SipMethods.Exists(service, method) ? $"no handler for path \"{path}\""
            : !isJson && !type.Equals("application/protobuf", StringComparison.OrdinalIgnoreCase) ? $"unexpected Content-Type: \"{request.ContentType}\""
            : "";
        if (wrong.Length > 0)
        {
            TwirpError error = TwirpError.BadRoute(wrong, request.Method, path);
            await WriteAsync(context, new SipReply(error.HttpStatus, TwirpError.ContentType, error.ToJson())).ConfigureAwait(false);
            return;
        }
        byte[]? body = await ReadAsync(request, caller == default ? BodyBytesUnknown : int.MaxValue).ConfigureAwait(false);
        SipReply reply = body is null
            ? new SipReply(413, "text/plain; charset=utf-8", "body too large"u8.ToArray())
            : await _twirp.HandleAsync(service, method, isJson, body, caller, context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, reply).ConfigureAwait(false);
    }

    /// <summary>No token at all is a caller without grants; a bad one ends the request. The token is never echoed (the stock server does).</summary>
    private bool TryCaller(HttpRequest request, out SipCaller caller, out string refused)
    {
        caller = _isOpen ? SipCaller.Local : default;
        refused = "";
        string header = request.Headers.Authorization.ToString();
        string token = request.Query["access_token"].ToString();
        if (header.Length > 0)
        {
            if (!header.StartsWith(Bearer, StringComparison.Ordinal) || header.Length == Bearer.Length)
            {
                refused = "invalid authorization header. Must start with Bearer ";
                return false;
            }
            token = header[Bearer.Length..];
        }
        if (_isOpen || token.Length == 0)
        {
            return true;
        }
        TokenVerdict verdict = AccessToken.TryVerify(token, _keys, _utc().ToUnixTimeSeconds(), out AccessClaims? claims);
        if (claims is null)
        {
            refused = "invalid authorization token: " + verdict;
            return false;
        }
        caller = SipCaller.Of(claims);
        return true;
    }

    private static string MediaType(string? contentType)
    {
        string type = contentType ?? "";
        int semicolon = type.IndexOf(';');
        return (semicolon < 0 ? type : type[..semicolon]).Trim();
    }

    private static async Task<byte[]?> ReadAsync(HttpRequest request, int most)
    {
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            int read = await request.Body.ReadAsync(buffer, request.HttpContext.RequestAborted).ConfigureAwait(false);
            if (read == 0)
            {
                return body.ToArray();
            }
            if (body.Length + read > most)
            {
                return null;
            }
            body.Write(buffer, 0, read);
        }
    }

    private static async Task WriteAsync(HttpContext context, SipReply reply)
    {
        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = reply.ContentType;
        context.Response.ContentLength = reply.Body.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(reply.Body, context.RequestAborted).ConfigureAwait(false);
        }
    }
}
