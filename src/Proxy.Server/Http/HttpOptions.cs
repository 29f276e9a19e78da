using System;
using Microsoft.Extensions.Logging;
using Proxy.Core.Net;

namespace Proxy.Server.Http;

/// <summary>Any thread. How the HTTP host listens.</summary>
public sealed record HttpOptions
{
    /// <summary>Address and port; port 0 lets the kernel choose (tests). Unused with <see cref="UnixSocket"/>.</summary>
    public NetEndPoint Listen { get; init; }

    /// <summary>Path of a unix socket to listen on instead; null listens on TCP.</summary>
    public string? UnixSocket { get; init; }

    /// <summary>Longest request line, bytes: join URLs carry a compressed offer of 2–3 KB, or 19–25 KB plain.</summary>
    public int RequestLineBytes { get; init; } = 64 * 1024;

    /// <summary>Largest request body, bytes.</summary>
    public long BodyBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Open connections, WebSockets included; more are closed at once.</summary>
    public long Connections { get; init; } = 20_000;

    /// <summary>How long <see cref="HttpHost.StopAsync"/> waits for requests that are being answered.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Where a failed request handler is told; null keeps quiet.</summary>
    public ILogger? Log { get; init; }
}
