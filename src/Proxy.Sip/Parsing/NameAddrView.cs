using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>One owner. A From, To, Contact, Route … value: display name, URI, parameters.</summary>
/// <remarks>RFC 3261 §20.10, §25.1: ( name-addr / addr-spec ) *( SEMI generic-param ).</remarks>
public readonly ref struct NameAddrView
{
    private NameAddrView(ReadOnlySpan<byte> displayName, ReadOnlySpan<byte> uri, ReadOnlySpan<byte> parameters)
    {
        DisplayName = displayName;
        Uri = uri;
        Parameters = parameters;
    }

    /// <summary>As written: quotes taken off, backslashes left in.</summary>
    public ReadOnlySpan<byte> DisplayName { get; }

    /// <summary>The URI without angle brackets.</summary>
    public ReadOnlySpan<byte> Uri { get; }

    /// <summary>Parameters after the URI, beginning with ';'.</summary>
    public ReadOnlySpan<byte> Parameters { get; }

    /// <summary>Empty when absent.</summary>
    public ReadOnlySpan<byte> Tag => TryGetParameter("tag"u8, out ReadOnlySpan<byte> tag) ? tag : default;

    /// <summary>Reads one value, whole.</summary>
    /// <returns>False when it is malformed or something follows.</returns>
    [NoAlloc]
    public static bool TryParse(ReadOnlySpan<byte> value, out NameAddrView view)
    {
        view = default;
        value = SipText.Trim(value);
        if (value.IsEmpty)
        {
            return false;
        }
        ReadOnlySpan<byte> display = default;
        if (value[0] == (byte)'"')
        {
            int length = SipText.QuotedLength(value);
            if (length == 0)
            {
                return false;
            }
            display = value[1..(length - 1)];
            value = SipText.SkipSpace(value[length..]);
            return !value.IsEmpty && value[0] == (byte)'<' && TryParseBracketed(display, value, out view);
        }
        int open = value.IndexOf((byte)'<');
        if (open < 0)
        {
            return TryParseBare(value, out view);
        }
        // Leniency: RFC 3261 wants tokens here; phones send unquoted UTF-8, dots and parentheses.
        display = SipText.TrimEnd(value[..open]);
        return !display.ContainsAny(",;\"@\0"u8) && TryParseBracketed(display, value[open..], out view);
    }

    public bool TryGetParameter(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value) => SipParameters.TryGet(Parameters, name, out value);

    private static bool TryParseBracketed(ReadOnlySpan<byte> display, ReadOnlySpan<byte> rest, out NameAddrView view)
    {
        view = default;
        int close = rest.IndexOf((byte)'>');
        if (close < 0)
        {
            return false;
        }
        ReadOnlySpan<byte> uri = rest[1..close];
        ReadOnlySpan<byte> parameters = SipText.SkipSpace(rest[(close + 1)..]);
        view = new NameAddrView(display, uri, parameters);
        return SipUriView.HasScheme(uri) && !uri.ContainsAny("<\""u8) && SipParameters.IsValid(parameters);
    }

    /// <summary>Without angle brackets, what follows ';' belongs to the header field (§20.10).</summary>
    private static bool TryParseBare(ReadOnlySpan<byte> value, out NameAddrView view)
    {
        int end = value.IndexOf((byte)';');
        ReadOnlySpan<byte> uri = SipText.TrimEnd(end < 0 ? value : value[..end]);
        ReadOnlySpan<byte> parameters = end < 0 ? default : value[end..];
        view = new NameAddrView(default, uri, parameters);
        return SipUriView.HasScheme(uri) && !uri.ContainsAny(",?\">"u8) && SipParameters.IsValid(parameters);
    }
}
