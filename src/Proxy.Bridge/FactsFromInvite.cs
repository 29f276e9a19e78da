using System;
using System.Collections.Generic;
using System.Text;
using Proxy.Policy;
using Proxy.Sip;
using Proxy.Sip.Auth;
using Proxy.Sip.Parsing;

namespace Proxy.Bridge;

/// <summary>Signal thread. Copies what an INVITE says out of its bytes; the last moment in which the datagram lives.</summary>
public static class FactsFromInvite
{
    private const int HeaderValueMax = 1024;

    /// <param name="callId">Our call id.</param>
    /// <param name="message">An INVITE that <see cref="SipMessageView.TryParse"/> accepted.</param>
    /// <param name="flow">Where it came from.</param>
    /// <param name="utc">Wall clock.</param>
    /// <param name="sources">Whose address counts; null: the packet's.</param>
    public static CallFacts Read(string callId, in SipMessageView message, in SipFlow flow, DateTimeOffset utc, SourceRecovery? sources = null)
    {
        (string requestUser, string requestHost) = ReadUri(message.RequestUri);
        (string toUser, string toHost) = ReadUri(message.To.Uri);
        (string fromUser, string fromHost) = ReadUri(message.From.Uri);
        List<FactHeader> headers = ReadHeaders(message);
        return new CallFacts
        {
            CallId = callId,
            Source = sources?.Find(message, flow.Remote) ?? flow.Remote,
            Proxy = flow.Remote,
            Transport = TransportName(flow.Transport),
            RequestUri = Text(message.RequestUri),
            RequestUser = requestUser,
            RequestHost = requestHost,
            ToUser = toUser,
            ToHost = toHost,
            FromUser = fromUser,
            FromHost = fromHost,
            FromTag = Text(message.From.Tag),
            FromDisplay = Text(message.From.DisplayName),
            SipCallId = Text(message.CallId),
            AssertedUser = UserOf(message, SipHeaderId.PAssertedIdentity),
            DivertedUser = UserOf(message, SipHeaderId.Diversion),
            Headers = [.. headers],
            Credentials = ReadCredentials(message),
            Utc = utc,
        };
    }

    public static string TransportName(SipTransport transport) => transport switch
    {
        SipTransport.Udp => "udp",
        SipTransport.Tcp => "tcp",
        _ => "tls",
    };

    internal static (string User, string Host) ReadUri(ReadOnlySpan<byte> uri)
    {
        if (!SipUriView.TryParse(uri, out SipUriView view))
        {
            return ("", "");
        }
        Span<byte> user = stackalloc byte[512];
        int length = view.User.Length <= user.Length ? view.UnescapeUser(user) : 0;
        return (Text(user[..length]), Text(view.Host));
    }

    private static string UserOf(in SipMessageView message, SipHeaderId id) =>
        message.TryGetHeader(id, out ReadOnlySpan<byte> value) && NameAddrView.TryParse(value, out NameAddrView address)
            ? ReadUri(address.Uri).User
            : "";

    private static List<FactHeader> ReadHeaders(in SipMessageView message)
    {
        var headers = new List<FactHeader>(32);
        foreach (SipHeaderView header in message.Headers)
        {
            ReadOnlySpan<byte> value = header.Value;
            headers.Add(new FactHeader(LongName(header), Text(value[..Math.Min(value.Length, HeaderValueMax)])));
        }
        return headers;
    }

    /// <summary>The field's name; a compact one is written out (RFC 3261 §7.3.3).</summary>
    private static string LongName(in SipHeaderView header)
    {
        if (header.Name.Length != 1)
        {
            return Text(header.Name);
        }
        return (header.Name[0] | 0x20) switch
        {
            'a' => "Accept-Contact",
            'b' => "Referred-By",
            'c' => "Content-Type",
            'd' => "Request-Disposition",
            'e' => "Content-Encoding",
            'f' => "From",
            'i' => "Call-ID",
            'j' => "Reject-Contact",
            'k' => "Supported",
            'l' => "Content-Length",
            'm' => "Contact",
            'n' => "Identity-Info",
            'o' => "Event",
            'r' => "Refer-To",
            's' => "Subject",
            't' => "To",
            'u' => "Allow-Events",
            'v' => "Via",
            'x' => "Session-Expires",
            'y' => "Identity",
            _ => Text(header.Name),
        };
    }

    internal static DigestCredentials? ReadCredentials(in SipMessageView message)
    {
        bool isThere = message.TryGetHeader(SipHeaderId.ProxyAuthorization, out ReadOnlySpan<byte> value)
            || message.TryGetHeader(SipHeaderId.Authorization, out value);
        if (!isThere || !DigestCredentialsView.TryParse(value, out DigestCredentialsView view))
        {
            return null;
        }
        return new DigestCredentials
        {
            UserName = Text(view.Username),
            Realm = Text(view.Realm),
            Nonce = Text(view.Nonce),
            Uri = Text(view.Uri),
            Response = Text(view.Response),
            Algorithm = view.Algorithm switch
            {
                DigestAlgorithm.Sha256 => "SHA-256",
                DigestAlgorithm.Sha512_256 => "SHA-512-256",
                _ => "MD5",
            },
            Qop = Text(view.Qop),
            NonceCount = Text(view.NonceCount),
            ClientNonce = Text(view.CNonce),
            Opaque = Text(view.Opaque),
        };
    }

    /// <summary>SIP is UTF-8 (RFC 3261 §7); what is not becomes U+FFFD, so that log, JSON and tokens stay valid.</summary>
    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
