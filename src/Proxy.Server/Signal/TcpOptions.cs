using System;

namespace Proxy.Server.Signal;

/// <summary>Any thread. Caps and timeouts of SIP over TCP and TLS.</summary>
public sealed record TcpOptions
{
    /// <summary>Connections at once, both directions; more are closed at once and counted.</summary>
    public int Connections { get; init; } = 4_096;

    /// <summary>Of these from one address (IPv6: /64) that no trunk lists: an office's phones, each with its own.</summary>
    public int ConnectionsPerAddress { get; init; } = 50;

    /// <summary>From accept (TLS: from its handshake's end) to the first byte of a stranger; listed sources may connect and wait.</summary>
    public TimeSpan FirstMessage { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From a message's first byte to its last.</summary>
    public TimeSpan WholeMessage { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Silence of a listed source after which its connection is closed, unless a call lives on it; carriers send keep-alives (RFC 5626 §4.4.1) far more often.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The same for a stranger: what RFC 5626 §4.4.1 lets a client wait between keep-alives.</summary>
    public TimeSpan IdleStranger { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>TLS handshake; two round trips and a signature need a tenth of it over a satellite.</summary>
    public TimeSpan Handshake { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>TLS handshakes at once; more are closed at once and counted. Each costs a private key operation.</summary>
    public int Handshakes { get; init; } = 512;

    /// <summary>Of these from one address (IPv6: /64) that no trunk lists.</summary>
    public int HandshakesPerAddress { get; init; } = 16;

    /// <summary>Opening a connection of our own: two tries of the kernel. A request that is too long for a datagram waits so long before it becomes one.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>One write that the peer does not read.</summary>
    public TimeSpan Write { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the answer to a refused message may take before the connection is closed.</summary>
    public TimeSpan LastAnswer { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Messages waiting to be written on one connection; one more closes it.</summary>
    public int WriteQueue { get; init; } = 128;
}
