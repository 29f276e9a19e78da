using System;
using System.Collections.Generic;
using System.Globalization;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Server.Config;
using Proxy.Server.Linux;
using Proxy.Server.Signal;
using Proxy.Sip;

namespace Proxy.Server.Node;

/// <summary>
/// Main thread. The sockets that SIP is heard on: UDP and TCP on one port, TLS on another where the configuration has it, then UDP and TCP of each of
/// <c>listeners:</c>. A socket's place is its listener's index.
/// </summary>
internal sealed class SipSockets : IDisposable
{
    private readonly List<SipSocket> _all = [];

    private SipSockets(TcpStreams streams, TcpTls? tls) => (Streams, Tls) = (streams, tls);

    public TcpStreams Streams { get; }

    public TcpTls? Tls { get; }

    /// <summary>The first, UDP.</summary>
    public NetEndPoint Local => _all[0].Local;

    /// <summary>Unset without TLS.</summary>
    public NetEndPoint TlsLocal => Tls is null ? default : _all[2].Local;

    /// <summary>Where SIP over UDP is heard, all listeners.</summary>
    public IEnumerable<NetEndPoint> Locals
    {
        get
        {
            foreach (SipSocket socket in _all)
            {
                if (socket.Udp is not null)
                {
                    yield return socket.Local;
                }
            }
        }
    }

    /// <summary>By listener index; null where the listener is a stream one.</summary>
    public UdpSocket?[] Datagrams => [.. _all.ConvertAll(s => s.Udp)];

    /// <summary>By listener index.</summary>
    public NetAddress[] Addresses => [.. _all.ConvertAll(s => s.Local.Address)];

    /// <summary>By listener index: what c= names by configuration; unset where nothing is said.</summary>
    public NetAddress[] MediaAddresses => [.. _all.ConvertAll(s => s.Config?.MediaAddress ?? default)];

    /// <param name="isListed">Whether somebody vouches for an address.</param>
    /// <returns>Null when one of them cannot be bound; <paramref name="error"/> is the sentence.</returns>
    public static SipSockets? TryBind(ServerConfig config, Limits limits, SignalMailboxes mail, Func<NetAddress, bool> isListed, out string error)
    {
        TcpTls? tls = null;
        if (config.Tls is { } wanted && (tls = TcpTls.TryLoad(wanted, out error)) is null)
        {
            return null;
        }
        var sockets = new SipSockets(new TcpStreams(new TcpOptions(), limits, mail.Streams) { IsListed = isListed }, tls);
        if (sockets.TryBindAll(config, out error))
        {
            return sockets;
        }
        sockets.Dispose();
        return null;
    }

    /// <param name="advertised">What the outside reaches the first listeners at.</param>
    /// <param name="towards">The address that the kernel would use towards the outside, for listeners that are bound to all.</param>
    public SipListener[] Listeners(ServerConfig config, NetAddress advertised, Func<NetAddress> towards) => [.. _all.ConvertAll(socket =>
    {
        int index = _all.IndexOf(socket);
        if (socket.Config is { } own)
        {
            ushort port = own.Advertised.Port == own.Listen.Port ? socket.Local.Port : own.Advertised.Port;
            NetAddress address = own.Advertised.Address.IsUnspecified ? towards() : own.Advertised.Address;
            return new SipListener(index, socket.Transport, socket.Local, new NetEndPoint(address, port), null, own.Challenge);
        }
        if (socket.Transport == SipTransport.Tls)
        {
            ushort port = config.Tls!.PortAnnounced == config.Tls.PortListen ? TlsLocal.Port : config.Tls.PortAnnounced;
            return new SipListener(index, SipTransport.Tls, socket.Local, new NetEndPoint(advertised, port), HostOf(config.SipHostname, advertised), config.Tls.Challenge);
        }
        var outside = new NetEndPoint(advertised, config.SipPortAnnounced == config.SipListen.Port ? Local.Port : config.SipPortAnnounced);
        return new SipListener(index, socket.Transport, socket.Local, outside, null, config.Challenge);
    })];

    public void Dispose()
    {
        Streams.Dispose();
        foreach (SipSocket socket in _all)
        {
            socket.Udp?.Dispose();
        }
    }

    private bool TryBindAll(ServerConfig config, out string error)
    {
        if (!TryBindPair(config.SipListen, null, out error))
        {
            return false;
        }
        if (config.Tls is { } tls && !TryListen(SipTransport.Tls, Local with { Port = tls.PortListen }, null, out error))
        {
            return false;
        }
        foreach (ListenerConfig listener in config.Listeners)
        {
            if (!TryBindPair(listener.Listen, listener, out error))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>UDP, and TCP on the port that UDP got.</summary>
    private bool TryBindPair(NetEndPoint local, ListenerConfig? config, out string error)
    {
        if (!UdpSocket.TryBind(local, new UdpOptions { ReceiveBytes = 4 << 20, SendBytes = 1 << 20, Dscp = 24 }, out UdpSocket? udp, out error))
        {
            error = $"SIP cannot listen on udp {local}: {error}";
            return false;
        }
        _all.Add(new SipSocket(SipTransport.Udp, udp.Local, udp, config));
        return TryListen(SipTransport.Tcp, udp.Local, config, out error);
    }

    private bool TryListen(SipTransport transport, NetEndPoint local, ListenerConfig? config, out string error)
    {
        bool isTls = transport == SipTransport.Tls;
        if (!Streams.TryListen(_all.Count, local, isTls ? Tls : null, out NetEndPoint bound, out error))
        {
            error = $"SIP cannot listen on {(isTls ? "tls" : "tcp")} {local}: {error}";
            return false;
        }
        _all.Add(new SipSocket(transport, bound, null, config));
        return true;
    }

    /// <summary><c>sip_hostname</c>; <c>${IP}</c> in it stands for the address with dashes, as with livekit/sip.</summary>
    private static string? HostOf(string hostname, NetAddress advertised) => hostname.Length == 0 ? null
        : hostname.Replace("${IP}", string.Create(CultureInfo.InvariantCulture, $"{advertised}").Replace('.', '-').Replace(':', '-'), StringComparison.Ordinal);

    private sealed record SipSocket(SipTransport Transport, NetEndPoint Local, UdpSocket? Udp, ListenerConfig? Config);
}
