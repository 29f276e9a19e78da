using System;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Policy;
using Proxy.Policy.Deferred;
using Proxy.Server.Dns;
using Proxy.Server.Metrics;

namespace Proxy.Server.Hook;

/// <summary>
/// Any thread. Posts a call's facts to the policy hook and reads its answer: one request a call, no redirects, no cookies, no
/// proxy, an answer of bounded length. The caller of <see cref="AskAsync"/> keeps the time.
/// </summary>
public sealed class HookClient : IDisposable, IMetricsSource
{
    private readonly HookConfig _config;
    private readonly HookBreaker _breaker;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _http;
    private readonly byte[] _secret;
    private long _asked;
    private long _answered;
    private long _late;
    private long _failed;
    private long _abandoned;
    private long _leftAlone;
    private long _crowded;
    private long _micros;
    private int _outstanding;

    public HookClient(HookConfig config, DnsCache dns, TimeProvider? time = null)
    {
        _config = config;
        _time = time ?? TimeProvider.System;
        _breaker = new HookBreaker(config.Failures, config.Rest, _time);
        _secret = Encoding.UTF8.GetBytes(config.Secret);
        _http = new HttpMessageInvoker(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false,
                MaxConnectionsPerServer = config.MaxOutstanding,
                MaxResponseHeadersLength = 16,
                // What is too long is not read to its end; its connection is closed.
                MaxResponseDrainSize = 0,
                ConnectTimeout = config.Timeout,
                PooledConnectionLifetime = TimeSpan.FromMinutes(2),
                ConnectCallback = (context, cancellation) => dns.ConnectAsync(context.DnsEndPoint, cancellation),
            },
            disposeHandler: true);
    }

    /// <summary>Whether a call may ask now.</summary>
    /// <param name="why">One clause when not.</param>
    /// <returns>After true exactly one <see cref="AskAsync"/> must follow.</returns>
    public bool TryEnter(out string why)
    {
        why = "";
        if (Interlocked.Increment(ref _outstanding) > _config.MaxOutstanding)
        {
            Interlocked.Increment(ref _crowded);
            why = $"not asked, {_config.MaxOutstanding} questions are under way";
        }
        else if (!_breaker.TryEnter())
        {
            Interlocked.Increment(ref _leftAlone);
            why = "left alone, it failed too often";
        }
        if (why.Length > 0)
        {
            Interlocked.Decrement(ref _outstanding);
        }
        return why.Length == 0;
    }

    /// <summary>A call that entered asks. Never throws.</summary>
    /// <param name="facts">The call.</param>
    /// <param name="deferral">What the rules say.</param>
    /// <param name="giveUp">Nobody waits any longer.</param>
    public async Task<DeferredAnswer> AskAsync(CallFacts facts, Deferral deferral, CancellationToken giveUp)
    {
        Interlocked.Increment(ref _asked);
        try
        {
            DeferredAnswer answer = await PostAsync(facts, deferral, isExplain: false, giveUp).ConfigureAwait(false);
            if (answer.IsAnswered)
            {
                Interlocked.Increment(ref _answered);
                _breaker.Succeeded();
            }
            else if (giveUp.IsCancellationRequested)
            {
                _breaker.Abandoned();
            }
            else
            {
                Interlocked.Increment(ref _failed);
                _breaker.Failed();
            }
            return answer;
        }
        finally
        {
            Interlocked.Decrement(ref _outstanding);
        }
    }

    /// <summary>Somebody asks what would become of a call: neither counted nor held off.</summary>
    public Task<DeferredAnswer> ExplainAsync(CallFacts facts, Deferral deferral, CancellationToken giveUp) => PostAsync(facts, deferral, isExplain: true, giveUp);

    /// <summary>A question is given up.</summary>
    /// <param name="isLate">The hook had all its time.</param>
    public void GaveUp(bool isLate)
    {
        if (isLate)
        {
            Interlocked.Increment(ref _late);
            _breaker.Failed();
        }
        else
        {
            Interlocked.Increment(ref _abandoned);
        }
    }

    public void Write(MetricsWriter writer)
    {
        void Count(string result, ref long value) => writer.Counter(
            "siproom_hook_questions_total", "Calls for which the policy hook has a say, by what came of it.", MetricsWriter.Label("result", result), Interlocked.Read(ref value));
        Count("asked", ref _asked);
        Count("answered", ref _answered);
        Count("late", ref _late);
        Count("failed", ref _failed);
        Count("caller_gave_up", ref _abandoned);
        Count("not_asked_open", ref _leftAlone);
        Count("not_asked_crowded", ref _crowded);
        writer.Counter("siproom_hook_seconds_total", "Time that the hook took for its answers.", Interlocked.Read(ref _micros) / 1e6);
        writer.Gauge("siproom_hook_outstanding", "Questions to the policy hook under way.", Volatile.Read(ref _outstanding));
        writer.Gauge("siproom_hook_open", "1 while the policy hook is left alone because it failed too often.", _breaker.IsOpen ? 1 : 0);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The signature of a body: HMAC-SHA256 over <c>TIMESTAMP.BODY</c>, hexadecimal.</summary>
    internal static string Sign(ReadOnlySpan<byte> secret, string timestamp, ReadOnlySpan<byte> body)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        mac.AppendData(Encoding.ASCII.GetBytes(timestamp + "."));
        mac.AppendData(body);
        return Convert.ToHexStringLower(mac.GetHashAndReset());
    }

    private async Task<DeferredAnswer> PostAsync(CallFacts facts, Deferral deferral, bool isExplain, CancellationToken giveUp)
    {
        long start = _time.GetTimestamp();
        try
        {
            using HttpRequestMessage request = Request(HookQuestion.Write(facts, deferral, isExplain));
            using HttpResponseMessage response = await _http.SendAsync(request, giveUp).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                return DeferredAnswer.Failed(FormattableString.Invariant($"answered {(int)response.StatusCode}"));
            }
            byte[]? body = await ReadAsync(response, giveUp).ConfigureAwait(false);
            if (body is null)
            {
                return DeferredAnswer.Failed(FormattableString.Invariant($"gave an answer of more than {HookConfig.AnswerBytes / 1024} KiB"));
            }
            if (!HookAnswer.TryRead(body, out HookAnswer answer, out string error))
            {
                return DeferredAnswer.Failed("cannot be understood: " + error);
            }
            TimeSpan took = _time.GetElapsedTime(start);
            Interlocked.Add(ref _micros, isExplain ? 0 : took.Ticks / 10);
            return new DeferredAnswer(true, FormattableString.Invariant($"answered in {took.TotalMilliseconds:0} ms"), answer);
        }
        catch (Exception e)
        {
            // Nobody else would hear of it: whatever goes wrong is the answer's note.
            return DeferredAnswer.Failed(e switch
            {
                OperationCanceledException => FormattableString.Invariant($"no answer in {_config.Timeout.TotalMilliseconds:0} ms"),
                _ => "down: " + Reason(e),
            });
        }
    }

    private HttpRequestMessage Request(byte[] body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, _config.Url)
        {
            Content = new ByteArrayContent(body),
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (_secret.Length > 0)
        {
            string timestamp = _time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            request.Headers.TryAddWithoutValidation("X-Siproom-Timestamp", timestamp);
            request.Headers.TryAddWithoutValidation("X-Siproom-Signature", "sha256=" + Sign(_secret, timestamp, body));
        }
        return request;
    }

    /// <returns>Null when it is too long.</returns>
    private static async Task<byte[]?> ReadAsync(HttpResponseMessage response, CancellationToken giveUp)
    {
        if (response.Content.Headers.ContentLength > HookConfig.AnswerBytes)
        {
            return null;
        }
        Stream stream = await response.Content.ReadAsStreamAsync(giveUp).ConfigureAwait(false);
        byte[] body = new byte[(int)(response.Content.Headers.ContentLength ?? 4_096) + 1];
        int length = 0;
        while (true)
        {
            int read = await stream.ReadAsync(body.AsMemory(length), giveUp).ConfigureAwait(false);
            length += read;
            if (read == 0)
            {
                return body[..length];
            }
            if (length > HookConfig.AnswerBytes)
            {
                return null;
            }
            if (length == body.Length)
            {
                Array.Resize(ref body, Math.Min(body.Length * 2, HookConfig.AnswerBytes + 1));
            }
        }
    }

    private static string Reason(Exception e) => e is HttpRequestException { InnerException: SocketException or IOException or System.Security.Authentication.AuthenticationException } http
        ? http.InnerException!.Message : e.Message;
}
