using System;
using System.Diagnostics;
using Proxy.Core.Time;
using Proxy.WebRtc.Dtls;

namespace Proxy.WebRtc.Tests.Dtls;

/// <summary>One owner. Carries datagrams between two DTLS associations in memory, by the machine's clock.</summary>
internal static class DtlsPump
{
    // Through TimeSpan: ticks times a million overflow once the machine has been up for two and a half hours.
    public static MonoTime Now => new(Stopwatch.GetElapsedTime(0).Ticks / 10);

    /// <summary>Runs until both are past their handshake.</summary>
    /// <param name="isLost">Says of each datagram by its number whether it is lost.</param>
    public static bool Handshake(IDtls client, IDtls server, Func<int, bool>? isLost = null)
    {
        MonoTime end = Now + TimeSpan.FromSeconds(10);
        int sent = 0;
        client.Start(Now);
        server.Start(Now);
        while (client.State == DtlsState.Handshaking || server.State == DtlsState.Handshaking)
        {
            bool moved = Move(client, server, ref sent, isLost) | Move(server, client, ref sent, isLost);
            MonoTime now = Now;
            if (now > end)
            {
                return false;
            }
            if (!moved)
            {
                client.HandleTimeout(now);
                server.HandleTimeout(now);
            }
            Drain(client);
            Drain(server);
        }
        while (Move(client, server, ref sent, null) | Move(server, client, ref sent, null))
        {
        }
        return client.State == DtlsState.Connected && server.State == DtlsState.Connected;
    }

    private static void Drain(IDtls dtls)
    {
        Span<byte> buffer = stackalloc byte[1500];
        while (dtls.TryReadData(buffer, out _))
        {
        }
    }

    public static bool Move(IDtls from, IDtls to, ref int sent, Func<int, bool>? isLost)
    {
        Span<byte> buffer = stackalloc byte[1500];
        bool moved = false;
        while (from.TryPollDatagram(buffer, out int length))
        {
            if (length > 1200)
            {
                throw new InvalidOperationException("a datagram of " + length);
            }
            moved = true;
            if (isLost is null || !isLost(sent++))
            {
                to.HandleDatagram(buffer[..length], Now);
            }
        }
        return moved;
    }
}
