using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;

namespace Proxy.Server.WebSockets;

/// <summary>Async world. One participant's WebSocket: dials, receives whole messages, sends one at a time.</summary>
/// <remarks>
/// RFC 6455. Upgrades by hand over the shared handler: ClientWebSocket would hide the body of a refusal, which says why.
/// A receive is never cancelled (that would abort the socket): a silent peer is ended by disposing it.
/// </remarks>
public sealed class SignalSocketPump
{
    private const int RefusalBytes = 4096;
    private const int FirstBuffer = 4096;
    private const int Abnormal = 1006;
    private readonly SignalSocketKey _key;
    private readonly ISignalSocketSink _sink;
    private readonly SignalDialerOptions _options;
    private readonly CancellationTokenSource _dialing;
    private readonly Channel<ReadOnlyMemory<byte>> _sends;

    internal SignalSocketPump(SignalSocketKey key, ISignalSocketSink sink, SignalDialerOptions options)
    {
        _key = key;
        _sink = sink;
        _options = options;
        _dialing = new CancellationTokenSource(options.DialTimeout);
        _sends = Channel.CreateBounded<ReadOnlyMemory<byte>>(new BoundedChannelOptions(options.SendQueue)
        {
            SingleReader = true,
            FullMode = BoundedChannelFullMode.Wait,
        });
    }

    /// <summary>Any thread. Queues one binary message; may be called before the socket is open.</summary>
    /// <param name="message">Must not change afterwards.</param>
    /// <returns>False when the socket is closing, or the queue is full (then it closes).</returns>
    public bool TrySend(ReadOnlyMemory<byte> message)
    {
        if (_sends.Writer.TryWrite(message))
        {
            return true;
        }
        Close();
        return false;
    }

    /// <summary>Any thread. Sends what is queued, then closes (1000); a dial under way is given up.</summary>
    public void Close()
    {
        _sends.Writer.TryComplete();
        try
        {
            _dialing.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The dial is over.
        }
    }

    internal async Task RunAsync(HttpMessageInvoker http, SignalServers servers, string url, string token)
    {
        WebSocket? socket = null;
        (int Status, byte[] Body) refusal = (0, "given up"u8.ToArray());
        IReadOnlyList<(int Server, string Url)> candidates = servers.InOrder(url);
        for (int i = 0; i < candidates.Count && socket is null && !_sends.Reader.Completion.IsCompleted; i++)
        {
            bool isLast = i == candidates.Count - 1;
            (socket, refusal) = await UpgradeAsync(http, candidates[i].Url, token, isLast).ConfigureAwait(false);
            if (socket is null && refusal.Status is not (0 or >= 500))
            {
                // This server works; its no is a no.
                break;
            }
            if (socket is null)
            {
                servers.Failed(candidates[i].Server);
            }
        }
        _dialing.Dispose();
        if (socket is null)
        {
            _sends.Writer.TryComplete();
            _sink.Refused(_key, refusal.Status, refusal.Body);
            return;
        }
        using (socket)
        {
            _sink.Opened(_key);
            Task<int> receiving = ReceiveAllAsync(socket);
            Task sending = SendAllAsync(socket);
            await Task.WhenAny(receiving, sending).ConfigureAwait(false);
            // Whichever side closed first, the other has a moment to follow.
            int code = await EndsInTimeAsync(receiving, socket).ConfigureAwait(false) ? receiving.Result : Abnormal;
            _sends.Writer.TryComplete();
            await EndsInTimeAsync(sending, socket).ConfigureAwait(false);
            _sink.Closed(_key, code);
        }
    }

