using System;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Sip.Targets;

namespace Proxy.Server.Dns;

/// <summary>
/// Async world. One question to the DNS servers, over UDP, and over TCP where the answer was cut. Each try has a socket of its own, so that port and id are
/// random and the kernel drops what others send; whatever a server does, it costs no more than its patience.
/// </summary>
/// <remarks>RFC 1035 §4.2, RFC 5452 (forged answers), RFC 7766.</remarks>
public sealed class DnsExchange(DnsOptions options)
{
    /// <summary>Datagrams that are looked at in one try: what is not the answer ends nothing, and does not keep us busy either.</summary>
    private const int DatagramsMax = 32;

    private static readonly DnsAnswer s_none = new([], TimeSpan.Zero, IsFailure: true);

    /// <returns>A failure when no server gave an answer in time; never throws for what the network does.</returns>
    public async Task<DnsAnswer> AskAsync(DnsQuestion question, CancellationToken cancellationToken)
    {
        using var all = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        all.CancelAfter(options.PatienceInAll);
        IPEndPoint[] servers = options.Servers.Length > 0 ? options.Servers : DnsServers.Read();
        for (int round = 1; round <= 2; round++)
        {
            foreach (IPEndPoint server in servers)
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(all.Token);
                patience.CancelAfter(options.Patience * round);
                if (await TryAskAsync(server, question, patience.Token).ConfigureAwait(false) is { } answer)
                {
                    return answer;
                }
            }
        }
        return s_none;
    }

    /// <returns>Null when this server gave no answer.</returns>
    private async Task<DnsAnswer?> TryAskAsync(IPEndPoint server, DnsQuestion question, CancellationToken cancellationToken)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            byte[] bytes = new byte[2 + DnsMessage.QuestionBytesMax];
            ushort id = (ushort)RandomNumberGenerator.GetInt32(65_536);
            int length = DnsMessage.Write(bytes.AsSpan(2), id, question);
            if (length == 0)
            {
                return null;
            }
            (DnsVerdict verdict, DnsAnswer? answer) = await AskByDatagramAsync(server, bytes.AsMemory(2, length), id, question, cancellationToken).ConfigureAwait(false);
            if (verdict != DnsVerdict.Truncated)
            {
                return answer;
            }
            BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)length);
            return await AskByStreamAsync(server, bytes.AsMemory(0, 2 + length), id, question, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // Silent, unreachable or nobody there: the next one.
            return null;
        }
    }

    private static async Task<(DnsVerdict Verdict, DnsAnswer? Answer)> AskByDatagramAsync(
        IPEndPoint server, ReadOnlyMemory<byte> message, ushort id, DnsQuestion question, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
        await socket.SendAsync(message, cancellationToken).ConfigureAwait(false);
        byte[] buffer = new byte[DnsMessage.DatagramBytesMax];
        for (int i = 0; i < DatagramsMax; i++)
        {
            int got = await socket.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
            DnsVerdict verdict = DnsMessage.Read(buffer.AsSpan(0, got), id, question, out DnsAnswer? answer);
            if (verdict != DnsVerdict.Foreign)
            {
                return (verdict, answer);
            }
        }
        return (DnsVerdict.Failure, null);
    }

    private async Task<DnsAnswer?> AskByStreamAsync(IPEndPoint server, ReadOnlyMemory<byte> message, ushort id, DnsQuestion question, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
        await socket.SendAsync(message, cancellationToken).ConfigureAwait(false);
        byte[] head = new byte[2];
        if (!await TryReadAsync(socket, head, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }
        int length = BinaryPrimitives.ReadUInt16BigEndian(head);
        byte[] answer = new byte[Math.Min(length, options.StreamBytesMax)];
        bool isWhole = answer.Length == length && await TryReadAsync(socket, answer, cancellationToken).ConfigureAwait(false);
        return isWhole && DnsMessage.Read(answer, id, question, out DnsAnswer? read) == DnsVerdict.Answer ? read : null;
    }

    private static async Task<bool> TryReadAsync(Socket socket, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            int got = await socket.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (got == 0)
            {
                return false;
            }
            buffer = buffer[got..];
        }
        return true;
    }
}
