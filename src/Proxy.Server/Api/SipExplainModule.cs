using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.Bridge;
using Proxy.Core.Net;
using Proxy.LiveKit.Tokens;
using Proxy.Policy;
using Proxy.Policy.Explaining;
using Proxy.Server.Http;
using Proxy.Server.Store;
using Proxy.Sip;
using Proxy.Sip.Parsing;

namespace Proxy.Server.Api;

/// <summary>
/// Async world. <c>POST /policy/explain</c>: what would become of a call and why, by the code that decides calls. It has a policy of its
/// own over the same store, because the signal thread's one keeps state. JSON <c>{from, to, src, transport, ruri, headers, user, invite, at}</c>; the answer is
/// JSON, or text for <c>Accept: text/plain</c>. Needs a <c>sip.admin</c> token, but with <c>--dev</c>.
/// </summary>
public sealed class SipExplainModule : IHttpModule
{
    private const int BodyBytes = 128 * 1024;

    private readonly IPolicy _policy;
    private readonly PolicyAnswers _answers;
    private readonly SourceRecovery _sources;
    private readonly TokenKeys _keys;
    private readonly bool _isOpen;
    private readonly SemaphoreSlim _deciding = new(1, 1);

    /// <param name="policy">Used by this module alone.</param>
    /// <param name="answers">What its deferred verdicts wait for.</param>
    /// <param name="sources">Whose address counts in a whole message.</param>
    /// <param name="keys">API keys and secrets.</param>
    /// <param name="isOpen">No token is asked for (<c>--dev</c>).</param>
    public SipExplainModule(IPolicy policy, PolicyAnswers answers, SourceRecovery sources, TokenKeys keys, bool isOpen)
    {
        _policy = policy;
        _answers = answers;
        _sources = sources;
        _keys = keys;
        _isOpen = isOpen;
    }

    public void Map(WebApplication app) => app.MapPost("/policy/explain", HandleAsync);

    /// <summary>Reads the request's object.</summary>
    /// <returns>False with a sentence that names the key, the value and what would be right.</returns>
    public static bool TryReadFacts(ReadOnlyMemory<byte> json, DateTimeOffset now, SourceRecovery sources, out CallFacts facts, out string error)
    {
        facts = new CallFacts();
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return TryRead(document.RootElement, now, sources, out facts, out error);
        }
        catch (JsonException)
        {
            error = "the body is no JSON object";
            return false;
        }
    }

    private static bool TryRead(JsonElement root, DateTimeOffset now, SourceRecovery sources, out CallFacts facts, out string error)
    {
        facts = new CallFacts();
        error = root.ValueKind == JsonValueKind.Object ? "" : "the body is no JSON object";
        if (error.Length > 0 || !TryFlow(root, out SipFlow flow, out error))
        {
            return false;
        }
        string at = Text(root, "at");
        if (at.Length > 0 && !DateTimeOffset.TryParse(at, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out now))
        {
            error = $"at: '{at}' is not a time such as 2026-11-22T17:00:00Z";
            return false;
        }
        string invite = Text(root, "invite");
        if (invite.Length > 0)
        {
            if (!SipMessageView.TryParse(Encoding.UTF8.GetBytes(invite), out SipMessageView message, out SipParseError problem))
            {
                error = $"invite: no SIP message ({problem})";
                return false;
            }
            facts = FactsFromInvite.Read("SCL_explain", message, flow, now, sources) with { AssumedUser = Text(root, "user") };
            return true;
        }
        (string from, string to, string ruri) = (Text(root, "from"), Text(root, "to"), Text(root, "ruri"));
        ruri = ruri.Length > 0 ? ruri : $"sip:{to}@siproom";
        bool isUri = SipUriView.TryParse(Encoding.UTF8.GetBytes(ruri), out SipUriView uri);
        facts = new CallFacts
        {
            CallId = "SCL_explain",
            SipCallId = "explain",
            Source = flow.Remote,
            Transport = FactsFromInvite.TransportName(flow.Transport),
            RequestUri = ruri,
            RequestUser = isUri ? Encoding.UTF8.GetString(uri.User) : to,
            RequestHost = isUri ? Encoding.UTF8.GetString(uri.Host) : "",
            ToUser = to,
            FromUser = from,
            FromTag = "explain",
            Headers = Headers(root),
            AssumedUser = Text(root, "user"),
            Utc = now,
        };
        error = from.Length + to.Length == 0 ? "from and to, or invite, are wanted" : "";
        return error.Length == 0;
    }

    private static bool TryFlow(JsonElement root, out SipFlow flow, out string error)
    {
        error = "";
        string source = Text(root, "src");
        NetEndPoint remote = default;
        if (source.Length > 0 && !NetEndPoint.TryParse(source, out remote))
        {
            if (!NetAddress.TryParse(source, out NetAddress address))
            {
                error = $"src: '{source}' is neither IP nor IP:PORT";
            }
            remote = new NetEndPoint(address, 5060);
        }
        SipTransport transport = Text(root, "transport") switch { "tcp" => SipTransport.Tcp, "tls" => SipTransport.Tls, _ => SipTransport.Udp };
        flow = new SipFlow(transport, 0, 0, remote);
        return error.Length == 0;
    }

    private static FactHeader[] Headers(JsonElement root)
    {
        List<FactHeader> headers = [];
        if (root.TryGetProperty("headers", out JsonElement given) && given.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty header in given.EnumerateObject())
            {
                headers.Add(new FactHeader(header.Name, header.Value.ToString()));
            }
        }
        return [.. headers];
    }

    private static string Text(JsonElement root, string key) =>
        root.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private async Task HandleAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        string header = request.Headers.Authorization.ToString();
        AccessClaims? claims = null;
        if (header.StartsWith("Bearer ", StringComparison.Ordinal))
        {
            AccessToken.TryVerify(header.AsSpan(7), _keys, DateTimeOffset.UtcNow.ToUnixTimeSeconds(), out claims);
        }
        if (!_isOpen && !SipCaller.Of(claims).Admin)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }
        using var body = new MemoryStream();
        if (request.ContentLength is null or > BodyBytes)
        {
            context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            return;
        }
        await request.Body.CopyToAsync(body, context.RequestAborted).ConfigureAwait(false);
        bool isText = request.Headers.Accept.ToString().Contains("text/plain", StringComparison.Ordinal);
        if (!TryReadFacts(body.ToArray(), DateTimeOffset.UtcNow, _sources, out CallFacts facts, out string error))
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync(error, context.RequestAborted).ConfigureAwait(false);
            return;
        }
        context.Response.ContentType = isText ? "text/plain; charset=utf-8" : "application/json";
        await context.Response.WriteAsync(await DecideAsync(facts, isText, context.RequestAborted).ConfigureAwait(false), context.RequestAborted).ConfigureAwait(false);
    }

    private async Task<string> DecideAsync(CallFacts facts, bool isText, CancellationToken cancellation)
    {
        await _deciding.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var trace = new DecisionTrace();
            Verdict verdict = await _answers.DecideAsync(_policy, facts, trace, cancellation).ConfigureAwait(false);
            return isText ? ExplainText.Write(facts, verdict, trace) : ExplainJson.Write(facts, verdict, trace);
        }
        finally
        {
            _deciding.Release();
        }
    }
}
