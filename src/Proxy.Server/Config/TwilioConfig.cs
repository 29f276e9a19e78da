using System.Collections.Generic;
using Proxy.Core.Net;
using Proxy.Sip;

namespace Proxy.Server.Config;

/// <summary>Any thread. <c>twilio:</c> and <c>public_http:</c>.</summary>
public sealed record TwilioConfig
{
    /// <summary>What Twilio signs its requests with; a secret, never logged. Empty: the route is off.</summary>
    public string AuthToken { get; init; } = "";

    /// <summary>The URL that stands in Twilio's console; empty: as the request and trusted proxies tell it.</summary>
    public string PublicUrl { get; init; } = "";

    /// <summary>HTTP proxies before us whose <c>X-Forwarded-Proto</c> and <c>X-Forwarded-Host</c> are believed.</summary>
    public IReadOnlyList<SipSourceRange> TrustedProxies { get; init; } = [];

    /// <summary>Where Twilio shall send calls, host or host:port; empty: it is not known.</summary>
    public string SipHost { get; init; } = "";

    /// <summary><c>tcp</c>, <c>tls</c> or <c>udp</c>.</summary>
    public string Transport { get; init; } = "tcp";

    /// <summary>Listener for <c>/twilio/voice</c> alone; null: none (with <c>--dev</c> the route is on the HTTP address).</summary>
    public NetEndPoint? PublicHttp { get; init; }
}
