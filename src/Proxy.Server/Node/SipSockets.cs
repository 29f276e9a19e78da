using System;
using System.Globalization;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Server.Config;
using Proxy.Server.Linux;
using Proxy.Server.Signal;
using Proxy.Sip;

namespace Proxy.Server.Node;

/// <summary>Main thread. The sockets that SIP is heard on: UDP and TCP on one port, TLS on another where the configuration has it.</summary>
internal sealed record SipSockets(UdpSocket Udp, TcpStreams Streams, TcpTls? Tls, NetEndPoint TlsLocal)
{
    /// <summary>By listener index; null where the listener is a stream one.</summary>
    public UdpSocket?[] Datagrams => Tls is null ? [Udp, null] : [Udp, null, null];

    /// <param name="isListed">Whether somebody vouches for an address.</param>
    /// <returns>Null when one of them cannot be bound; <paramref name="error"/> is the sentence.</returns>
    public static SipSockets? TryBind(ServerConfig config, Limits limits, SignalMailboxes mail, Func<NetAddress, bool> isListed, out string error)
    {
        TcpTls? tls = null;
        if (config.Tls is { } wanted && (tls = TcpTls.TryLoad(wanted, out error)) is null)
        {
            return null;
        }
        if (!UdpSocket.TryBind(config.SipListen, new UdpOptions { ReceiveBytes = 4 << 20, SendBytes = 1 << 20, Dscp = 24 }, out UdpSocket? udp, out error))
        {
            error = $"SIP cannot listen on udp {config.SipListen}: {error}";
            return null;
        }
        var streams = new TcpStreams(new TcpOptions(), limits, mail.Streams) { IsListed = isListed };
        NetEndPoint secure = udp.Local with { Port = config.Tls?.PortListen ?? 0 };
        if (!streams.TryListen(1, udp.Local, null, out _, out error))
        {
            error = $"SIP cannot listen on tcp {udp.Local}: {error}";
        }
        else if (tls is not null && !streams.TryListen(2, secure, tls, out secure, out error))
        {
            error = $"SIP cannot listen on tls {secure}: {error}";
        }
        if (error.Length == 0)
        {
            return new SipSockets(udp, streams, tls, secure);
        }
        streams.Dispose();
        udp.Dispose();
        return null;
    }

    /// <param name="advertised">What the outside reaches us at.</param>
    public SipListener[] Listeners(ServerConfig config, NetAddress advertised)
    {
        var outside = new NetEndPoint(advertised, config.SipPortAnnounced == config.SipListen.Port ? Udp.Local.Port : config.SipPortAnnounced);
        SipListener udp = new(0, SipTransport.Udp, Udp.Local, outside);
        SipListener tcp = new(1, SipTransport.Tcp, Udp.Local, outside);
        if (config.Tls is not { } tls)
        {
            return [udp, tcp];
        }
        ushort port = tls.PortAnnounced == tls.PortListen ? TlsLocal.Port : tls.PortAnnounced;
        return [udp, tcp, new SipListener(2, SipTransport.Tls, TlsLocal, outside with { Port = port }, HostOf(config.SipHostname, advertised))];
    }

    /// <summary><c>sip_hostname</c>; <c>${IP}</c> in it stands for the address with dashes, as with livekit/sip.</summary>
    private static string? HostOf(string hostname, NetAddress advertised) => hostname.Length == 0 ? null
        : hostname.Replace("${IP}", string.Create(CultureInfo.InvariantCulture, $"{advertised}").Replace('.', '-').Replace(':', '-'), StringComparison.Ordinal);
}
