using System;

namespace Proxy.Sip.Parsing;

/// <summary>Any thread. Why a message is refused.</summary>
public enum SipParseError : byte
{
    None,

    /// <summary>No SIP at all: no start line that ends or begins with SIP/.</summary>
    NotSip,
    TooLong,
    BadStartLine,
    BadRequestUri,

    /// <summary>SIP, but not version 2.0: 505.</summary>
    UnsupportedVersion,
    BadHeader,
    BareLineFeed,
    HeaderTooLong,
    TooManyHeaders,
    TooManyVias,
    NoHeaderEnd,
    DuplicateHeader,
    MissingVia,
    BadVia,
    MissingFrom,
    BadFrom,
    MissingTo,
    BadTo,
    MissingCallId,
    BadCallId,
    MissingCSeq,
    BadCSeq,
    CSeqMethodMismatch,
    BadMaxForwards,
    BadContentLength,

    /// <summary>Only over a stream, where nothing else ends the message (RFC 3261 §18.3).</summary>
    MissingContentLength,
    ContentLengthBeyondEnd,
    MissingContact,
    BadContact,
    BadRoute,
    BadStatus,
}

/// <summary>Any thread. The status code and the reason phrase of each <see cref="SipParseError"/>.</summary>
public static class SipParseErrors
{
    /// <summary>400, 505 or 513.</summary>
    public static int Status(SipParseError error) => error switch
    {
        SipParseError.UnsupportedVersion => 505,
        SipParseError.TooLong or SipParseError.HeaderTooLong or SipParseError.TooManyHeaders or SipParseError.TooManyVias => 513,
        _ => 400,
    };

    public static ReadOnlySpan<byte> Reason(SipParseError error) => error switch
    {
        SipParseError.UnsupportedVersion => "Version Not Supported"u8,
        SipParseError.TooLong or SipParseError.HeaderTooLong => "Message Too Large"u8,
        SipParseError.TooManyHeaders => "Too Many Header Fields"u8,
        SipParseError.TooManyVias => "Too Many Via Values"u8,
        SipParseError.BadStartLine => "Bad Request Line"u8,
        SipParseError.BadRequestUri => "Bad Request-URI"u8,
        SipParseError.BareLineFeed => "Bare Line Feed"u8,
        SipParseError.NoHeaderEnd => "Unfinished Header Section"u8,
        SipParseError.DuplicateHeader => "Duplicate Header Field"u8,
        SipParseError.BadVia => "Bad Via"u8,
        SipParseError.MissingFrom => "Missing From"u8,
        SipParseError.BadFrom => "Bad From"u8,
        SipParseError.MissingTo => "Missing To"u8,
        SipParseError.BadTo => "Bad To"u8,
        SipParseError.MissingCallId => "Missing Call-ID"u8,
        SipParseError.BadCallId => "Bad Call-ID"u8,
        SipParseError.MissingCSeq => "Missing CSeq"u8,
        SipParseError.BadCSeq => "Bad CSeq"u8,
        SipParseError.CSeqMethodMismatch => "CSeq Method Mismatch"u8,
        SipParseError.BadMaxForwards => "Bad Max-Forwards"u8,
        SipParseError.BadContentLength => "Bad Content-Length"u8,
        SipParseError.MissingContentLength => "Missing Content-Length"u8,
        SipParseError.ContentLengthBeyondEnd => "Content-Length Beyond End"u8,
        SipParseError.MissingContact => "Missing Contact"u8,
        SipParseError.BadContact => "Bad Contact"u8,
        SipParseError.BadRoute => "Bad Record-Route"u8,
        SipParseError.BadHeader => "Bad Header Field"u8,
        _ => "Bad Request"u8,
    };
}
