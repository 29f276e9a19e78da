using System;
using Proxy.Core.Net;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Writing;

/// <summary>One owner. What a request inside a dialog is made of.</summary>
internal ref struct RequestParts
{
    public ReadOnlySpan<byte> Method;

    /// <summary>The peer's Contact URI.</summary>
    public ReadOnlySpan<byte> RemoteTarget;

    /// <summary>Route values, comma-separated; empty without a route set.</summary>
    public ReadOnlySpan<byte> RouteSet;

    public SipTransport Transport;

    /// <summary>Via sent-by.</summary>
    public NetEndPoint SentBy;

    public ReadOnlySpan<byte> Branch;

    /// <summary>From value, with our tag.</summary>
    public ReadOnlySpan<byte> From;

    /// <summary>To value, with the peer's tag.</summary>
    public ReadOnlySpan<byte> To;

    public ReadOnlySpan<byte> CallId;

    public uint CSeq;

    /// <summary>Contact value; empty leaves it out.</summary>
    public ReadOnlySpan<byte> Contact;

    public bool HasAllow;

    public bool HasSupported;

    public ReadOnlySpan<byte> UserAgent;

    public ReadOnlySpan<byte> Extra;

    public ReadOnlySpan<byte> ContentType;

    public ReadOnlySpan<byte> Body;
}

/// <summary>One owner. What changes in a request that is sent once more.</summary>
internal ref struct AgainParts
{
    public SipTransport Transport;

    /// <summary>Via sent-by.</summary>
    public NetEndPoint SentBy;

    public ReadOnlySpan<byte> Branch;

    public uint CSeq;

    /// <summary>Proxy-Authorization, not Authorization.</summary>
    public bool IsProxy;

    /// <summary>The field's value; empty leaves what was there.</summary>
    public ReadOnlySpan<byte> Credentials;
}

/// <summary>Any thread. Writes requests inside a dialog.</summary>
/// <remarks>RFC 3261 §12.2.1.1 (loose and strict routes), §8.1.1.</remarks>
internal static class RequestWriter
{
    /// <returns>Bytes written, or 0 when it does not fit.</returns>
    public static int Write(Span<byte> destination, in RequestParts parts)
    {
        var writer = new SipWriter(destination);
        ReadOnlySpan<byte> uri = parts.RemoteTarget;
        ReadOnlySpan<byte> routes = parts.RouteSet;
        bool isStrict = IsStrict(routes, out ReadOnlySpan<byte> firstUri, out ReadOnlySpan<byte> others);
        if (isStrict)
        {
            uri = firstUri;
            routes = others;
        }
        writer.Add(parts.Method);
        writer.Add(" "u8);
        writer.Add(uri);
        writer.Add(" SIP/2.0\r\n"u8);
        AddVia(ref writer, parts.Transport, parts.SentBy, parts.Branch);
        writer.Add("Max-Forwards: 70\r\n"u8);
        AddRoutes(ref writer, routes, isStrict ? parts.RemoteTarget : default);
        writer.AddField("From"u8, parts.From);
        writer.AddField("To"u8, parts.To);
        writer.AddField("Call-ID"u8, parts.CallId);
        writer.Add("CSeq: "u8);
        writer.AddNumber(parts.CSeq);
        writer.Add(" "u8);
        writer.Add(parts.Method);
        writer.Add("\r\n"u8);
        AddOptional(ref writer, "Contact"u8, parts.Contact);
        AddOptional(ref writer, "Allow"u8, parts.HasAllow ? Capabilities.Allow : default);
        AddOptional(ref writer, "Supported"u8, parts.HasSupported ? Capabilities.SupportedInRequests : default);
        AddOptional(ref writer, "User-Agent"u8, parts.UserAgent);
        writer.Add(parts.Extra);
        writer.AddBody(parts.ContentType, parts.Body);
        return writer.IsFull ? 0 : writer.Length;
    }

    /// <summary>ACK of a non-2xx response: the INVITE's own top Via, To of the response (§17.1.1.3).</summary>
    /// <returns>Bytes written, or 0 when it does not fit.</returns>
    public static int WriteAckOfFailure(Span<byte> destination, in SipMessageView invite, in SipMessageView response)
    {
        var writer = new SipWriter(destination);
        writer.Add("ACK "u8);
        writer.Add(invite.RequestUri);
        writer.Add(" SIP/2.0\r\n"u8);
        writer.AddField("Via"u8, invite.TopVia.Whole);
        writer.Add("Max-Forwards: 70\r\n"u8);
        foreach (SipHeaderView header in invite.Headers)
        {
            if (header.Id == SipHeaderId.Route)
            {
                writer.AddField("Route"u8, header.Value);
            }
        }
        writer.AddField("From"u8, invite.FromValue);
        writer.AddField("To"u8, response.ToValue);
        writer.AddField("Call-ID"u8, invite.CallId);
        writer.Add("CSeq: "u8);
        writer.AddNumber(invite.CSeq.Number);
        writer.Add(" ACK\r\n"u8);
        writer.AddBody(default, default);
        return writer.IsFull ? 0 : writer.Length;
    }

