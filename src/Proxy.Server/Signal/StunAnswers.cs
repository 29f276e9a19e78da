using System;
using Proxy.Core.Net;
using Proxy.WebRtc.Stun;

namespace Proxy.Server.Signal;

/// <summary>Signal thread. Binding requests on the SIP port: how a user agent behind a NAT keeps its way open and sees it change.</summary>
/// <remarks>RFC 5626 §4.4.2, RFC 5389 §7.3.1.</remarks>
public static class StunAnswers
{
    /// <summary>Room for an answer.</summary>
    public const int MostBytes = 64;

    /// <param name="request">A datagram with STUN's cookie.</param>
    /// <param name="from">Where it came from, which is what the answer says.</param>
    /// <param name="isStranger">Nobody vouches for the address, which may be forged: it gets no more bytes than it sent.</param>
    /// <returns>Length of the answer; 0 for none.</returns>
    public static int Write(ReadOnlySpan<byte> request, in NetEndPoint from, bool isStranger, Span<byte> answer)
    {
        if (!StunView.TryParse(request, out StunView view, out _) || view.Type != StunMessageType.BindingRequest || view.UnknownRequired != 0)
        {
            return 0;
        }
        StunWriter writer = new(answer, StunMessageType.BindingSuccess, view.TransactionId);
        writer.XorMappedAddress(from);
        int length = writer.Finish(null);
        return isStranger && length > request.Length ? 0 : length;
    }
}
