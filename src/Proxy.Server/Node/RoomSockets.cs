using System;
using System.Collections.Generic;
using Proxy.Bridge.Rooms;
using Proxy.Core.Collections;
using Proxy.Server.Signal;
using Proxy.Server.WebSockets;

namespace Proxy.Server.Node;

/// <summary>
/// Signal thread calls <see cref="ISignalSockets"/>, pool threads call <see cref="ISignalSocketSink"/>. The participants'
/// WebSockets between the call table and the dialer.
/// </summary>
public sealed class RoomSockets(SignalDialer dialer, SignalMailboxes mail) : ISignalSockets, ISignalSocketSink
{
    private readonly Dictionary<SignalSocketKey, SignalSocketPump> _pumps = [];

    /// <summary>WebSockets that were dialled and not closed by us.</summary>
    public int Count => _pumps.Count;

    public void Open(SlotId call, int socket, string url, string token)
    {
        var key = new SignalSocketKey(call, socket);
        _pumps[key] = dialer.Dial(key, url, token, this);
    }

    public void Send(SlotId call, int socket, ReadOnlyMemory<byte> frame)
    {
        if (_pumps.TryGetValue(new SignalSocketKey(call, socket), out SignalSocketPump? pump))
        {
            pump.TrySend(frame);
        }
    }

    public void Close(SlotId call, int socket)
    {
        if (_pumps.Remove(new SignalSocketKey(call, socket), out SignalSocketPump? pump))
        {
            pump.Close();
        }
    }

    void ISignalSocketSink.Opened(SignalSocketKey key) => Post(key, SocketInputKind.Opened, 0, []);

    void ISignalSocketSink.Message(SignalSocketKey key, byte[] message) => Post(key, SocketInputKind.Frame, 0, message);

    void ISignalSocketSink.Closed(SignalSocketKey key, int code)
    {
        Post(key, SocketInputKind.Closed, code, []);
        Forget(key);
    }

    void ISignalSocketSink.Refused(SignalSocketKey key, int httpStatus, byte[] body)
    {
        Post(key, SocketInputKind.Refused, httpStatus, body);
        Forget(key);
    }

    private void Post(SignalSocketKey key, SocketInputKind kind, int status, byte[] payload) =>
        mail.Sockets.TryPost(new SocketMail(key.Call, new SocketInput(kind, key.Socket, status, payload)));

    /// <summary>The table belongs to the signal thread, so it forgets the socket there.</summary>
    private void Forget(SignalSocketKey key) => mail.Control.TryPost((_, _) => _pumps.Remove(key));
}
