using System;
using Proxy.Core.Net;
using Proxy.Sip.Parsing;
using Proxy.Sip.Transactions;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Dialogs;

/// <summary>Any thread. Where a request inside a dialog is sent to when nobody is asked for names.</summary>
/// <remarks>
/// RFC 3261 §12.2.1.1 and RFC 5626's lesson: the flow that the call came over leads back, a Contact often does not.
/// </remarks>
internal static class DialogFlow
{
    /// <param name="live">The flow that the dialog lives on; Connection 0 when its connection is gone.</param>
    /// <param name="routeSet">The dialog's route set.</param>
    /// <param name="remoteTarget">The peer's Contact URI.</param>
    /// <param name="isWritten">The peer wrote this address; false: only that its requests come from there.</param>
    public static SipFlow Of(in SipFlow live, ReadOnlySpan<byte> routeSet, ReadOnlySpan<byte> remoteTarget, out bool isWritten)
    {
        isWritten = false;
        if (live.IsReliable && live.Connection != 0)
        {
            return live;
        }
        // Without what a name stands for the source of the call is the nearer truth.
        if (!SipUriView.TryParse(RequestWriter.NextHop(routeSet, remoteTarget), out SipUriView uri) || !NetAddress.TryParse(uri.Host, out NetAddress host)
            || !AddressKind.IsUnicast(host) || host.IsV6 != live.Remote.Address.IsV6)
        {
            return live;
        }
        // A private address means something at the peer's place, not here: NAT.
        if (host != live.Remote.Address && AddressKind.IsPrivate(host))
        {
            return live;
        }
        isWritten = true;
        int port = uri.Port != 0 ? uri.Port : live.Transport == SipTransport.Tls ? 5061 : 5060;
        return live with { Remote = new NetEndPoint(host, (ushort)port) };
    }
}
