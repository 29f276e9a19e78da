using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Core;
using Proxy.Core.Net;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;
using Proxy.Sip;
using Proxy.Sip.Guarding;

namespace Proxy.Server.Signal;

/// <summary>
/// Async world; the signal thread calls <see cref="TrySend"/>. SIP over TCP and TLS: accepts, opens, reads, writes and
/// closes connections. Whole messages and ends go to the signal thread's mailbox, in order for each connection.
/// </summary>
public sealed class TcpStreams : ISipStreams, IMetricsSource, IDisposable
{
    private static readonly TimeSpan s_sweep = TimeSpan.FromSeconds(1);
    private readonly Limits _limits;
    private readonly Mailbox<StreamMail> _mail;
    private readonly ConcurrentDictionary<int, TcpConnection> _connections = new();
    private readonly ConcurrentDictionary<NetEndPoint, int> _opened = new();
    private readonly Dictionary<NetAddress, int> _perAddress = [];
    private readonly Dictionary<NetAddress, int> _handshakes = [];
    private readonly List<Listening> _listeners = [];
    private readonly Timer _sweeper;
    private int _lastNumber;
    private long _accepted;
    private long _turnedAway;
    private long _timedOut;
    private long _garbage;
    private long _shaking;
    private long _unshaken;
    private volatile bool _isDisposed;
    private volatile IReadOnlySet<NetAddress> _refused = new HashSet<NetAddress>();

    public TcpStreams(TcpOptions options, Limits limits, Mailbox<StreamMail> mail)
    {
        Options = options;
        _limits = limits;
        _mail = mail;
        _sweeper = new Timer(_ => Sweep(), null, s_sweep, s_sweep);
    }

    public TcpOptions Options { get; }

    /// <summary>Whether somebody vouches for an address; then only the caps of all connections are for it. Set before listening.</summary>
    public Func<NetAddress, bool> IsListed { get; init; } = _ => false;

    public void Refuse(IReadOnlySet<NetAddress> sources) => _refused = sources;

    public void Close(in SipFlow flow)
    {
        if (_connections.TryGetValue(flow.Connection, out TcpConnection? connection))
        {
            Interlocked.Increment(ref _timedOut);
            connection.Close();
        }
    }

    /// <summary>Connections open now.</summary>
    public int Count => _connections.Count;

    /// <summary>Binds and listens; accepting begins at once.</summary>
    /// <param name="listener">Index of the <see cref="SipListener"/> that its flows name.</param>
    /// <param name="tls">Null for plain TCP; asked for each handshake.</param>
    /// <param name="bound">With the port that the kernel chose when 0 was asked for.</param>
    /// <returns>False when the address cannot be bound.</returns>
    public bool TryListen(int listener, NetEndPoint local, TcpTls? tls, out NetEndPoint bound, out string error)
    {
        bound = local;
        error = "";
        Socket socket = new(local.Address.IsV6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (local.Address.IsV6)
            {
                socket.DualMode = local.Address.IsUnspecified;
            }
            socket.Bind(new IPEndPoint(local.Address.ToIPAddress(), local.Port));
            socket.Listen(512);
            bound = local with { Port = (ushort)((IPEndPoint)socket.LocalEndPoint!).Port };
        }
        catch (SocketException e)
        {
            socket.Dispose();
            error = e.Message;
            return false;
        }
        Listening listening = new(socket, listener, tls);
        _listeners.Add(listening);
        _ = Task.Run(() => AcceptAsync(listening));
        return true;
    }

    /// <summary>Signal thread. Queues a copy of the message; Connection 0 opens a connection to the flow's remote, or uses the one that was opened before.</summary>
    public bool TrySend(in SipFlow flow, ReadOnlySpan<byte> message)
    {
        if (_isDisposed)
        {
            return false;
        }
        int number = flow.Connection;
        if (number == 0 && !_opened.TryGetValue(flow.Remote, out number))
        {
            return TryOpen(flow, message.ToArray());
        }
        return _connections.TryGetValue(number, out TcpConnection? connection) && connection.TryWrite(message.ToArray());
    }

