using System;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Proxy.Server.Http;

/// <summary>Any thread. Who is at the other end of a request.</summary>
public static class HttpPeer
{
    /// <summary>A program on this machine that also means this machine: a foreign site that points its own name at 127.0.0.1 does not.</summary>
    public static bool IsLoopback(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address) && IsLoopbackName(context.Request.Host.Host);

    private static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
}
