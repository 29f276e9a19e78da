using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Proxy.Core.Net;
using Proxy.Server.Config;
using Proxy.Server.Http;
using Proxy.Server.Metrics;
using Proxy.Server.Store;
using Proxy.Sip;

namespace Proxy.Server.Twilio;

/// <summary>Async world. <c>POST /twilio/voice</c>: Twilio asks what to do with a call to one of its numbers; the answer sends it here.</summary>
public sealed class VoiceModule : IHttpModule, IMetricsSource
{
    public const string Path = "/twilio/voice";

    private const int BodyBytes = 64 * 1024;
    private const long SayEveryMs = 60_000;

    private readonly TwilioConfig _config;
    private readonly Func<StoredObjects> _objects;
    private readonly Action<string> _say;
    private long _answered;
    private long _refused;
    private long _forged;
    private long _nextSayMs;

    /// <param name="config">With an auth token: without one the route must not exist.</param>
    /// <param name="objects">The objects of the moment.</param>
    /// <param name="say">Hears, at most once a minute, why a call was refused; any thread.</param>
    public VoiceModule(TwilioConfig config, Func<StoredObjects> objects, Action<string> say)
    {
        _config = config.AuthToken.Length > 0 ? config : throw new ArgumentException("an auth token is wanted", nameof(config));
        _objects = objects;
        _say = say;
    }

    public void Map(WebApplication app) => app.MapPost(Path, HandleAsync);

    public void Write(MetricsWriter writer)
    {
        const string Help = "Requests of Twilio for a number's TwiML, by what became of them.";
        foreach ((string result, long count) in ((string, long)[])[("answered", Volatile.Read(ref _answered)), ("refused", Volatile.Read(ref _refused)), ("bad_signature", Volatile.Read(ref _forged))])
        {
            writer.Counter("siproom_twilio_requests_total", Help, MetricsWriter.Label("result", result), count);
        }
    }

    private async Task HandleAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (request.ContentLength is null or > BodyBytes)
        {
            await AnswerAsync(context, StatusCodes.Status413PayloadTooLarge, "text/plain; charset=utf-8", "a form of at most 64 KiB is wanted").ConfigureAwait(false);
            return;
        }
        if (!request.HasFormContentType || await ReadAsync(request, context.RequestAborted).ConfigureAwait(false) is not { } form)
        {
            await AnswerAsync(context, StatusCodes.Status400BadRequest, "text/plain; charset=utf-8", "a form is wanted").ConfigureAwait(false);
            return;
        }
        string url = PublicUrl(request);
        if (!TwilioSignature.IsRight(_config.AuthToken, url, form, request.Headers["X-Twilio-Signature"].ToString()))
        {
            Interlocked.Increment(ref _forged);
            Say($"twilio: a request whose signature does not fit {url} was refused: is that the URL in Twilio's console (twilio.public_url), and the auth token the account's?");
            await AnswerAsync(context, StatusCodes.Status403Forbidden, "text/plain; charset=utf-8", "the signature is not right for this URL").ConfigureAwait(false);
            return;
        }
        VoiceAnswer answer = VoiceAnswer.For(Called(form), _objects(), _config);
        Interlocked.Increment(ref answer.Problem.Length == 0 ? ref _answered : ref _refused);
        if (answer.Problem.Length > 0)
        {
            Say("twilio: a call is refused: " + answer.Problem);
        }
        await AnswerAsync(context, StatusCodes.Status200OK, "text/xml; charset=utf-8", answer.Twiml).ConfigureAwait(false);
    }

    /// <summary>The URL that Twilio signed: what its console holds, with this request's query.</summary>
    private string PublicUrl(HttpRequest request)
    {
        string query = request.QueryString.Value ?? "";
        if (_config.PublicUrl.Length > 0)
        {
            bool isBare = new Uri(_config.PublicUrl).AbsolutePath == "/";
            return (isBare ? _config.PublicUrl.TrimEnd('/') + Path : _config.PublicUrl) + query;
        }
        (string scheme, string host) = (request.Scheme, request.Host.Value ?? "");
        if (IsTrusted(request.HttpContext))
        {
            scheme = First(request.Headers["X-Forwarded-Proto"], scheme);
            host = First(request.Headers["X-Forwarded-Host"], host);
        }
        return $"{scheme}://{host}{request.PathBase}{request.Path}{query}";
    }

    private bool IsTrusted(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is not { } remote || !NetAddress.TryParse((remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote).ToString(), out NetAddress address))
        {
            return false;
        }
        foreach (SipSourceRange range in _config.TrustedProxies)
        {
            if (range.Contains(address))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>A chain of proxies appends: what the client asked for stands first.</summary>
    private static string First(StringValues header, string otherwise)
    {
        string text = header.ToString();
        int comma = text.IndexOf(',');
        string first = (comma < 0 ? text : text[..comma]).Trim();
        return first.Length > 0 ? first : otherwise;
    }

    private static string Called(List<KeyValuePair<string, string>> form)
    {
        foreach (KeyValuePair<string, string> pair in form)
        {
            if (pair.Key == "To")
            {
                return pair.Value;
            }
        }
        return "";
    }

    private static async Task<List<KeyValuePair<string, string>>?> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        try
        {
            IFormCollection form = await request.ReadFormAsync(cancellation).ConfigureAwait(false);
            List<KeyValuePair<string, string>> pairs = [];
            foreach (KeyValuePair<string, StringValues> field in form)
            {
                foreach (string? value in field.Value)
                {
                    pairs.Add(KeyValuePair.Create(field.Key, value ?? ""));
                }
            }
            return pairs;
        }
        catch (Exception e) when (e is InvalidDataException or IOException and not BadHttpRequestException)
        {
            return null;
        }
    }

    private void Say(string sentence)
    {
        long now = Environment.TickCount64;
        long next = Volatile.Read(ref _nextSayMs);
        if (now >= next && Interlocked.CompareExchange(ref _nextSayMs, now + SayEveryMs, next) == next)
        {
            _say(sentence);
        }
    }

    private static Task AnswerAsync(HttpContext context, int status, string type, string text)
    {
        byte[] body = Encoding.UTF8.GetBytes(text);
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        // The answer holds a password.
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
