using System.Threading;
using Proxy.Server.Linux;

namespace Proxy.Server.Shards;

/// <summary>
/// The signal thread puts in and takes out, a shard looks up. Sockets by handle; a socket is put in before its handle goes
/// through a ring to the shard, and taken out after the shard's last event came back.
/// </summary>
public sealed class SocketTable(int capacity)
{
    private readonly UdpSocket?[] _sockets = new UdpSocket?[capacity];
    private int _next;

    /// <summary>Sockets open.</summary>
    public int Count { get; private set; }

    /// <returns>The handle, or −1 when full.</returns>
    public int Add(UdpSocket socket)
    {
        for (int tried = 0; tried < _sockets.Length; tried++)
        {
            int at = _next++ % _sockets.Length;
            if (_sockets[at] is null)
            {
                Volatile.Write(ref _sockets[at], socket);
                Count++;
                return at;
            }
        }
        return -1;
    }

    public UdpSocket? Get(int handle) => Volatile.Read(ref _sockets[handle]);

    public UdpSocket? Remove(int handle)
    {
        UdpSocket? socket = _sockets[handle];
        _sockets[handle] = null;
        Count--;
        return socket;
    }
}
