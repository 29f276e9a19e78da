using Proxy.Core.Net;

namespace Proxy.Sdp;

/// <summary>Any thread. The address of a c=, o= or a=rtcp line. A multicast scope (<c>/127</c>) is cut off.</summary>
/// <param name="Address">Set when the line names an address literal.</param>
/// <param name="IsPresent">There is a line; when <paramref name="Address"/> is not set it holds a host name or rubbish.</param>
/// <remarks>RFC 8866 §5.7.</remarks>
public readonly record struct SdpConnection(NetAddress Address, bool IsPresent)
{
    /// <summary>True for a literal that is present.</summary>
    public bool IsLiteral => Address.IsSet;
}
