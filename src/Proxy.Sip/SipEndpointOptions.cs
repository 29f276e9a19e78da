using System;
using Proxy.Core;

namespace Proxy.Sip;

/// <summary>Any thread. What a <see cref="SipEndpoint"/> is built with; does not change while it lives.</summary>
public sealed record SipEndpointOptions
{
    /// <summary>All listeners; an item's place is its <see cref="SipListener.Index"/>.</summary>
    public required SipListener[] Listeners { get; init; }

    public required Limits Limits { get; init; }

    /// <summary>Value of the Server field of responses; null leaves it out.</summary>
    public string? ServerHeader { get; init; }

    /// <summary>Value of the User-Agent field of requests; null leaves it out.</summary>
    public string? UserAgent { get; init; }

    /// <summary>What 503 says in Retry-After, seconds, 1–3600.</summary>
    public int RetryAfterSeconds { get; init; } = 10;

    /// <summary>
    /// How long an INVITE may wait for its 100. Zero (the default) sends it at once; hide_inbound_port sets 200 ms, so that
    /// <c>SipDialog.Drop</c> in the same turn leaves no trace on the wire.
    /// </summary>
    public TimeSpan TryingDelay { get; init; } = TimeSpan.Zero;

    /// <summary>Watches strangers; null takes everybody alike.</summary>
    public Guarding.SourceGuard? Guard { get; init; }

    /// <summary>Smallest session interval that is accepted (RFC 4028 §5), seconds, at least 90.</summary>
    public int MinSessionExpires { get; init; } = 90;

    /// <summary>Session interval that is asked for when the caller names none, seconds; 0 asks for none.</summary>
    public int SessionExpires { get; init; } = 1800;
}