    /// <summary>The same request once more, with another branch: with credentials and the next CSeq number (§22.2), or as it was to another place (RFC 3263 §4.3).</summary>
    /// <param name="destination">Where the request goes.</param>
    /// <param name="request">What was refused, or not answered.</param>
    /// <param name="parts">What changes.</param>
    /// <returns>Bytes written, or 0 when it does not fit.</returns>
    public static int WriteAgain(Span<byte> destination, in SipMessageView request, in AgainParts parts)
    {
        var writer = new SipWriter(destination);
        SipHeaderId replaced = parts.Credentials.IsEmpty ? SipHeaderId.Other : parts.IsProxy ? SipHeaderId.ProxyAuthorization : SipHeaderId.Authorization;
        ReadOnlySpan<byte> method = SipMethods.Name(request.Method);
        writer.Add(method);
        writer.Add(" "u8);
        writer.Add(request.RequestUri);
        writer.Add(" SIP/2.0\r\n"u8);
        foreach (SipHeaderView header in request.Headers)
        {
            if (header.Id == SipHeaderId.Via)
            {
                AddVia(ref writer, parts.Transport, parts.SentBy, parts.Branch);
            }
            else if (header.Id == SipHeaderId.CSeq)
            {
                writer.Add("CSeq: "u8);
                writer.AddNumber(parts.CSeq);
                writer.Add(" "u8);
                writer.Add(method);
                writer.Add("\r\n"u8);
                AddOptional(ref writer, parts.IsProxy ? "Proxy-Authorization"u8 : "Authorization"u8, parts.Credentials);
            }
            else if (header.Id != replaced || parts.Credentials.IsEmpty)
            {
                writer.AddField(header.Name, header.Value);
            }
        }
        writer.Add("\r\n"u8);
        writer.Add(request.Body);
        return writer.IsFull ? 0 : writer.Length;
    }

    /// <summary>The URI that the next hop's address is taken from: the first route, else the target.</summary>
    public static ReadOnlySpan<byte> NextHop(ReadOnlySpan<byte> routeSet, ReadOnlySpan<byte> remoteTarget) =>
        NameAddrView.TryParse(routeSet[..SipText.ItemLength(routeSet)], out NameAddrView first) ? first.Uri : remoteTarget;

    private static bool IsStrict(ReadOnlySpan<byte> routes, out ReadOnlySpan<byte> firstUri, out ReadOnlySpan<byte> others)
    {
        int length = SipText.ItemLength(routes);
        firstUri = default;
        others = default;
        if (!NameAddrView.TryParse(routes[..length], out NameAddrView first) || !SipUriView.TryParse(first.Uri, out SipUriView uri)
            || uri.TryGetParameter("lr"u8, out _))
        {
            return false;
        }
        firstUri = first.Uri;
        others = length < routes.Length ? SipText.SkipSpace(routes[(length + 1)..]) : default;
        return true;
    }

    private static void AddVia(ref SipWriter writer, SipTransport transport, NetEndPoint sentBy, ReadOnlySpan<byte> branch)
    {
        writer.Add(transport switch
        {
            SipTransport.Udp => "Via: SIP/2.0/UDP "u8,
            SipTransport.Tcp => "Via: SIP/2.0/TCP "u8,
            _ => "Via: SIP/2.0/TLS "u8,
        });
        writer.AddHostPort(sentBy);
        writer.Add(";rport;branch="u8);
        writer.Add(branch);
        writer.Add("\r\n"u8);
    }

    private static void AddRoutes(ref SipWriter writer, ReadOnlySpan<byte> routes, ReadOnlySpan<byte> lastUri)
    {
        foreach (ReadOnlySpan<byte> route in new SipValueEnumerator(routes))
        {
            writer.AddField("Route"u8, route);
        }
        if (!lastUri.IsEmpty)
        {
            writer.Add("Route: <"u8);
            writer.Add(lastUri);
            writer.Add(">\r\n"u8);
        }
    }

    private static void AddOptional(ref SipWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!value.IsEmpty)
        {
            writer.AddField(name, value);
        }
    }
}
