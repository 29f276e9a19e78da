using System;
using Proxy.Core.Net;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Writing;

/// <summary>One owner. What a response holds beside what it copies from its request.</summary>
internal ref struct ResponseParts
{
    /// <summary>100–699.</summary>
    public int Status;

    /// <summary>Empty takes the usual phrase.</summary>
    public ReadOnlySpan<byte> Reason;

    /// <summary>Put on To when the request has none.</summary>
    public ReadOnlySpan<byte> ToTag;

    /// <summary>Copies Record-Route (dialog-forming responses above 100).</summary>
    public bool HasRecordRoute;

    /// <summary>The whole Contact value; empty leaves it out.</summary>
    public ReadOnlySpan<byte> Contact;

    public bool HasAllow;

    public bool HasSupported;

    /// <summary>Empty leaves Server out.</summary>
    public ReadOnlySpan<byte> Server;

    /// <summary>Whole lines, each ended by CRLF.</summary>
    public ReadOnlySpan<byte> Extra;

    public ReadOnlySpan<byte> ContentType;

    public ReadOnlySpan<byte> Body;

    /// <summary>Leaves out what a datagram without a body can do without (Content-Length, §20.14), and shortens the phrase.</summary>
    public bool IsLean;
}

/// <summary>Any thread. Writes a response to a request.</summary>
/// <remarks>RFC 3261 §8.2.6, §18.2.1; RFC 3581 §4. Works on refused requests too: it copies what is there.</remarks>
internal static class ResponseWriter
{
    /// <param name="destination">Where the response goes.</param>
    /// <param name="request">The request, as received.</param>
    /// <param name="source">Where the request came from, for received and rport.</param>
    /// <param name="parts">Status and the rest.</param>
    /// <returns>Bytes written, or 0 when it does not fit.</returns>
    public static int Write(Span<byte> destination, in SipMessageView request, in NetEndPoint source, in ResponseParts parts)
    {
        var writer = new SipWriter(destination);
        writer.Add("SIP/2.0 "u8);
        writer.AddNumber(parts.Status);
        writer.Add(" "u8);
        writer.AddValue(parts.IsLean ? default : parts.Reason.IsEmpty ? ReasonPhrases.Of(parts.Status) : parts.Reason);
        writer.Add("\r\n"u8);
        AddCopies(ref writer, in request, in source, in parts);
        if (parts.Status == 100 && request.TryGetHeader(SipHeaderId.Timestamp, out ReadOnlySpan<byte> timestamp))
        {
            writer.AddField("Timestamp"u8, timestamp);
        }
        AddOptional(ref writer, "Contact"u8, parts.Contact);
        AddOptional(ref writer, "Allow"u8, parts.HasAllow ? Capabilities.Allow : default);
        AddOptional(ref writer, "Supported"u8, parts.HasSupported ? Capabilities.Supported : default);
        AddOptional(ref writer, "Server"u8, parts.Server);
        writer.Add(parts.Extra);
        if (parts.IsLean && parts.Body.IsEmpty)
        {
            writer.Add("\r\n"u8);
        }
        else
        {
            writer.AddBody(parts.ContentType, parts.Body);
        }
        return writer.IsFull ? 0 : writer.Length;
    }

    private static void AddOptional(ref SipWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            writer.AddField(name, value);
        }
    }

    /// <summary>Via, Record-Route, From, To, Call-ID and CSeq, in the order of the request's Vias.</summary>
    private static void AddCopies(ref SipWriter writer, in SipMessageView request, in NetEndPoint source, in ResponseParts parts)
    {
        bool isFirstVia = true;
        foreach (SipHeaderView header in request.Headers)
        {
            if (header.Id == SipHeaderId.Via)
            {
                writer.Add("Via: "u8);
                int first = 0;
                if (isFirstVia)
                {
                    first = SipText.ItemLength(header.Value);
                    AddTopVia(ref writer, header.Value[..first], in source);
                    isFirstVia = false;
                }
                writer.AddValue(header.Value[first..]);
                writer.Add("\r\n"u8);
            }
            else if (header.Id == SipHeaderId.RecordRoute && parts.HasRecordRoute)
            {
                writer.AddField("Record-Route"u8, header.Value);
            }
        }
        AddOptional(ref writer, "From"u8, request.FromValue);
        AddTo(ref writer, in request, parts.ToTag);
        AddOptional(ref writer, "Call-ID"u8, request.CallId);
        AddOptional(ref writer, "CSeq"u8, request.CSeqValue);
    }

    private static void AddTo(ref SipWriter writer, in SipMessageView request, ReadOnlySpan<byte> tag)
    {
        if (request.ToValue.IsEmpty)
        {
            return;
        }
        writer.Add("To: "u8);
        writer.AddValue(request.ToValue);
        if (!tag.IsEmpty && NameAddrView.TryParse(request.ToValue, out NameAddrView to) && to.Tag.IsEmpty)
        {
            writer.Add(";tag="u8);
            writer.Add(tag);
        }
        writer.Add("\r\n"u8);
    }

    /// <summary>The top Via with received and rport as the server saw them (RFC 3261 §18.2.1, RFC 3581 §4).</summary>
    private static void AddTopVia(ref SipWriter writer, ReadOnlySpan<byte> value, in NetEndPoint source)
    {
        if (!ViaView.TryParse(value, out ViaView via))
        {
            writer.AddValue(value);
            return;
        }
        writer.AddValue(SipText.TrimEnd(via.Whole[..^via.Parameters.Length]));
        ReadOnlySpan<byte> rest = via.Parameters;
        bool hasRport = false;
        while (true)
        {
            ReadOnlySpan<byte> before = rest;
            if (!SipParameters.TryTake(ref rest, out ReadOnlySpan<byte> name, out _))
            {
                break;
            }
            if (SipText.Same(name, "rport"u8))
            {
                hasRport = true;
            }
            else if (!SipText.Same(name, "received"u8))
            {
                writer.AddValue(SipText.TrimEnd(before[..^rest.Length]));
            }
        }
        if (hasRport || !NetAddress.TryParse(via.Host, out NetAddress host) || host != source.Address)
        {
            AddReceived(ref writer, source.Address);
        }
        if (hasRport)
        {
            writer.Add(";rport="u8);
            writer.AddNumber(source.Port);
        }
    }

    /// <summary>received = IPv4address / IPv6address, without brackets.</summary>
    private static void AddReceived(ref SipWriter writer, NetAddress address)
    {
        Span<byte> text = stackalloc byte[48];
        writer.Add(";received="u8);
        writer.Add(text[..address.Format(text)]);
    }
}
