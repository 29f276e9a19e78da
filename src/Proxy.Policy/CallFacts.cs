using System;
using Proxy.Core.Net;

namespace Proxy.Policy;

/// <summary>Any thread. What an INVITE said, copied out of the datagram. Build it with <c>new</c>: the default value has null strings.</summary>
public readonly record struct CallFacts
{
    public CallFacts()
    {
    }

    /// <summary>Our call id <c>SCL_…</c> (also our To-tag); the random part of a room's name is derived from it.</summary>
    public string CallId { get; init; } = "";

    /// <summary>Where the request came from (behind a trusted proxy: the recovered carrier address); default when not known.</summary>
    public NetEndPoint Source { get; init; }

    /// <summary>Where the packet came from; another address than <see cref="Source"/> behind a trusted proxy.</summary>
    public NetEndPoint Proxy { get; init; }

    /// <summary><c>udp</c>, <c>tcp</c>, <c>tls</c>.</summary>
    public string Transport { get; init; } = "udp";

    /// <summary>The request method; digest needs it.</summary>
    public string Method { get; init; } = "INVITE";

    /// <summary>Request-URI as it stood on the wire.</summary>
    public string RequestUri { get; init; } = "";

    /// <summary>Its user part, unescaped, or the number of a <c>tel:</c> URI.</summary>
    public string RequestUser { get; init; } = "";

    public string RequestHost { get; init; } = "";

    /// <summary>User part of To, unescaped, or the number of a <c>tel:</c> URI; empty when it has none.</summary>
    public string ToUser { get; init; } = "";

    public string ToHost { get; init; } = "";

    /// <summary>User part of From, unescaped, or the number of a <c>tel:</c> URI; empty when it has none.</summary>
    public string FromUser { get; init; } = "";

    public string FromHost { get; init; } = "";

    public string FromTag { get; init; } = "";

    /// <summary>Display name of From without quotes.</summary>
    public string FromDisplay { get; init; } = "";

    /// <summary>User part of the first P-Asserted-Identity (the <c>tel:</c> number where there is one); empty when absent.</summary>
    public string AssertedUser { get; init; } = "";

    /// <summary>User part of the first Diversion, else of the last History-Info before the current target; empty when absent.</summary>
    public string DivertedUser { get; init; } = "";

    /// <summary>SIP Call-ID.</summary>
    public string SipCallId { get; init; } = "";

    /// <summary>Every header field in wire order, compact names written out, one entry a field line.</summary>
    public FactHeader[] Headers { get; init; } = [];

    /// <summary>Credentials of Proxy-Authorization or Authorization; null when none were offered.</summary>
    public DigestCredentials? Credentials { get; init; }

    /// <summary>The same INVITE was decided before and waited: its nonce is used and its failures are counted already.</summary>
    public bool IsSecondLook { get; init; }

    /// <summary>As if this digest user had proved the password: explain only, never from the wire. Empty: by the credentials.</summary>
    public string AssumedUser { get; init; } = "";

    /// <summary>Wall-clock time of the decision: time windows and nonce ages need it.</summary>
    public DateTimeOffset Utc { get; init; }

    /// <summary>First value of a header field, name compared without case; empty when absent.</summary>
    public string Header(string name)
    {
        foreach (FactHeader header in Headers)
        {
            if (string.Equals(header.Name, name, StringComparison.OrdinalIgnoreCase))
            {
                return header.Value;
            }
        }
        return "";
    }
}

/// <summary>Any thread. One header field of the INVITE.</summary>
public readonly record struct FactHeader(string Name, string Value);

/// <summary>Any thread. Digest credentials as they were offered, quotes removed, nothing checked (RFC 7616 §3.4).</summary>
public sealed record DigestCredentials
{
    public string UserName { get; init; } = "";

    public string Realm { get; init; } = "";

    public string Nonce { get; init; } = "";

    public string Uri { get; init; } = "";

    /// <summary>The response, hexadecimal.</summary>
    public string Response { get; init; } = "";

    /// <summary><c>MD5</c> where absent.</summary>
    public string Algorithm { get; init; } = "";

    /// <summary><c>auth</c>, or empty when absent (RFC 2069 form).</summary>
    public string Qop { get; init; } = "";

    /// <summary>Nonce count, 8 hexadecimal digits; empty without qop.</summary>
    public string NonceCount { get; init; } = "";

    public string ClientNonce { get; init; } = "";

    public string Opaque { get; init; } = "";
}
