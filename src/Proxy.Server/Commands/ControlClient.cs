using System;
using System.IO;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;
using Proxy.LiveKit.Tokens;

namespace Proxy.Server.Commands;

/// <summary>Main thread. A running node as the command line sees it: HTTP over its unix socket, or over --url with a token.</summary>
public sealed class ControlClient : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private readonly HttpMessageInvoker _http;
    private readonly Uri _base;
    private readonly string _token;

    private ControlClient(SocketsHttpHandler handler, Uri address, string token, string name)
    {
        _http = new HttpMessageInvoker(handler, disposeHandler: true);
        _base = address;
        _token = token;
        Name = name;
    }

    /// <summary>What errors call the node.</summary>
    public string Name { get; }

    public static ControlClient OverSocket(string path)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        return new ControlClient(handler, new Uri("http://siproom/"), "", path);
    }

    /// <param name="key">API key and secret that the node knows: the token is minted here.</param>
    public static ControlClient OverUrl(Uri url, string key, string secret)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new AccessClaims { ApiKey = key, NotBefore = now, ExpiresAt = now + 600, Sip = new SipGrant(true, true) };
        string path = url.AbsoluteUri.EndsWith('/') ? url.AbsoluteUri : url.AbsoluteUri + "/";
        return new ControlClient(new SocketsHttpHandler { AllowAutoRedirect = false }, new Uri(path), AccessToken.Mint(claims, Encoding.UTF8.GetBytes(secret)), url.AbsoluteUri);
    }

    /// <summary>Sends one request and waits for its answer.</summary>
    /// <param name="path">Path and query, without a leading slash.</param>
    /// <param name="json">The body; null for none.</param>
    /// <returns>Status 0 when the node could not be asked; the text is then the reason.</returns>
    public (int Status, string Text) Send(string method, string path, string? json = null, string accept = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(_base, path));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        if (_token.Length > 0)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        }
        if (json is not null)
        {
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        }
        using var patience = new CancellationTokenSource(s_patience);
        try
        {
            using HttpResponseMessage response = _http.SendAsync(request, patience.Token).GetAwaiter().GetResult();
            return ((int)response.StatusCode, response.Content.ReadAsStringAsync(patience.Token).GetAwaiter().GetResult());
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            string why = e is OperationCanceledException ? "it does not answer" : e.InnerException?.Message ?? e.Message;
            return (0, $"the node at {Name} cannot be asked: {why}");
        }
    }

    /// <summary>The sentence of an answer that is no success.</summary>
    public string Sentence(int status, string text)
    {
        switch (status)
        {
            case 0:
                return text;
            case 401:
                return $"the node at {Name} does not take the token: set LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a key that it knows";
        }
        string line = text.Trim();
        return SentenceOf(text) ?? $"the node at {Name} answers {status}" + (line.Length > 0 && line.Length < 300 ? ": " + line : "");
    }

    /// <summary>What one of our answers, or one of LiveKit's services, says in words; null when it is none.</summary>
    public static string? SentenceOf(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            foreach (string key in (string[])["error", "msg"])
            {
                if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(key, out JsonElement said) && said.ValueKind == JsonValueKind.String)
                {
                    return said.GetString()!;
                }
            }
        }
        catch (JsonException)
        {
            // Not one of our answers; what it says is shown as it is.
        }
        return null;
    }

    public void Dispose() => _http.Dispose();
}
