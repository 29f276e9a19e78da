using System;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Server.Dns;

namespace Proxy.Server.WebSockets;

/// <summary>Any thread. Dials the WebSockets of all participants over one HTTP handler. ADR 0011.</summary>
public sealed class SignalDialer : IDisposable
{
    private readonly DnsCache _dns;
    private readonly HttpMessageInvoker _http;
    private readonly SignalServers _servers;

    /// <param name="servers">Several room servers of one request; null: the address as given is the only one.</param>
    public SignalDialer(SignalDialerOptions options, DnsCache dns, SignalServers? servers = null)
    {
        Options = options;
        _servers = servers ?? new SignalServers([]);
        _dns = dns;
        SocketsHttpHandler handler = new()
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            MaxResponseHeadersLength = 64,
            ConnectTimeout = options.ConnectTimeout,
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, cancellationToken),
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

    public void Dispose() => _http.Dispose();

    private async ValueTask<Stream> ConnectAsync(DnsEndPoint target, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = await _dns.ResolveAsync(target.Host, cancellationToken).ConfigureAwait(false);
        for (int i = 0; ; i++)
        {
            Socket socket = new(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(addresses[i], target.Port), cancellationToken).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (i + 1 < addresses.Length)
            {
                // The next address of the same name may answer.
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }
}

/// <summary>Any thread. Limits of the dialled WebSockets.</summary>
public sealed record SignalDialerOptions
{
    /// <summary>TCP (and TLS) connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From the dial to the server's answer.</summary>
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
