using Proxy.Core.Net;

namespace Proxy.Sip;

/// <summary>Any thread. One socket that the runtime listens on.</summary>
/// <param name="Index">0-based; stands in every <see cref="SipFlow"/>.</param>
/// <param name="Transport">UDP, TCP or TLS.</param>
/// <param name="Local">What the socket is bound to; messages to this address are never sent.</param>
/// <param name="Advertised">What Contact, Via and Record-Route name: reachable from outside, never a wildcard.</param>
/// <param name="Host">The name that Contact gives instead of the address: what a TLS certificate was made for. Null: the address.</param>
/// <param name="Challenge">What credentials are asked for with: 407, or 401.</param>
public sealed record SipListener(int Index, SipTransport Transport, NetEndPoint Local, NetEndPoint Advertised, string? Host = null, int Challenge = 407);