    public void Write(MetricsWriter writer)
    {
        writer.Gauge("siproom_sip_connections", "SIP stream connections that are open.", Count);
        writer.Counter("siproom_sip_connections_accepted_total", "SIP stream connections that were accepted.", Volatile.Read(ref _accepted));
        writer.Counter("siproom_sip_connections_turned_away_total", "SIP stream connections above a cap, closed at once.", Volatile.Read(ref _turnedAway));
        writer.Counter("siproom_sip_connections_timed_out_total", "SIP stream connections that took too long.", Volatile.Read(ref _timedOut));
        writer.Gauge("siproom_sip_tls_handshakes", "TLS handshakes that are under way.", Volatile.Read(ref _shaking));
        writer.Counter("siproom_sip_tls_handshakes_failed_total", "TLS handshakes that failed or took too long.", Volatile.Read(ref _unshaken));
        writer.Counter("siproom_sip_connections_garbage_total", "SIP stream connections that carried no SIP.", Volatile.Read(ref _garbage));
    }

    public void Dispose()
    {
        _isDisposed = true;
        _sweeper.Dispose();
        foreach (Listening listening in _listeners)
        {
            listening.Socket.Dispose();
        }
        foreach (TcpConnection connection in _connections.Values)
        {
            connection.Close();
        }
    }

    internal void CountGarbage() => Interlocked.Increment(ref _garbage);

    /// <summary>Gives a message to the signal thread; a full mailbox holds the connection back, and two seconds of it end the connection.</summary>
    internal async ValueTask<bool> PostAsync(SipFlow flow, ReadOnlyMemory<byte>? message)
    {
        for (int tries = 0; tries < 200; tries++)
        {
            if (_mail.TryPost(new StreamMail(flow, message)))
            {
                return true;
            }
            await Task.Delay(10).ConfigureAwait(false);
        }
        return false;
    }

