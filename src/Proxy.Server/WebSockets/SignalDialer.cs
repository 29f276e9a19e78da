using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Server.Dns;

namespace Proxy.Server.WebSockets;

/// <summary>Any thread. Dials the WebSockets of all participants over one HTTP handler. ADR 0011.</summary>
public sealed class SignalDialer : IDisposable
{
    /// <summary>Of an answer to <see cref="PostAsync"/>.</summary>
    private const int AnswerBytes = 16 * 1024;
    private readonly HttpMessageInvoker _http;
    private readonly SignalServers _servers;

    /// <param name="servers">Several room servers of one request; null: the address as given is the only one.</param>
    public SignalDialer(SignalDialerOptions options, DnsCache dns, SignalServers? servers = null)
    {
        Options = options;
        _servers = servers ?? new SignalServers([]);
        SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            MaxResponseHeadersLength = 64,
            ConnectTimeout = options.ConnectTimeout,
            ConnectCallback = (context, cancellationToken) => dns.ConnectAsync(context.DnsEndPoint, cancellationToken),
        };
        _http = new HttpMessageInvoker(handler, disposeHandler: true);
    }

    public SignalDialerOptions Options { get; }

    /// <summary>Starts to dial; returns at once. Everything that happens is told to <paramref name="sink"/>.</summary>
    /// <param name="url"><c>ws://</c>, <c>wss://</c>, <c>http://</c> or <c>https://</c>, with the whole query.</param>
    /// <param name="token">Sent as <c>Authorization: Bearer</c>; never logged.</param>
    public SignalSocketPump Dial(SignalSocketKey key, string url, string token, ISignalSocketSink sink)
    {
        SignalSocketPump pump = new(key, sink, Options);
        _ = Task.Run(() => pump.RunAsync(_http, _servers, url, token));
        return pump;
    }

    /// <summary>Posts a protobuf message to the API of the server that dials reach: the first that works.</summary>
    /// <param name="url">As for <see cref="Dial"/>.</param>
    /// <param name="token">Sent as <c>Authorization: Bearer</c>; never logged.</param>
    /// <returns>Status, and up to <see cref="AnswerBytes"/> of the body.</returns>
    public async Task<(int Status, byte[] Body)> PostAsync(string url, string token, byte[] message, CancellationToken cancellationToken)
    {
        IReadOnlyList<(int Server, string Url)> candidates = _servers.InOrder(url);
        for (int i = 0; ; i++)
        {
            try
            {
                return await PostOnceAsync(candidates[i].Url, token, message, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or SocketException && i + 1 < candidates.Count)
            {
                _servers.Failed(candidates[i].Server);
            }
        }
    }

    private async Task<(int Status, byte[] Body)> PostOnceAsync(string url, string token, byte[] message, CancellationToken cancellationToken)
    {
        string address = url.StartsWith("ws", StringComparison.OrdinalIgnoreCase) ? string.Concat("http", url.AsSpan(2)) : url;
        using HttpRequestMessage request = new(HttpMethod.Post, address) { Content = new ByteArrayContent(message) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/protobuf");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using HttpResponseMessage response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        byte[] body = new byte[AnswerBytes];
        Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        int length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return ((int)response.StatusCode, body[..length]);
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>Any thread. Limits of the dialled WebSockets.</summary>
public sealed record SignalDialerOptions
{
    /// <summary>TCP (and TLS) connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From the dial to the server's answer; the node's is <c>Limits.RoomJoinTimeout</c>.</summary>
    public TimeSpan DialTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The same while another server can be asked: a call gives its dial 5 s in all (<c>Limits.RoomJoinTimeout</c>).</summary>
    public TimeSpan NextServerAfter { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>How long the server may take to answer our close.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Largest message of the server, bytes; a larger one closes the socket (1009).</summary>
    public int MessageBytes { get; init; } = 2 * 1024 * 1024;

    /// <summary>Messages waiting to be sent; one more closes the socket: the server has stopped reading.</summary>
    public int SendQueue { get; init; } = 256;
}