    private async Task<(WebSocket? Socket, (int Status, byte[] Body) Refusal)> UpgradeAsync(HttpMessageInvoker http, string url, string token, bool isLast)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_dialing.Token);
        try
        {
            if (!isLast)
            {
                patience.CancelAfter(_options.NextServerAfter);
            }
            string nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
            using HttpRequestMessage request = Request(url, token, nonce);
            HttpResponseMessage response = await http.SendAsync(request, patience.Token).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.SwitchingProtocols && IsAccepted(response, nonce))
            {
                Stream stream = await response.Content.ReadAsStreamAsync(_dialing.Token).ConfigureAwait(false);
                return (WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { IsServer = false, KeepAliveInterval = TimeSpan.Zero }), (0, []));
            }
            using (response)
            {
                return (null, ((int)response.StatusCode, await ReadBodyAsync(response).ConfigureAwait(false)));
            }
        }
        catch (Exception e)
        {
            // Nobody awaits this task: whatever goes wrong is told, or the call would wait for the dial's deadline without a reason.
            return (null, (0, Encoding.UTF8.GetBytes(Reason(e))));
        }
    }

    private static HttpRequestMessage Request(string url, string token, string nonce)
    {
        Uri uri = new(url);
        UriBuilder target = new(uri)
        {
            Scheme = uri.Scheme is "wss" or "https" ? "https" : "http",
            Port = uri.IsDefaultPort ? -1 : uri.Port,
        };
        HttpRequestMessage request = new(HttpMethod.Get, target.Uri) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Connection.Add("Upgrade");
        request.Headers.Upgrade.Add(new ProductHeaderValue("websocket"));
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Version", "13");
        request.Headers.TryAddWithoutValidation("Sec-WebSocket-Key", nonce);
        return request;
    }

    // RFC 6455 §4.1: the answer proves that the server read our nonce.
    private static bool IsAccepted(HttpResponseMessage response, string nonce)
    {
#pragma warning disable CA5350 // SHA-1 is what the protocol says; nothing rests on it
        string expected = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(nonce + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
        if (response.Headers.TryGetValues("Sec-WebSocket-Accept", out var values))
        {
            foreach (string value in values)
            {
                return value == expected;
            }
        }
        return false;
    }

    private async Task<byte[]> ReadBodyAsync(HttpResponseMessage response)
    {
        byte[] buffer = new byte[RefusalBytes];
        int length = 0;
        try
        {
            Stream stream = await response.Content.ReadAsStreamAsync(_dialing.Token).ConfigureAwait(false);
            length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, _dialing.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            // The status says enough.
        }
        return buffer.AsSpan(0, length).ToArray();
    }

    private async Task<int> ReceiveAllAsync(WebSocket socket)
    {
        byte[]? buffer = null;
        try
        {
            while (true)
            {
                // Waiting with no buffer: an idle participant holds none.
                ValueWebSocketReceiveResult result = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None).ConfigureAwait(false);
                int length = 0;
                while (result.MessageType != WebSocketMessageType.Close && !result.EndOfMessage)
                {
                    buffer = Grow(buffer, length);
                    if (length == _options.MessageBytes)
                    {
                        await CloseOutputAsync(socket, WebSocketCloseStatus.MessageTooBig).ConfigureAwait(false);
                        return (int)WebSocketCloseStatus.MessageTooBig;
                    }
                    int room = Math.Min(buffer.Length, _options.MessageBytes) - length;
                    result = await socket.ReceiveAsync(buffer.AsMemory(length, room), CancellationToken.None).ConfigureAwait(false);
                    length += result.Count;
                }
                if (result.MessageType == WebSocketMessageType.Close)
                {
                    return (int?)socket.CloseStatus ?? 1005;
                }
                if (result.MessageType == WebSocketMessageType.Binary && length > 0)
                {
                    _sink.Message(_key, buffer.AsSpan(0, length).ToArray());
                }
                if (buffer is not null)
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = null;
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            return Abnormal;
        }
        finally
        {
            if (buffer is not null)
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    private static byte[] Grow(byte[]? buffer, int length)
    {
        if (buffer is not null && length < buffer.Length)
        {
            return buffer;
        }
        byte[] larger = ArrayPool<byte>.Shared.Rent(buffer is null ? FirstBuffer : buffer.Length * 2);
        if (buffer is not null)
        {
            buffer.AsSpan(0, length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return larger;
    }

    private async Task SendAllAsync(WebSocket socket)
    {
        try
        {
            await foreach (ReadOnlyMemory<byte> message in _sends.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                await socket.SendAsync(message, WebSocketMessageType.Binary, WebSocketMessageFlags.EndOfMessage, CancellationToken.None).ConfigureAwait(false);
            }
            await CloseOutputAsync(socket, WebSocketCloseStatus.NormalClosure).ConfigureAwait(false);
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            socket.Abort();
        }
    }

    private async Task<bool> EndsInTimeAsync(Task half, WebSocket socket)
    {
        try
        {
            await half.WaitAsync(_options.CloseTimeout).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            socket.Abort();
            await half.ConfigureAwait(false);
            return false;
        }
    }

    private static async Task CloseOutputAsync(WebSocket socket, WebSocketCloseStatus status)
    {
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
        {
            await socket.CloseOutputAsync(status, null, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private string Reason(Exception e) => e switch
    {
        OperationCanceledException when _sends.Reader.Completion.IsCompleted => "given up",
        OperationCanceledException => $"no answer within {_options.DialTimeout.TotalSeconds:0} s",
        HttpRequestException { InnerException: { } inner } => inner.Message,
        TypeInitializationException => e.GetBaseException().ToString(),
        _ => e.Message,
    };
}
