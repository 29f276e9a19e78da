using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Proxy.Server.Tests.Dns;

/// <summary>A DNS server on a loopback port of the kernel's choice, over UDP and TCP; what it says the test writes.</summary>
internal sealed class FakeDns : IDisposable
{
    private readonly Socket _udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly TcpListener _tcp;
    private readonly CancellationTokenSource _end = new();
    private int _asked;
    private int _askedByStream;

    /// <param name="byDatagram">Question → datagrams.</param>
    /// <param name="byStream">Question → bytes of the stream; null: none.</param>
    public FakeDns(Func<byte[], IEnumerable<byte[]>> byDatagram, Func<byte[], byte[]>? byStream = null)
    {
        _tcp = new TcpListener(IPAddress.Loopback, 0);
        _tcp.Start();
        EndPoint = (IPEndPoint)_tcp.LocalEndpoint;
        _udp.Bind(EndPoint);
        _ = Task.Run(() => AnswerAsync(byDatagram));
        _ = Task.Run(() => AnswerStreamsAsync(byStream ?? (_ => [])));
    }

    public IPEndPoint EndPoint { get; }

    public int Asked => Volatile.Read(ref _asked);

    public int AskedByStream => Volatile.Read(ref _askedByStream);

    /// <summary>An answer to a question, with one A record.</summary>
    /// <param name="flags">Of the third and fourth byte.</param>
    public static byte[] Answer(byte[] question, string address = "192.0.2.1", int flags = 0x8180, int records = 1)
    {
        int end = question.Length - 11;
        var answer = new List<byte>(question[..end]);
        (answer[2], answer[3], answer[7], answer[11]) = ((byte)(flags >> 8), (byte)flags, (byte)records, 0);
        for (int i = 0; i < records; i++)
        {
            answer.AddRange([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, .. IPAddress.Parse(address).GetAddressBytes()]);
        }
        return [.. answer];
    }

    public static byte[] Framed(byte[] message) => [(byte)(message.Length >> 8), (byte)message.Length, .. message];

    public void Dispose()
    {
        _end.Cancel();
        _udp.Dispose();
        _tcp.Stop();
    }

    private async Task AnswerAsync(Func<byte[], IEnumerable<byte[]>> byDatagram)
    {
        byte[] buffer = new byte[512];
        while (!_end.IsCancellationRequested)
        {
            try
            {
                SocketReceiveFromResult got = await _udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), _end.Token);
                Interlocked.Increment(ref _asked);
                foreach (byte[] datagram in byDatagram(buffer[..got.ReceivedBytes]))
                {
                    await _udp.SendToAsync(datagram, got.RemoteEndPoint, _end.Token);
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The asker is gone, or the test is over.
            }
        }
    }

    private async Task AnswerStreamsAsync(Func<byte[], byte[]> byStream)
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                using Socket socket = await _tcp.AcceptSocketAsync(_end.Token);
                byte[] head = new byte[2];
                await socket.ReceiveAsync(head, _end.Token);
                byte[] question = new byte[(head[0] << 8) | head[1]];
                await socket.ReceiveAsync(question, _end.Token);
                Interlocked.Increment(ref _askedByStream);
                await socket.SendAsync(byStream(question), _end.Token);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The same.
            }
        }
    }
}
