using System;

namespace Proxy.Sip.Parsing;

/// <summary>Any thread. From a field's name, compact or long, to its <see cref="SipHeaderId"/>.</summary>
/// <remarks>RFC 3261 §7.3.3 and the compact forms that IANA lists.</remarks>
internal static class SipHeaderNames
{
    public static SipHeaderId Identify(ReadOnlySpan<byte> name) => name.Length switch
    {
        1 => FromCompact(name[0]),
        2 => SipText.Same(name, "To"u8) ? SipHeaderId.To
            : SipHeaderId.Other,
        3 => SipText.Same(name, "Via"u8) ? SipHeaderId.Via
            : SipHeaderId.Other,
        4 => SipText.Same(name, "From"u8) ? SipHeaderId.From
            : SipText.Same(name, "CSeq"u8) ? SipHeaderId.CSeq
            : SipText.Same(name, "RAck"u8) ? SipHeaderId.RAck
            : SipText.Same(name, "RSeq"u8) ? SipHeaderId.RSeq
            : SipText.Same(name, "Date"u8) ? SipHeaderId.Date
            : SipHeaderId.Other,
        5 => SipText.Same(name, "Route"u8) ? SipHeaderId.Route
            : SipText.Same(name, "Allow"u8) ? SipHeaderId.Allow
            : SipText.Same(name, "Event"u8) ? SipHeaderId.Event
            : SipHeaderId.Other,
        6 => SipText.Same(name, "Accept"u8) ? SipHeaderId.Accept
            : SipText.Same(name, "Server"u8) ? SipHeaderId.Server
            : SipText.Same(name, "Min-SE"u8) ? SipHeaderId.MinSE
            : SipText.Same(name, "Reason"u8) ? SipHeaderId.Reason
            : SipHeaderId.Other,
        7 => SipText.Same(name, "Call-ID"u8) ? SipHeaderId.CallId
            : SipText.Same(name, "Contact"u8) ? SipHeaderId.Contact
            : SipText.Same(name, "Require"u8) ? SipHeaderId.Require
            : SipText.Same(name, "Expires"u8) ? SipHeaderId.Expires
            : SipText.Same(name, "Subject"u8) ? SipHeaderId.Subject
            : SipText.Same(name, "Warning"u8) ? SipHeaderId.Warning
            : SipText.Same(name, "Privacy"u8) ? SipHeaderId.Privacy
            : SipHeaderId.Other,
        8 => SipText.Same(name, "Refer-To"u8) ? SipHeaderId.ReferTo
            : SipText.Same(name, "Replaces"u8) ? SipHeaderId.Replaces
            : SipText.Same(name, "Identity"u8) ? SipHeaderId.Identity
            : SipHeaderId.Other,
        9 => SipText.Same(name, "Supported"u8) ? SipHeaderId.Supported
            : SipText.Same(name, "Timestamp"u8) ? SipHeaderId.Timestamp
            : SipText.Same(name, "Diversion"u8) ? SipHeaderId.Diversion
            : SipHeaderId.Other,
        10 => SipText.Same(name, "User-Agent"u8) ? SipHeaderId.UserAgent
            : SipText.Same(name, "Session-ID"u8) ? SipHeaderId.SessionId
            : SipHeaderId.Other,
        11 => SipText.Same(name, "Unsupported"u8) ? SipHeaderId.Unsupported
            : SipText.Same(name, "Referred-By"u8) ? SipHeaderId.ReferredBy
            : SipText.Same(name, "Retry-After"u8) ? SipHeaderId.RetryAfter
            : SipText.Same(name, "Min-Expires"u8) ? SipHeaderId.MinExpires
            : SipHeaderId.Other,
        12 => SipText.Same(name, "Max-Forwards"u8) ? SipHeaderId.MaxForwards
            : SipText.Same(name, "Record-Route"u8) ? SipHeaderId.RecordRoute
            : SipText.Same(name, "Content-Type"u8) ? SipHeaderId.ContentType
            : SipText.Same(name, "History-Info"u8) ? SipHeaderId.HistoryInfo
            : SipText.Same(name, "Allow-Events"u8) ? SipHeaderId.AllowEvents
            : SipText.Same(name, "MIME-Version"u8) ? SipHeaderId.MimeVersion
            : SipText.Same(name, "User-to-User"u8) ? SipHeaderId.UserToUser
            : SipHeaderId.Other,
        13 => SipText.Same(name, "Proxy-Require"u8) ? SipHeaderId.ProxyRequire
            : SipText.Same(name, "Authorization"u8) ? SipHeaderId.Authorization
            : SipText.Same(name, "Identity-Info"u8) ? SipHeaderId.IdentityInfo
            : SipText.Same(name, "P-Early-Media"u8) ? SipHeaderId.PEarlyMedia
            : SipHeaderId.Other,
        14 => SipText.Same(name, "Content-Length"u8) ? SipHeaderId.ContentLength
            : SipText.Same(name, "Accept-Contact"u8) ? SipHeaderId.AcceptContact
            : SipText.Same(name, "Reject-Contact"u8) ? SipHeaderId.RejectContact
            : SipHeaderId.Other,
        15 => SipText.Same(name, "Session-Expires"u8) ? SipHeaderId.SessionExpires
            : SipText.Same(name, "Remote-Party-ID"u8) ? SipHeaderId.RemotePartyId
            : SipHeaderId.Other,
        16 => SipText.Same(name, "WWW-Authenticate"u8) ? SipHeaderId.WwwAuthenticate
            : SipText.Same(name, "Content-Encoding"u8) ? SipHeaderId.ContentEncoding
            : SipHeaderId.Other,
        17 => SipText.Same(name, "P-Charging-Vector"u8) ? SipHeaderId.PChargingVector
            : SipHeaderId.Other,
        18 => SipText.Same(name, "Proxy-Authenticate"u8) ? SipHeaderId.ProxyAuthenticate
            : SipText.Same(name, "Subscription-State"u8) ? SipHeaderId.SubscriptionState
            : SipHeaderId.Other,
        19 => SipText.Same(name, "Proxy-Authorization"u8) ? SipHeaderId.ProxyAuthorization
            : SipText.Same(name, "P-Asserted-Identity"u8) ? SipHeaderId.PAssertedIdentity
            : SipText.Same(name, "Content-Disposition"u8) ? SipHeaderId.ContentDisposition
            : SipText.Same(name, "Request-Disposition"u8) ? SipHeaderId.RequestDisposition
            : SipHeaderId.Other,
        20 => SipText.Same(name, "P-Preferred-Identity"u8) ? SipHeaderId.PPreferredIdentity
            : SipHeaderId.Other,
        _ => SipHeaderId.Other,
    };

    private static SipHeaderId FromCompact(byte letter) => (letter | 0x20) switch
    {
        'v' => SipHeaderId.Via,
        'f' => SipHeaderId.From,
        't' => SipHeaderId.To,
        'i' => SipHeaderId.CallId,
        'm' => SipHeaderId.Contact,
        'c' => SipHeaderId.ContentType,
        'l' => SipHeaderId.ContentLength,
        'k' => SipHeaderId.Supported,
        's' => SipHeaderId.Subject,
        'o' => SipHeaderId.Event,
        'r' => SipHeaderId.ReferTo,
        'b' => SipHeaderId.ReferredBy,
        'x' => SipHeaderId.SessionExpires,
        'u' => SipHeaderId.AllowEvents,
        'e' => SipHeaderId.ContentEncoding,
        'y' => SipHeaderId.Identity,
        'd' => SipHeaderId.RequestDisposition,
        'a' => SipHeaderId.AcceptContact,
        'j' => SipHeaderId.RejectContact,
        'n' => SipHeaderId.IdentityInfo,
        _ => SipHeaderId.Other,
    };
}
