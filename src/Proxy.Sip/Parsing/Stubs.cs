using System;

namespace Proxy.Sip.Parsing;

/// <summary>Any thread. Why a message is refused.</summary>
public enum SipParseError : byte
{
    None,
}

/// <summary>Any thread. Fields that have a name here; any other is <see cref="Other"/>.</summary>
public enum SipHeaderId : byte
{
    Other, Via, From, To, CallId, CSeq, Contact, MaxForwards, Route, RecordRoute, ContentType, ContentLength, Require, ProxyRequire,
    Supported, Unsupported, Allow, Accept, Expires, Authorization, ProxyAuthorization, WwwAuthenticate, ProxyAuthenticate, UserAgent,
    Server, Subject, Event, SubscriptionState, ReferTo, ReferredBy, Replaces, SessionExpires, MinSE, RAck, RSeq, Reason, Warning,
    RetryAfter, Timestamp, Date, Diversion, HistoryInfo, PAssertedIdentity, PPreferredIdentity, RemotePartyId, Privacy, AllowEvents,
    ContentEncoding, ContentDisposition, MimeVersion, Identity, PChargingVector, AcceptEncoding, AcceptLanguage, RequestDisposition,
    AcceptContact, RejectContact, InReplyTo, MinExpires, Priority, UserToUser, SessionId,
}

/// <summary>One owner. One header field.</summary>
public readonly ref struct SipHeaderView
{
    public SipHeaderId Id => throw new NotImplementedException();

    /// <summary>As written; may be the compact form.</summary>
    public ReadOnlySpan<byte> Name => throw new NotImplementedException();

    public ReadOnlySpan<byte> Value => throw new NotImplementedException();
}

/// <summary>One owner. Walks the header fields in order.</summary>
public ref struct SipHeaderEnumerator
{
    public readonly SipHeaderView Current => throw new NotImplementedException();

    public readonly SipHeaderEnumerator GetEnumerator() => this;

    public bool MoveNext() => throw new NotImplementedException();
}

/// <summary>One owner. Number and method of CSeq.</summary>
public readonly ref struct CSeqView
{
    public uint Number => throw new NotImplementedException();

    public SipMethod Method => throw new NotImplementedException();

    public ReadOnlySpan<byte> MethodText => throw new NotImplementedException();
}

/// <summary>One owner. A From, To, Contact, Route … value: display name, URI, parameters.</summary>
public readonly ref struct NameAddrView
{
    public static bool TryParse(ReadOnlySpan<byte> value, out NameAddrView view) => throw new NotImplementedException();

    /// <summary>As written: quotes taken off, backslashes left in.</summary>
    public ReadOnlySpan<byte> DisplayName => throw new NotImplementedException();

    public ReadOnlySpan<byte> Uri => throw new NotImplementedException();

    /// <summary>Parameters after the URI, beginning with ';'.</summary>
    public ReadOnlySpan<byte> Parameters => throw new NotImplementedException();

    public ReadOnlySpan<byte> Tag => throw new NotImplementedException();

    public bool TryGetParameter(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value) => throw new NotImplementedException();
}

/// <summary>Any thread. URI schemes that are known here.</summary>
public enum SipUriScheme : byte
{
    Other,
    Sip,
    Sips,
    Tel,
}

/// <summary>One owner. A sip:, sips: or tel: URI in place.</summary>
public readonly ref struct SipUriView
{
    public static bool TryParse(ReadOnlySpan<byte> uri, out SipUriView view) => throw new NotImplementedException();

    public SipUriScheme Scheme => throw new NotImplementedException();

    /// <summary>User part as written (escapes left in, with ;npdi and the like); for tel: the number.</summary>
    public ReadOnlySpan<byte> User => throw new NotImplementedException();

    /// <summary>Host as written, IPv6 with brackets; empty for tel:.</summary>
    public ReadOnlySpan<byte> Host => throw new NotImplementedException();

    /// <summary>0 when none is written.</summary>
    public int Port => throw new NotImplementedException();

    /// <summary>Parameters, beginning with ';'.</summary>
    public ReadOnlySpan<byte> Parameters => throw new NotImplementedException();

    /// <summary>What follows '?'.</summary>
    public ReadOnlySpan<byte> Headers => throw new NotImplementedException();

    public bool TryGetParameter(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value) => throw new NotImplementedException();

    /// <summary>The user part with its escapes undone.</summary>
    /// <returns>Bytes written, or −1 when it does not fit.</returns>
    public int UnescapeUser(Span<byte> destination) => throw new NotImplementedException();
}

/// <summary>One owner. One Via value.</summary>
public readonly ref struct ViaView
{
    public static bool TryParse(ReadOnlySpan<byte> value, out ViaView view) => throw new NotImplementedException();

    public ReadOnlySpan<byte> Transport => throw new NotImplementedException();

    public ReadOnlySpan<byte> Host => throw new NotImplementedException();

    /// <summary>0 when none is written.</summary>
    public int Port => throw new NotImplementedException();

    public ReadOnlySpan<byte> Branch => throw new NotImplementedException();

    public ReadOnlySpan<byte> Received => throw new NotImplementedException();

    public bool HasRport => throw new NotImplementedException();
}
