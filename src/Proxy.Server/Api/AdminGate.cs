using System;
using Microsoft.AspNetCore.Http;
using Proxy.LiveKit.Tokens;

namespace Proxy.Server.Api;

/// <summary>Any thread. Who may use the routes of an operator: a token with <c>sip.admin</c>, or anybody who can open the unix socket.</summary>
/// <param name="keys">API keys and secrets.</param>
/// <param name="isOpen">The unix socket: its file mode has asked already.</param>
public sealed class AdminGate(TokenKeys keys, bool isOpen)
{
    private const string Bearer = "Bearer ";

    /// <summary>Whether the request may go on; answers 401 when not.</summary>
    public bool Admits(HttpContext context)
    {
        string header = context.Request.Headers.Authorization.ToString();
        AccessClaims? claims = null;
        if (!isOpen && header.StartsWith(Bearer, StringComparison.Ordinal))
        {
            AccessToken.TryVerify(header.AsSpan(Bearer.Length), keys, DateTimeOffset.UtcNow.ToUnixTimeSeconds(), out claims);
        }
        if (isOpen || SipCaller.Of(claims).Admin)
        {
            return true;
        }
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        return false;
    }
}
