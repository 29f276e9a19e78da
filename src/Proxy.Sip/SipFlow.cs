using Proxy.Core.Net;

namespace Proxy.Sip;

/// <summary>Any thread. Where a message came from, or where it goes to.</summary>
/// <param name="Transport">UDP, TCP or TLS.</param>
/// <param name="Listener">Index of the <see cref="SipListener"/> it came in on or leaves from.</param>
/// <param name="Connection">Number of the stream connection; 0 for UDP, and 0 for a stream that the runtime must first open to <paramref name="Remote"/>.</param>
/// <param name="Remote">The peer's address and port.</param>
public readonly record struct SipFlow(SipTransport Transport, int Listener, int Connection, NetEndPoint Remote)
{
    /// <summary>Whether lost messages are somebody else's concern (TCP, TLS).</summary>
    public bool IsReliable => Transport != SipTransport.Udp;
}
