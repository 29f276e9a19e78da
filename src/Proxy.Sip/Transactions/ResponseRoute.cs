using Proxy.Core.Net;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Transactions;

/// <summary>Any thread. Where a response goes.</summary>
/// <remarks>RFC 3261 §18.2.2, RFC 3581 §4.</remarks>
internal static class ResponseRoute
{
    private const int SipPort = 5060;
    private const int SipsPort = 5061;

    /// <summary>Back on the connection; over UDP to the source address, at the source port with rport, else at the port of sent-by.</summary>
    public static SipFlow Of(in ViaView via, in SipFlow flow)
    {
        // Deviation: RFC 3261 §18.2.2, maddr is not followed: it would let a datagram aim our responses at anybody.
        if (flow.IsReliable || via.HasRport)
        {
            return flow;
        }
        // Deviation: RFC 3261 §18.2.2. A literal sent-by that is not the source is behind a NAT: only the source port leads back.
        if (NetAddress.TryParse(via.Host, out NetAddress host) && host != flow.Remote.Address)
        {
            return flow;
        }
        return flow with { Remote = new NetEndPoint(flow.Remote.Address, (ushort)(via.Port == 0 ? SipPort : via.Port)) };
    }

    /// <summary>The same when the connection is gone: a new one to the source address and the port of sent-by.</summary>
    public static SipFlow WithoutConnection(in ViaView via, in SipFlow flow)
    {
        int port = via.Port != 0 ? via.Port : flow.Transport == SipTransport.Tls ? SipsPort : SipPort;
        return flow with { Connection = 0, Remote = new NetEndPoint(flow.Remote.Address, (ushort)port) };
    }
}
