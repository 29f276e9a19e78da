using Proxy.Bridge.Media;
using Proxy.Core.Collections;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Server.Linux;

namespace Proxy.Server.Shards;

/// <summary>Signal thread. Opens the two sockets of a call, chooses its shard, and carries commands there.</summary>
public sealed class MediaHost : IMediaHost
{
    private readonly ShardLoop[] _shards;
    private readonly SocketTable _sockets;
    private readonly MediaHostOptions _options;
    private readonly int[] _callsOn;
    private readonly System.Collections.Generic.Queue<(ushort Port, MonoTime Until)> _unclean = new();

    public MediaHost(ShardLoop[] shards, SocketTable sockets, MediaHostOptions options)
    {
        _shards = shards;
        _sockets = sockets;
        _options = options;
        _callsOn = new int[shards.Length];
    }

    /// <summary>Set by the signal loop once a turn.</summary>
    public MonoTime Now { get; set; }

    /// <summary>Sockets that are open now, two a call.</summary>
    public int OpenSockets => _sockets.Count;

    /// <summary>Ports of the RTP range that are out.</summary>
    public int SipPortsTaken => _options.SipPorts.Taken;

    public ReserveVerdict TryReserve(int listener, out MediaReservation reservation)
    {
        reservation = default;
        int shard = LeastBusy();
        if (_callsOn[shard] >= _options.CallsPerShard)
        {
            return ReserveVerdict.NoSlot;
        }
        ReserveVerdict verdict = TryBind(_options.SipPorts, _options.SipAddresses[listener], out UdpSocket? sip);
        if (verdict != ReserveVerdict.Ok)
        {
            return verdict;
        }
        verdict = TryBindRoom(out UdpSocket? room);
        if (verdict != ReserveVerdict.Ok)
        {
            _options.SipPorts.Return(sip!.Local.Port, Now);
            sip.Dispose();
            return verdict;
        }
        int sipHandle = _sockets.Add(sip!);
        int roomHandle = _sockets.Add(room!);
        _callsOn[shard]++;
        reservation = new MediaReservation(shard, sipHandle, sip!.Local.Port, roomHandle, room!.Local.Port);
        return ReserveVerdict.Ok;
    }

    public void Release(in MediaReservation reservation, bool isRoomPortClean)
    {
        _callsOn[reservation.Shard]--;
        UdpSocket sip = _sockets.Remove(reservation.SipSocket)!;
        UdpSocket room = _sockets.Remove(reservation.RoomSocket)!;
        _options.SipPorts.Return(sip.Local.Port, Now);
        if (_options.RoomPorts is not null)
        {
            if (isRoomPortClean)
            {
                _options.RoomPorts.Return(room.Local.Port, Now);
            }
            else
            {
                _unclean.Enqueue((room.Local.Port, Now + _options.UncleanRest));
            }
        }
        sip.Dispose();
        room.Dispose();
    }

    public void Open(SlotId call, CallMedia media)
    {
        media.Call = call;
        _shards[media.Reservation.Shard].Post(new ShardCommand(media, true, default));
    }

    public void Command(SlotId call, CallMedia media, in CallCommand command) =>
        _shards[media.Reservation.Shard].Post(new ShardCommand(media, false, command));

    private int LeastBusy()
    {
        int best = 0;
        for (int i = 1; i < _callsOn.Length; i++)
        {
            best = _callsOn[i] < _callsOn[best] ? i : best;
        }
        return best;
    }

    /// <summary>A port that somebody else on the machine holds is put back and another one is tried, a few times.</summary>
    private ReserveVerdict TryBind(PortRange ports, NetAddress address, out UdpSocket? socket)
    {
        socket = null;
        for (int tried = 0; tried < 8; tried++)
        {
            if (!ports.TryTake(Now, out ushort port))
            {
                return ReserveVerdict.NoPort;
            }
            if (UdpSocket.TryBind(new NetEndPoint(address, port), _options.Udp, out socket, out _))
            {
                return ReserveVerdict.Ok;
            }
            ports.Return(port, Now);
        }
        return ReserveVerdict.NoSocket;
    }

    private ReserveVerdict TryBindRoom(out UdpSocket? socket)
    {
        while (_unclean.TryPeek(out (ushort Port, MonoTime Until) resting) && resting.Until <= Now)
        {
            _unclean.Dequeue();
            _options.RoomPorts!.Return(resting.Port, Now);
        }
        if (_options.RoomPorts is not null)
        {
            return TryBind(_options.RoomPorts, _options.RoomAddress, out socket);
        }
        // The kernel's own range: it does not give a port out again soon.
        return UdpSocket.TryBind(new NetEndPoint(_options.RoomAddress, 0), _options.Udp, out socket, out _)
            ? ReserveVerdict.Ok
            : ReserveVerdict.NoSocket;
    }
}

/// <summary>Any thread. Ports, addresses and sizes of the media sockets.</summary>
public sealed record MediaHostOptions
{
    /// <summary>Addresses that RTP towards callers is bound to, by SIP listener.</summary>
    public required NetAddress[] SipAddresses { get; init; }

    public required PortRange SipPorts { get; init; }

    /// <summary>Address that media towards the room server is bound to.</summary>
    public required NetAddress RoomAddress { get; init; }

    /// <summary>Ports of the participants; null takes the kernel's.</summary>
    public PortRange? RoomPorts { get; init; }

    /// <summary>Rest of a room port whose session the server may still map (<c>Limits.IcePortRest</c>).</summary>
    public System.TimeSpan UncleanRest { get; init; } = System.TimeSpan.FromSeconds(30);

    public required int CallsPerShard { get; init; }

    public UdpOptions Udp { get; init; } = new() { Dscp = 46 };
}
