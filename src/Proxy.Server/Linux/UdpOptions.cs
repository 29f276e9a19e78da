namespace Proxy.Server.Linux;

/// <summary>Any thread. How a UDP socket is opened.</summary>
public readonly record struct UdpOptions()
{
    /// <summary>SO_RCVBUF, bytes; 0 leaves the system's. The system's limit (net.core.rmem_max) caps it.</summary>
    public int ReceiveBytes { get; init; }

    /// <summary>SO_SNDBUF, bytes; 0 leaves the system's.</summary>
    public int SendBytes { get; init; }

    /// <summary>0–63. 46 is EF (voice), 24 is CS3 (signalling).</summary>
    public int Dscp { get; init; }

    /// <summary>Ask for the local address of each datagram: needed on a wildcard bind.</summary>
    public bool WantsLocalAddress { get; init; }
}

/// <summary>What became of a datagram that was sent.</summary>
public enum SendResult
{
    Sent,

    /// <summary>The socket's buffer is full; real time has no use for waiting: it is dropped and counted.</summary>
    WouldBlock,

    /// <summary>No route, or the address family does not fit the socket.</summary>
    Unreachable,

    /// <summary>Larger than the path or the protocol takes.</summary>
    TooLarge,

    /// <summary>Anything else.</summary>
    Failed,
}
