using System;
using System.Collections.Generic;
using System.Text;
using Proxy.LiveKit.Protocol;
using Proxy.Sip.Writing;

namespace Proxy.Server.Api;

/// <summary>Any thread. What a transfer's target and headers must be, in LiveKit's order and words.</summary>
public static class SipTransferRules
{
    private const int LongestTarget = 1_000;
    private const int LongestHeaders = 2_048;

    public static void Check(TransferSIPParticipantRequest request)
    {
        if (request.TransferTo.Length == 0)
        {
            throw SipApiException.Invalid("missing transfer to");
        }
        if (Target(request.TransferTo).Length == 0)
        {
            throw SipApiException.Invalid("transfer_to must be a valid SIP(s) or TEL URI (sip:, sips: or tel:)");
        }
        SipObjectRules.CheckHeaders(request.Headers);
        int bytes = 0;
        foreach (KeyValuePair<string, string> header in request.Headers)
        {
            // Names that LiveKit lets pass although the REFER's own machinery writes them.
            if (!SipHeaderLines.IsFree(Encoding.UTF8.GetBytes(header.Key)))
            {
                throw SipApiException.Invalid($"invalid header name: header name {header.Key} not supported");
            }
            bytes += header.Key.Length + Encoding.UTF8.GetByteCount(header.Value) + 4;
        }
        if (bytes > LongestHeaders)
        {
            throw SipApiException.Invalid($"headers: {bytes} bytes, at most {LongestHeaders} fit in a REFER");
        }
    }

    /// <summary>The URI of <c>transfer_to</c>, with or without angle brackets there.</summary>
    /// <returns>Empty when it is none that can stand in a Refer-To.</returns>
    public static string Target(string transferTo)
    {
        string uri = transferTo.StartsWith('<') && transferTo.EndsWith('>') ? transferTo[1..^1] : transferTo;
        int colon = uri.IndexOf(':');
        bool isScheme = colon > 0 && uri.AsSpan(0, colon) is "sip" or "sips" or "tel";
        bool isClean = uri.Length > colon + 1 && uri.Length <= LongestTarget;
        foreach (char c in uri)
        {
            isClean &= c is > ' ' and < (char)127 and not ('<' or '>' or '"');
        }
        return isScheme && isClean ? uri : "";
    }
}