    private async Task AcceptAsync(Listening listening)
    {
        while (!_isDisposed)
        {
            try
            {
                Socket socket = await listening.Socket.AcceptAsync().ConfigureAwait(false);
                Accept(socket, listening);
            }
            catch (SocketException)
            {
                // Out of descriptors, or the peer left the queue: the others go on; a pause keeps a lasting error from spinning.
                await Task.Delay(20).ConfigureAwait(false);
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }
    }

    private void Accept(Socket socket, Listening listening)
    {
        if (socket.RemoteEndPoint is not IPEndPoint remote)
        {
            socket.Dispose();
            return;
        }
        NetEndPoint peer = new(NetAddress.From(remote.Address), (ushort)remote.Port);
        if (IsRefused(peer.Address) || !TryCount(peer.Address) || (listening.Tls is not null && !TryBeginHandshake(peer.Address)))
        {
            Interlocked.Increment(ref _turnedAway);
            socket.Dispose();
            return;
        }
        Interlocked.Increment(ref _accepted);
        SipTransport transport = listening.Tls is null ? SipTransport.Tcp : SipTransport.Tls;
        Run(socket, new SipFlow(transport, listening.Index, Interlocked.Increment(ref _lastNumber), peer), opened => ShakeHandsAsync(opened, listening.Tls, peer.Address), []);
    }

    private bool TryOpen(in SipFlow flow, byte[] message)
    {
        if (flow.Transport == SipTransport.Tls || !TryCount(flow.Remote.Address))
        {
            // Calling out over TLS needs the peer's name, which a flow does not have.
            return false;
        }
        Socket socket = new(flow.Remote.Address.IsV6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        int number = Interlocked.Increment(ref _lastNumber);
        NetEndPoint remote = flow.Remote;
        _opened[remote] = number;
        Run(socket, flow with { Connection = number }, opened => ConnectAsync(opened, remote), message);
        return true;
    }

    private void Run(Socket socket, SipFlow flow, Func<Socket, Task<Stream>> open, byte[] first)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        TcpConnection connection = new(this, socket, flow, _limits, IsListed(flow.Remote.Address));
        _connections[flow.Connection] = connection;
        if (first.Length > 0)
        {
            connection.TryWrite(first);
        }
        _ = Task.Run(async () =>
        {
            await connection.RunAsync(open).ConfigureAwait(false);
            Forget(flow);
            // Who connected to us and never said anything is unknown to the signal thread: a flood of such must not become work for it.
            if (connection.HasSpoken || first.Length > 0)
            {
                await PostAsync(flow, null).ConfigureAwait(false);
            }
        });
    }

    private async Task<Stream> ShakeHandsAsync(Socket socket, TcpTls? tls, NetAddress peer)
    {
        NetworkStream stream = new(socket, ownsSocket: false);
        if (tls is null)
        {
            return stream;
        }
        SslStream secure = new(stream, leaveInnerStreamOpen: false);
        bool isDone = false;
        try
        {
            using CancellationTokenSource patience = new(Options.Handshake);
            await secure.AuthenticateAsServerAsync(tls.ChooseAsync, null, patience.Token).ConfigureAwait(false);
            isDone = true;
            return secure;
        }
        finally
        {
            EndHandshake(peer, isDone);
            if (!isDone)
            {
                await secure.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private bool TryBeginHandshake(NetAddress address)
    {
        bool isListed = IsListed(address);
        NetAddress peer = SourceGuard.KeyOf(address);
        lock (_perAddress)
        {
            int count = _handshakes.GetValueOrDefault(peer);
            if ((!isListed && count >= Options.HandshakesPerAddress) || _shaking >= ShareOf(Options.Handshakes, isListed))
            {
                Uncount(_perAddress, peer);
                return false;
            }
            _handshakes[peer] = count + 1;
            _shaking++;
            return true;
        }
    }

    private void EndHandshake(NetAddress peer, bool isDone)
    {
        lock (_perAddress)
        {
            Uncount(_handshakes, SourceGuard.KeyOf(peer));
            _shaking--;
        }
        if (!isDone)
        {
            Interlocked.Increment(ref _unshaken);
        }
    }

    private async Task<Stream> ConnectAsync(Socket socket, NetEndPoint remote)
    {
        using CancellationTokenSource patience = new(Options.Connect);
        await socket.ConnectAsync(new IPEndPoint(remote.Address.ToIPAddress(), remote.Port), patience.Token).ConfigureAwait(false);
        return new NetworkStream(socket, ownsSocket: false);
    }

    private bool IsRefused(NetAddress address)
    {
        IReadOnlySet<NetAddress> refused = _refused;
        return refused.Count > 0 && refused.Contains(SourceGuard.KeyOf(address)) && !IsListed(address);
    }

    /// <summary>Strangers may not take the last quarter of what there is for all.</summary>
    private static int ShareOf(int all, bool isListed) => isListed ? all : all - (all / 4);

    /// <summary>Strangers have a cap for each of them; listed sources only that of all.</summary>
    private bool TryCount(NetAddress address)
    {
        bool isListed = IsListed(address);
        int most = ShareOf(Options.Connections, isListed);
        lock (_perAddress)
        {
            NetAddress key = SourceGuard.KeyOf(address);
            int count = _perAddress.GetValueOrDefault(key);
            if (_isDisposed || (!isListed && count >= Options.ConnectionsPerAddress) || _connections.Count >= most)
            {
                return false;
            }
            _perAddress[key] = count + 1;
            return true;
        }
    }

    private void Forget(in SipFlow flow)
    {
        _connections.TryRemove(flow.Connection, out _);
        _opened.TryRemove(new KeyValuePair<NetEndPoint, int>(flow.Remote, flow.Connection));
        lock (_perAddress)
        {
            Uncount(_perAddress, SourceGuard.KeyOf(flow.Remote.Address));
        }
    }

    private static void Uncount(Dictionary<NetAddress, int> counts, NetAddress address)
    {
        int count = counts.GetValueOrDefault(address) - 1;
        if (count > 0)
        {
            counts[address] = count;
        }
        else
        {
            counts.Remove(address);
        }
    }

    private void Sweep()
    {
        long now = Environment.TickCount64;
        foreach (TcpConnection connection in _connections.Values)
        {
            switch (connection.CloseIfLate(now))
            {
                case Lateness.Closed:
                    Interlocked.Increment(ref _timedOut);
                    break;
                case Lateness.Idle:
                    _mail.TryPost(new StreamMail(connection.Flow, null, IsIdle: true));
                    break;
            }
        }
    }

    private sealed record Listening(Socket Socket, int Index, TcpTls? Tls);
}
