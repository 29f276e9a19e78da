using System;
using System.Collections.Generic;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Proxy.Core.Net;
using Proxy.Server.Config;
using Proxy.WebRtc.Stun;

namespace Proxy.Server.Dns;

/// <summary>Main thread. Asks STUN servers (RFC 8489) what address the outside sees; once, before calls are taken, as livekit/sip does.</summary>
public static class ExternalAddress
{
    /// <summary>Each server is asked this often, and waited for this long.</summary>
    private const int Tries = 3;
    private const int WaitMs = 500;

    /// <summary>Fills the addresses that <c>use_external_ip</c> and <c>media_use_external_ip</c> ask for.</summary>
    /// <param name="error">One sentence when no server answered, else empty.</param>
    /// <returns>The configuration with addresses, or null.</returns>
    public static ServerConfig? Fill(ServerConfig config, out string error)
    {
        error = "";
        bool wantsMedia = config.MediaUseExternalIp && !config.MediaAddress.IsSet;
        if (!config.UseExternalIp && !wantsMedia)
        {
            return config;
        }
        if (!TryFind(config.SipListen.Address, config.StunServers, out NetAddress found, out string because))
        {
            error = $"use_external_ip: no STUN server answered ({because}); set nat_1_to_1_ip instead, or other stun_servers";
            return null;
        }
        return config with
        {
            SignalAddress = config.UseExternalIp ? found : config.SignalAddress,
            MediaAddress = wantsMedia ? found : config.MediaAddress,
        };
    }

    /// <summary>Asks one server after the other.</summary>
    /// <param name="local">Where to ask from; unspecified: the routing table's choice.</param>
    /// <param name="servers"><c>host:port</c>.</param>
    /// <param name="error">What the last server did, one clause.</param>
    public static bool TryFind(NetAddress local, IReadOnlyList<string> servers, out NetAddress found, out string error)
    {
        found = default;
        error = "none is configured";
        foreach (string server in servers)
        {
            try
            {
                if (TryAsk(local, server, out found))
                {
                    return true;
                }
                error = $"{server} is silent";
            }
            catch (SocketException e)
            {
                error = $"{server}: {e.Message}";
            }
        }
        return false;
    }

    private static bool TryAsk(NetAddress local, string server, out NetAddress found)
    {
        int colon = server.LastIndexOf(':');
        string host = colon < 0 ? server : server[..colon];
        int port = colon < 0 ? 3478 : int.Parse(server.AsSpan(colon + 1), CultureInfo.InvariantCulture);
        IPAddress from = local.ToIPAddress();
        IPAddress to = Array.Find(System.Net.Dns.GetHostAddresses(host), a => a.AddressFamily == from.AddressFamily)
            ?? throw new SocketException((int)SocketError.HostNotFound);
        using var socket = new Socket(from.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = WaitMs };
        socket.Bind(new IPEndPoint(from, 0));
        socket.Connect(new IPEndPoint(to, port));
        byte[] id = RandomNumberGenerator.GetBytes(StunView.TransactionIdLength);
        byte[] buffer = new byte[548];
        for (int i = 0; i < Tries; i++)
        {
            StunWriter writer = new(buffer, StunMessageType.BindingRequest, id);
            socket.Send(buffer.AsSpan(0, writer.Finish(null)));
            if (TryRead(socket, buffer, id, out found))
            {
                return true;
            }
        }
        found = default;
        return false;
    }

    private static bool TryRead(Socket socket, byte[] buffer, ReadOnlySpan<byte> id, out NetAddress found)
    {
        found = default;
        try
        {
            int length = socket.Receive(buffer);
            if (StunView.TryParse(buffer.AsSpan(0, length), out StunView answer, out _) && answer.Type == StunMessageType.BindingSuccess
                && answer.TransactionId.SequenceEqual(id) && answer.TryGetMappedAddress(out NetEndPoint mapped))
            {
                found = mapped.Address;
                return true;
            }
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.ConnectionRefused)
        {
            // The next try, or the next server.
        }
        return false;
    }
}
