using System;
using System.Buffers;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>Any thread. URI schemes that are known here.</summary>
public enum SipUriScheme : byte
{
    Other,
    Sip,
    Sips,
    Tel,
}

/// <summary>One owner. A sip:, sips: or tel: URI in place.</summary>
/// <remarks>RFC 3261 §19.1, RFC 3966; IPv6 references as RFC 5118 §4.10 tolerates them.</remarks>
public readonly ref struct SipUriView
{
    private static readonly SearchValues<byte> s_host =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"u8);

    private static readonly SearchValues<byte> s_ipv6 = SearchValues.Create("ABCDEFabcdef0123456789:."u8);

    private SipUriView(SipUriScheme scheme, ReadOnlySpan<byte> user, ReadOnlySpan<byte> host, int port, ReadOnlySpan<byte> parameters, ReadOnlySpan<byte> headers)
    {
        Scheme = scheme;
        User = user;
        Host = host;
        Port = port;
        Parameters = parameters;
        Headers = headers;
    }

    public SipUriScheme Scheme { get; }

    /// <summary>User part as written (escapes left in, with ;npdi and the like, without the password); for tel: the number.</summary>
    public ReadOnlySpan<byte> User { get; }

    /// <summary>Host as written, IPv6 with brackets; empty for tel:.</summary>
    public ReadOnlySpan<byte> Host { get; }

    /// <summary>0 when none is written.</summary>
    public int Port { get; }

    /// <summary>Parameters, beginning with ';'.</summary>
    public ReadOnlySpan<byte> Parameters { get; }

    /// <summary>What follows '?'.</summary>
    public ReadOnlySpan<byte> Headers { get; }

    /// <summary>Reads a whole URI.</summary>
    /// <returns>False for another scheme and for a malformed host or port.</returns>
    [NoAlloc]
    public static bool TryParse(ReadOnlySpan<byte> uri, out SipUriView view)
    {
        view = default;
        if (!HasScheme(uri))
        {
            return false;
        }
        SipUriScheme scheme = SchemeOf(uri);
        ReadOnlySpan<byte> rest = uri[(uri.IndexOf((byte)':') + 1)..];
        if (scheme == SipUriScheme.Tel)
        {
            int end = rest.IndexOf((byte)';');
            ReadOnlySpan<byte> number = end < 0 ? rest : rest[..end];
            view = new SipUriView(scheme, number, default, 0, rest[number.Length..], default);
            return !number.IsEmpty;
        }
        return scheme != SipUriScheme.Other && TryParseSip(scheme, rest, out view);
    }

    /// <summary>The scheme alone; the rest is not looked at.</summary>
    [NoAlloc]
    public static SipUriScheme SchemeOf(ReadOnlySpan<byte> uri)
    {
        int colon = uri.IndexOf((byte)':');
        ReadOnlySpan<byte> scheme = colon < 0 ? default : uri[..colon];
        return SipText.Same(scheme, "sip"u8) ? SipUriScheme.Sip
            : SipText.Same(scheme, "sips"u8) ? SipUriScheme.Sips
            : SipText.Same(scheme, "tel"u8) ? SipUriScheme.Tel
            : SipUriScheme.Other;
    }

    public bool TryGetParameter(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value) => SipParameters.TryGet(Parameters, name, out value);

    /// <summary>The user part with its escapes undone, once (<c>%25%34</c> gives <c>%4</c>); a '%' that begins no escape stays.</summary>
    /// <returns>Bytes written, or −1 when it does not fit.</returns>
    [NoAlloc]
    public int UnescapeUser(Span<byte> destination)
    {
        int written = 0;
        for (int i = 0; i < User.Length; i++)
        {
            byte c = User[i];
            if (c == (byte)'%' && i + 2 < User.Length && TryHex(User[i + 1], out int high) && TryHex(User[i + 2], out int low))
            {
                c = (byte)((high << 4) | low);
                i += 2;
            }
            if (written == destination.Length)
            {
                return -1;
            }
            destination[written++] = c;
        }
        return written;
    }

    /// <summary>Whether it begins with a scheme, goes on, and holds neither space nor control characters.</summary>
    internal static bool HasScheme(ReadOnlySpan<byte> uri)
    {
        int colon = uri.IndexOf((byte)':');
        if (colon <= 0 || colon + 1 == uri.Length || uri.ContainsAnyInRange((byte)0, (byte)0x20) || uri.Contains((byte)0x7F))
        {
            return false;
        }
        return SipText.IsToken(uri[..colon]);
    }

    private static bool TryParseSip(SipUriScheme scheme, ReadOnlySpan<byte> rest, out SipUriView view)
    {
        view = default;
        ReadOnlySpan<byte> user = default;
        int at = rest.IndexOf((byte)'@');
        if (at >= 0)
        {
            user = rest[..at];
            rest = rest[(at + 1)..];
            int password = user.IndexOf((byte)':');
            user = password < 0 ? user : user[..password];
        }
        if (!TryTakeHost(ref rest, out ReadOnlySpan<byte> host) || !TryTakePort(ref rest, out int port))
        {
            return false;
        }
        ReadOnlySpan<byte> headers = default;
        int question = rest.IndexOf((byte)'?');
        if (question >= 0)
        {
            headers = rest[(question + 1)..];
            rest = rest[..question];
        }
        view = new SipUriView(scheme, user, host, port, rest, headers);
        return (rest.IsEmpty || rest[0] == (byte)';') && !rest.ContainsAny("<>\""u8);
    }

    /// <summary>Takes a host name, an IPv4 address or a bracketed IPv6 reference.</summary>
    internal static bool TryTakeHost(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> host)
    {
        int length;
        if (!rest.IsEmpty && rest[0] == (byte)'[')
        {
            length = rest.IndexOf((byte)']') + 1;
            host = rest[..length];
            rest = rest[length..];
            return length > 4 && !host[1..^1].ContainsAnyExcept(s_ipv6);
        }
        length = rest.IndexOfAnyExcept(s_host);
        host = length < 0 ? rest : rest[..length];
        rest = rest[host.Length..];
        return !host.IsEmpty;
    }

    private static bool TryTakePort(scoped ref ReadOnlySpan<byte> rest, out int port)
    {
        port = 0;
        if (rest.IsEmpty || rest[0] != (byte)':')
        {
            return true;
        }
        int end = rest.IndexOfAny((byte)';', (byte)'?');
        ReadOnlySpan<byte> digits = end < 0 ? rest[1..] : rest[1..end];
        rest = rest[(digits.Length + 1)..];
        bool isRead = SipText.TryReadNumber(digits, 65_535, out long value) && value > 0;
        port = (int)value;
        return isRead;
    }

    private static bool TryHex(byte c, out int value)
    {
        value = c switch
        {
            >= (byte)'0' and <= (byte)'9' => c - '0',
            >= (byte)'a' and <= (byte)'f' => c - 'a' + 10,
            >= (byte)'A' and <= (byte)'F' => c - 'A' + 10,
            _ => -1,
        };
        return value >= 0;
    }
}
