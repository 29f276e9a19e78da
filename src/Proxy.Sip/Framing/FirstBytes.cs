using System;

namespace Proxy.Sip.Framing;

/// <summary>Any thread. What a datagram on the SIP port is, by its first bytes.</summary>
public enum DatagramKind : byte
{
    /// <summary>Begins like a SIP message.</summary>
    Sip,

    /// <summary>Empty, CRLFs or NULs: a keep-alive without an answer.</summary>
    KeepAlive,

    /// <summary>A STUN request or response (RFC 5389 magic cookie).</summary>
    Stun,

    /// <summary>Anything else.</summary>
    Garbage,
}
