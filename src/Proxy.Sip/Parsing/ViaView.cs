using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>One owner. One Via value.</summary>
/// <remarks>RFC 3261 §20.42, RFC 3581.</remarks>
public readonly ref struct ViaView
{
    private ViaView(ReadOnlySpan<byte> whole, ReadOnlySpan<byte> transport, ReadOnlySpan<byte> host, int port, ReadOnlySpan<byte> parameters)
    {
        Whole = whole;
        Transport = transport;
        Host = host;
        Port = port;
        Parameters = parameters;
    }

    /// <summary>The value as written.</summary>
    public ReadOnlySpan<byte> Whole { get; }

    public ReadOnlySpan<byte> Transport { get; }

    /// <summary>Host of sent-by, IPv6 with brackets.</summary>
    public ReadOnlySpan<byte> Host { get; }

    /// <summary>0 when none is written.</summary>
    public int Port { get; }

    /// <summary>Parameters, beginning with ';'.</summary>
    public ReadOnlySpan<byte> Parameters { get; }

    /// <summary>Empty when absent.</summary>
    public ReadOnlySpan<byte> Branch => SipParameters.TryGet(Parameters, "branch"u8, out ReadOnlySpan<byte> branch) ? branch : default;

    /// <summary>Empty when absent.</summary>
    public ReadOnlySpan<byte> Received => SipParameters.TryGet(Parameters, "received"u8, out ReadOnlySpan<byte> received) ? received : default;

    public bool HasRport => SipParameters.TryGet(Parameters, "rport"u8, out _);

    /// <summary>Whether the branch follows RFC 3261 (magic cookie and something behind it).</summary>
    public bool HasMagicCookie
    {
        get
        {
            ReadOnlySpan<byte> branch = Branch;
            return branch.Length > 7 && SipText.Same(branch[..7], "z9hG4bK"u8);
        }
    }

    /// <summary>Reads one value, whole.</summary>
    /// <returns>False when malformed; Host is then still set if sent-by could be read, so that a 400 finds its way.</returns>
    [NoAlloc]
    public static bool TryParse(ReadOnlySpan<byte> value, out ViaView view)
    {
        view = default;
        ReadOnlySpan<byte> whole = SipText.Trim(value);
        ReadOnlySpan<byte> rest = whole;
        ReadOnlySpan<byte> protocol = SipText.ReadToken(ref rest);
        if (!SipText.Same(protocol, "SIP"u8) || !SipText.TryTake(ref rest, (byte)'/'))
        {
            return false;
        }
        ReadOnlySpan<byte> version = SipText.ReadToken(ref rest);
        if (version.IsEmpty || !SipText.TryTake(ref rest, (byte)'/'))
        {
            return false;
        }
        ReadOnlySpan<byte> transport = SipText.ReadToken(ref rest);
        ReadOnlySpan<byte> sentBy = SipText.SkipSpace(rest);
        if (transport.IsEmpty || sentBy.Length == rest.Length || !SipUriView.TryTakeHost(ref sentBy, out ReadOnlySpan<byte> host)
            || !TryTakePort(ref sentBy, out int port))
        {
            return false;
        }
        ReadOnlySpan<byte> parameters = SipText.SkipSpace(sentBy);
        view = new ViaView(whole, transport, host, port, parameters);
        return SipParameters.IsValid(parameters);
    }

    private static bool TryTakePort(scoped ref ReadOnlySpan<byte> rest, out int port)
    {
        port = 0;
        if (!SipText.TryTake(ref rest, (byte)':'))
        {
            return true;
        }
        ReadOnlySpan<byte> digits = SipText.ReadToken(ref rest);
        bool isRead = SipText.TryReadNumber(digits, 65_535, out long value) && value > 0;
        port = (int)value;
        return isRead;
    }
}
