using System;
using Proxy.Sip.Parsing;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Transactions;

/// <summary>Any thread. The inspections that every request goes through, in the order of RFC 3261 §8.2.</summary>
internal static class RequestChecks
{
    /// <summary>Option tags of Require that we do not have, as an Unsupported line.</summary>
    /// <param name="view">The request.</param>
    /// <param name="line">At least 512 bytes; receives the line.</param>
    /// <returns>Its length; 0 when all is supported.</returns>
    public static int WriteUnsupported(in SipMessageView view, Span<byte> line)
    {
        if (!view.Has(SipHeaderId.Require))
        {
            return 0;
        }
        var writer = new SipWriter(line);
        writer.Add("Unsupported: "u8);
        int start = writer.Length;
        foreach (SipHeaderView header in view.Headers)
        {
            if (header.Id != SipHeaderId.Require)
            {
                continue;
            }
            foreach (ReadOnlySpan<byte> tag in new SipValueEnumerator(header.Value))
            {
                if (SipText.IsToken(tag) && !Capabilities.Supports(tag) && writer.Length + tag.Length < line.Length - 8)
                {
                    writer.Add(writer.Length > start ? ", "u8 : default);
                    writer.Add(tag);
                }
            }
        }
        if (writer.Length == start)
        {
            return 0;
        }
        writer.Add("\r\n"u8);
        return writer.Length;
    }

    /// <summary>A Min-SE line.</summary>
    /// <returns>Its length.</returns>
    public static int WriteMinSE(int seconds, Span<byte> line)
    {
        var writer = new SipWriter(line);
        writer.Add("Min-SE: "u8);
        writer.AddNumber(seconds);
        writer.Add("\r\n"u8);
        return writer.Length;
    }

    /// <summary>Whether the body of an INVITE or UPDATE is SDP, holds SDP, or is absent.</summary>
    public static bool HasReadableBody(in SipMessageView view)
    {
        if (view.TryGetHeader(SipHeaderId.ContentEncoding, out ReadOnlySpan<byte> encoding) && !SipText.Same(encoding, "identity"u8))
        {
            return false;
        }
        return view.Body.IsEmpty || MediaType.Is(view.ContentType, "application/sdp"u8) || MediaType.IsMultipart(view.ContentType);
    }

    /// <summary>Whether the caller takes SDP back; without Accept it does (§20.1).</summary>
    public static bool AcceptsSdp(in SipMessageView view)
    {
        if (!view.Has(SipHeaderId.Accept))
        {
            return true;
        }
        foreach (SipHeaderView header in view.Headers)
        {
            if (header.Id != SipHeaderId.Accept)
            {
                continue;
            }
            foreach (ReadOnlySpan<byte> item in new SipValueEnumerator(header.Value))
            {
                if (MediaType.Accepts(item, "application/sdp"u8))
                {
                    return true;
                }
            }
        }
        return false;
    }
}
