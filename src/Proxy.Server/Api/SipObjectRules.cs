using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Google.Protobuf.Collections;
using Google.Protobuf.WellKnownTypes;
using Proxy.LiveKit.Protocol;

namespace Proxy.Server.Api;

/// <summary>Any thread. What one trunk or rule must be by itself, in LiveKit's order and words.</summary>
internal static class SipObjectRules
{
    private const int LongestHeaderName = 255;
    private const int LongestHeaderValue = 1024;
    private const int LongestMediaTimeoutSeconds = 600;

    /// <summary>Headers that are ours to write.</summary>
    private static readonly HashSet<string> s_forbidden = new(StringComparer.OrdinalIgnoreCase)
    {
        "call-id", "contact", "cseq", "event", "expires", "from", "max-forwards", "record-route", "refer-to", "reply-to",
        "k", "l", "m", "o", "r", "t", "u", "v",
    };

    public static void CheckInbound(SIPInboundTrunkInfo trunk)
    {
        CheckSecurity(trunk);
        CheckMedia(trunk.Media);
        CheckHeaders(trunk.Headers, trunk.HeadersToAttributes, trunk.AttributesToHeaders);
    }

    public static void CheckSecurity(SIPInboundTrunkInfo trunk)
    {
        if (trunk.AuthUsername.Length == 0 && trunk.AuthPassword.Length == 0 && trunk.AllowedAddresses.Count == 0 && trunk.Numbers.Count == 0)
        {
            throw SipApiException.Invalid("for security, one of the fields must be set: AuthUsername+AuthPassword, AllowedAddresses or Numbers");
        }
    }

    public static void CheckOutbound(SIPOutboundTrunkInfo trunk)
    {
        if (trunk.Numbers.Count == 0)
        {
            throw SipApiException.Invalid("no trunk numbers specified");
        }
        CheckAddress(trunk);
        CheckMedia(trunk.Media);
        CheckHeaders(trunk.Headers, trunk.HeadersToAttributes, trunk.AttributesToHeaders);
    }

    public static void CheckMedia(SIPMediaConfig? media)
    {
        foreach (SIPCodec codec in media?.Codecs ?? [])
        {
            if (codec.Name.Length == 0)
            {
                throw SipApiException.Invalid("missing codec name");
            }
            if (codec.Name.AsSpan().ContainsAny(" \t\r\n"))
            {
                throw SipApiException.Invalid("invalid codec name");
            }
            if (codec.Name.Contains('/'))
            {
                throw SipApiException.Invalid("codec name must not contain '/'");
            }
        }
        if (media?.MediaTimeout is not { } timeout)
        {
            return;
        }
        if (timeout.Seconds < 0 || timeout.Nanos < 0)
        {
            throw SipApiException.Invalid("media_timeout must not be negative");
        }
        if (timeout.Seconds > LongestMediaTimeoutSeconds || (timeout.Seconds == LongestMediaTimeoutSeconds && timeout.Nanos > 0))
        {
            throw SipApiException.Invalid("media_timeout must not exceed 10m0s");
        }
    }

    private static void CheckAddress(SIPOutboundTrunkInfo trunk)
    {
        if (trunk.Address.Length == 0)
        {
            throw SipApiException.Invalid("no outbound address specified");
        }
        if (trunk.Address.Contains("transport=", StringComparison.Ordinal))
        {
            throw SipApiException.Invalid("trunk address should not contain transport parameter");
        }
        if (LooksLikeUri(trunk.Address))
        {
            throw SipApiException.Invalid("trunk address should be a hostname or IP, not SIP URI");
        }
        if (LooksLikeUri(trunk.FromHost))
        {
            throw SipApiException.Invalid("from_host should be a hostname or IP, not SIP URI");
        }
    }

    private static bool LooksLikeUri(string address) => address.AsSpan().ContainsAny("@;")
        || address.StartsWith("sip:", StringComparison.Ordinal) || address.StartsWith("sips:", StringComparison.Ordinal);

    private static void CheckHeaders(MapField<string, string> headers, MapField<string, string> toAttributes, MapField<string, string> toHeaders)
    {
        CheckHeaders(headers);
        foreach (KeyValuePair<string, string> pair in toAttributes)
        {
            CheckName(pair.Key, mayBeOurs: true);
        }
        foreach (KeyValuePair<string, string> pair in toHeaders)
        {
            CheckName(pair.Value, mayBeOurs: true);
        }
    }

    public static void CheckHeaders(MapField<string, string> headers)
    {
        foreach (KeyValuePair<string, string> header in headers)
        {
            CheckName(header.Key, mayBeOurs: false);
            CheckValue(header.Key, header.Value);
        }
    }

    private static void CheckName(string name, bool mayBeOurs)
    {
        if (name.Length == 0)
        {
            throw SipApiException.Invalid("invalid header name: header name cannot be empty");
        }
        if (name.Length > LongestHeaderName)
        {
            throw SipApiException.Invalid("invalid header name: header name too long (max 255 characters)");
        }
        foreach (Rune rune in name.EnumerateRunes())
        {
            if (rune.Value > 127)
            {
                throw SipApiException.Invalid(string.Create(CultureInfo.InvariantCulture,
                    $"invalid header name: header name {name} contains invalid characters: char {rune.Value} out of range, consider explicilty adding utf8 characters"));
            }
            if (!IsToken((char)rune.Value))
            {
                throw SipApiException.Invalid(string.Create(CultureInfo.InvariantCulture,
                    $"invalid header name: header name {name} contains invalid characters: char {rune.Value} not allowed"));
            }
        }
        bool isOurs = s_forbidden.Contains(name) || name.StartsWith("accept", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("allow", StringComparison.OrdinalIgnoreCase) || name.StartsWith("content-", StringComparison.OrdinalIgnoreCase);
        if (isOurs && !mayBeOurs)
        {
            throw SipApiException.Invalid($"invalid header name: header name {name} not supported");
        }
    }

    /// <summary>RFC 3261 §25.1, token.</summary>
    private static bool IsToken(char c) => char.IsAsciiLetterOrDigit(c) || "-.!%*_+`'~".Contains(c);

    private static void CheckValue(string name, string value)
    {
        if (Encoding.UTF8.GetByteCount(value) > LongestHeaderValue)
        {
            throw SipApiException.Invalid($"invalid header value for {name}: header {name}: value too long (max 1024 characters)");
        }
        foreach (char c in value)
        {
            if (c is (< ' ' and not '\t') or (char)127)
            {
                throw SipApiException.Invalid(string.Create(CultureInfo.InvariantCulture, $"invalid header value for {name}: header {name}: value: char {(int)c} not allowed"));
            }
        }
    }
}
