using System;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Proxy.Core.Net;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Targets;

/// <summary>Any thread. A next hop that is named, not addressed: what the DNS is asked about.</summary>
/// <param name="Host">In lower case, without a final dot.</param>
/// <param name="Port">0 when the URI names none.</param>
/// <param name="Transport">Null when the URI names none.</param>
/// <remarks>RFC 3263 §4. Not for sips: and transport=tls: we open no TLS connection, such calls live on the one that they came by.</remarks>
public sealed record TargetName(string Host, ushort Port, SipTransport? Transport)
{
    private const int HostMax = 253;
    private const int LabelMax = 63;

    /// <summary>Reads the name out of a URI.</summary>
    /// <returns>False for an address, for names that the DNS does not know (one label, .invalid, .local: RFC 2606, 6761, 6762), and for transports that we cannot open.</returns>
    public static bool TryRead(in SipUriView uri, [NotNullWhen(true)] out TargetName? name)
    {
        name = null;
        ReadOnlySpan<byte> host = uri.Host.EndsWith("."u8) ? uri.Host[..^1] : uri.Host;
        if (uri.Scheme != SipUriScheme.Sip || NetAddress.TryParse(host, out _) || !IsAskable(host))
        {
            return false;
        }
        SipTransport? transport = null;
        if (uri.TryGetParameter("transport"u8, out ReadOnlySpan<byte> said))
        {
            if (SipText.Same(said, "udp"u8))
            {
                transport = SipTransport.Udp;
            }
            else if (SipText.Same(said, "tcp"u8))
            {
                transport = SipTransport.Tcp;
            }
            else
            {
                return false;
            }
        }
        name = new TargetName(Encoding.ASCII.GetString(host).ToLowerInvariant(), (ushort)uri.Port, transport);
        return true;
    }

    /// <summary>Whether both stand for the same question; allocates nothing.</summary>
    internal bool Is(in SipUriView uri) => uri.Port == Port && Ascii.EqualsIgnoreCase(uri.Host.EndsWith("."u8) ? uri.Host[..^1] : uri.Host, Host)
        && (uri.TryGetParameter("transport"u8, out ReadOnlySpan<byte> said) ? Transport is { } one && SipText.Same(said, one == SipTransport.Udp ? "udp"u8 : "tcp"u8) : Transport is null);

    private static bool IsAskable(ReadOnlySpan<byte> host)
    {
        if (host.Length > HostMax)
        {
            return false;
        }
        int labels = 0;
        ReadOnlySpan<byte> label = default;
        foreach (Range range in host.Split((byte)'.'))
        {
            label = host[range];
            if (label.IsEmpty || label.Length > LabelMax)
            {
                return false;
            }
            labels++;
        }
        // A last label of digits is a mistyped address; one label alone would be looked for in the operator's own domains.
        return labels > 1 && label.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && !SipText.Same(label, "invalid"u8) && !SipText.Same(label, "local"u8) && !SipText.Same(label, "localhost"u8);
    }
}
