using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.Text;
using Proxy.Core.Net;
using Proxy.Sip;
using Proxy.Sip.Parsing;

namespace Proxy.Bridge;

/// <summary>
/// Any thread. Whose address counts for a call: the packet's, or behind a trusted proxy the carrier's, as the proxy tells it.
/// What anybody else says of addresses is never looked at.
/// </summary>
/// <param name="trusted">Proxies whose word is taken.</param>
/// <param name="from"><c>via</c>, or <c>header:NAME</c>; empty: the packet's source always.</param>
public sealed class SourceRecovery(IReadOnlyList<SipSourceRange> trusted, string from)
{
    private const string HeaderPrefix = "header:";
    private const ushort DefaultPort = 5060;
    private readonly byte[] _header = from.StartsWith(HeaderPrefix, StringComparison.OrdinalIgnoreCase) ? Encoding.ASCII.GetBytes(from[HeaderPrefix.Length..].Trim()) : [];
    private readonly bool _isVia = from == "via";

    /// <summary>No proxy is trusted.</summary>
    public static SourceRecovery None { get; } = new([], "");

    /// <summary>Proxies whose word is taken.</summary>
    public IReadOnlyList<SipSourceRange> Trusted => trusted;

    /// <summary>Whether the packet itself comes from a trusted proxy.</summary>
    public bool IsTrusted(NetAddress address)
    {
        foreach (SipSourceRange range in trusted)
        {
            if (range.Contains(address))
            {
                return true;
            }
        }
        return false;
    }

    /// <returns>The address that counts; the packet's where it comes from no trusted proxy, or where the proxy does not tell.</returns>
    public NetEndPoint Find(in SipMessageView message, NetEndPoint packet)
    {
        if ((!_isVia && _header.Length == 0) || !IsTrusted(packet.Address))
        {
            return packet;
        }
        NetEndPoint found = _isVia ? FromVia(message, packet) : FromHeader(message);
        return found.IsSet ? found : packet;
    }

    /// <summary>
    /// A proxy puts its own Via on top of the one it received and writes into that where it came from (RFC 3261 §18.2.1,
    /// RFC 3581). Below a hop that is not trusted everything may be invented.
    /// </summary>
    private NetEndPoint FromVia(in SipMessageView message, NetEndPoint packet)
    {
        NetEndPoint found = packet;
        bool isProxys = true;
        foreach (SipHeaderView header in message.Headers)
        {
            if (header.Id != SipHeaderId.Via)
            {
                continue;
            }
            foreach (ReadOnlySpan<byte> value in new SipValueEnumerator(header.Value))
            {
                if (!isProxys)
                {
                    if (!ViaView.TryParse(value, out ViaView via) || !TryRead(via, out found))
                    {
                        return default;
                    }
                    if (!IsTrusted(found.Address))
                    {
                        return found;
                    }
                }
                isProxys = false;
            }
        }
        return found;
    }

    /// <summary>received and rport, or the host of sent-by: a proxy leaves out received only where both are the same. Twice received: one was there before.</summary>
    private static bool TryRead(in ViaView via, out NetEndPoint source)
    {
        ReadOnlySpan<byte> host = via.Host;
        long port = via.Port > 0 ? via.Port : DefaultPort;
        int told = 0;
        ReadOnlySpan<byte> parameters = via.Parameters;
        while (SipParameters.TryTake(ref parameters, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
        {
            if (Ascii.EqualsIgnoreCase(name, "received"u8))
            {
                host = value;
                told++;
            }
            else if (Ascii.EqualsIgnoreCase(name, "rport"u8) && Utf8Parser.TryParse(value, out ushort rport, out int used) && used == value.Length && rport > 0)
            {
                port = rport;
            }
        }
        bool isAddress = NetAddress.TryParse(host, out NetAddress address);
        source = new NetEndPoint(address, (ushort)port);
        return isAddress && told < 2;
    }

    /// <summary>Twice the field is no word of the proxy's: one of the two came from outside.</summary>
    private NetEndPoint FromHeader(in SipMessageView message)
    {
        NetEndPoint found = default;
        int count = 0;
        foreach (SipHeaderView header in message.Headers)
        {
            if (header.Name.Length != _header.Length || !Ascii.EqualsIgnoreCase(header.Name, _header))
            {
                continue;
            }
            count++;
            string text = Encoding.ASCII.GetString(header.Value[..Math.Min(header.Value.Length, 64)]).Trim();
            if (!NetEndPoint.TryParse(text, out found))
            {
                found = NetAddress.TryParse(text, out NetAddress address) ? new NetEndPoint(address, DefaultPort) : default;
            }
        }
        return count == 1 ? found : default;
    }
}
