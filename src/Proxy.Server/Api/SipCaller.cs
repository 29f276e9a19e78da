using System;
using Proxy.LiveKit.Tokens;

namespace Proxy.Server.Api;

/// <summary>Any thread. What the token of a request allows; the default value is no token.</summary>
/// <param name="Admin">Trunks and rules (<c>sip.admin</c>).</param>
/// <param name="Call">Calls (<c>sip.call</c>).</param>
/// <param name="AdminRoom">Room of <c>roomAdmin</c>; null when not granted.</param>
public readonly record struct SipCaller(bool Admin, bool Call, string? AdminRoom)
{
    /// <summary>The unix socket and <c>--dev</c>: everything.</summary>
    public static SipCaller Local { get; } = new(true, true, "*");

    public static SipCaller Of(AccessClaims? claims) => claims is null ? default : new SipCaller(
        claims.Sip?.Admin ?? false,
        claims.Sip?.Call ?? false,
        claims.Video is { RoomAdmin: true } video ? video.Room : null);

    public bool IsAdminOf(string room) => AdminRoom == "*" || (AdminRoom is { Length: > 0 } && string.Equals(AdminRoom, room, StringComparison.Ordinal));
}
