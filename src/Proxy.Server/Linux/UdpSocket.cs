using System;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Proxy.Core.Diagnostics;
using Proxy.Core.Net;

namespace Proxy.Server.Linux;

/// <summary>One loop. A non-blocking UDP socket; receiving and sending allocate nothing.</summary>
/// <remarks>Never connected: an ICMP error of one peer must not reach another (and ECONNREFUSED is no error on UDP).</remarks>
public sealed unsafe class UdpSocket : IDisposable
{
    private const int NoSignal = 0x4000;
    private const int Truncated = 0x20;
    private const int LevelSocket = 1;
    private const int LevelIp = 0;
    private const int LevelIpV6 = 41;
    private const int PacketInfoV4 = 8;
    private const int PacketInfoV6 = 50;
    private const int ControlBytes = 64;

    private readonly bool _isV6;

    private UdpSocket(int fd, bool isV6, NetEndPoint local)
    {
        Fd = fd;
        _isV6 = isV6;
        Local = local;
    }

    /// <summary>For <see cref="Reactor.Watch"/>; -1 once disposed.</summary>
    public int Fd { get; private set; }

    /// <summary>Where it is bound, with the port the kernel chose when 0 was asked for.</summary>
    public NetEndPoint Local { get; }

    /// <summary>Datagrams larger than the buffer given; dropped.</summary>
    public long Oversized { get; private set; }

    internal bool IsV6 => _isV6;

    /// <summary>Opens and binds.</summary>
    /// <param name="local">Address and port; port 0 lets the kernel choose. <c>::</c> takes IPv4 as well.</param>
    /// <param name="error">One clause when it failed, else empty.</param>
    /// <returns>False when the address cannot be bound.</returns>
    public static bool TryBind(NetEndPoint local, in UdpOptions options, [NotNullWhen(true)] out UdpSocket? socket, out string error)
    {
        socket = null;
        error = "";
        bool isV6 = local.Address.IsV6;
        int fd = LibC.socket(isV6 ? SocketAddress.FamilyV6 : SocketAddress.FamilyV4, 2 | 0x80000 | 0x800, 0);
        if (fd < 0)
        {
            error = Errno.Describe(Errno.Last);
            return false;
        }
        Apply(fd, isV6, local.Address.IsUnspecified, options);
        Span<byte> name = stackalloc byte[SocketAddress.MaxBytes];
        int length = SocketAddress.Write(local, isV6, name);
        fixed (byte* at = name)
        {
            uint bytes = SocketAddress.MaxBytes;
            if (LibC.bind(fd, at, (uint)length) < 0 || LibC.getsockname(fd, at, &bytes) < 0)
            {
                error = Errno.Describe(Errno.Last);
                LibC.close(fd);
                return false;
            }
            ushort port = BinaryPrimitives.ReadUInt16BigEndian(name[2..]);
            socket = new UdpSocket(fd, isV6, local with { Port = port });
        }
        return true;
    }

    /// <summary>Takes the next datagram; larger ones than the buffer are dropped and counted.</summary>
    /// <returns>False when none is waiting.</returns>
    [NoAlloc]
    public bool TryReceive(Span<byte> buffer, out int length, out NetEndPoint from)
    {
        byte* name = stackalloc byte[SocketAddress.MaxBytes];
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                uint nameLength = SocketAddress.MaxBytes;
                nint got = LibC.recvfrom(Fd, bytes, (nuint)buffer.Length, Truncated, name, &nameLength);
                if (got < 0)
                {
                    if (IsWorthAnotherTry(Errno.Last))
                    {
                        continue;
                    }
                    break;
                }
                if (got > buffer.Length)
                {
                    Oversized++;
                    continue;
                }
                length = (int)got;
                from = SocketAddress.Read(new ReadOnlySpan<byte>(name, (int)nameLength));
                return true;
            }
        }
        length = 0;
        from = default;
        return false;
    }

    /// <summary>As the other, and tells which local address it was sent to (with <see cref="UdpOptions.WantsLocalAddress"/>).</summary>
    [NoAlloc]
    public bool TryReceive(Span<byte> buffer, out int length, out NetEndPoint from, out NetAddress to)
    {
        byte* name = stackalloc byte[SocketAddress.MaxBytes];
        byte* control = stackalloc byte[ControlBytes];
        fixed (byte* bytes = buffer)
        {
            IoVector vector = new() { Base = bytes, Length = (nuint)buffer.Length };
            while (true)
            {
                MessageHeader message = new()
                {
                    Name = name,
                    NameLength = SocketAddress.MaxBytes,
                    Vectors = &vector,
                    VectorCount = 1,
                    Control = control,
                    ControlLength = ControlBytes,
                };
                nint got = LibC.recvmsg(Fd, &message, 0);
                if (got < 0)
                {
                    if (IsWorthAnotherTry(Errno.Last))
                    {
                        continue;
                    }
                    break;
                }
                if ((message.Flags & Truncated) != 0)
                {
                    Oversized++;
                    continue;
                }
                length = (int)got;
                from = SocketAddress.Read(new ReadOnlySpan<byte>(name, (int)message.NameLength));
                to = ReadLocal(new ReadOnlySpan<byte>(control, (int)message.ControlLength));
                return true;
            }
        }
        length = 0;
        from = default;
        to = default;
        return false;
    }

    [NoAlloc]
    public SendResult Send(ReadOnlySpan<byte> datagram, in NetEndPoint to)
    {
        byte* name = stackalloc byte[SocketAddress.MaxBytes];
        int nameLength = SocketAddress.Write(to, _isV6, new Span<byte>(name, SocketAddress.MaxBytes));
        if (nameLength == 0)
        {
            return SendResult.Unreachable;
        }
        fixed (byte* bytes = datagram)
        {
            while (LibC.sendto(Fd, bytes, (nuint)datagram.Length, NoSignal, name, (uint)nameLength) < 0)
            {
                int errno = Errno.Last;
                if (!IsWorthAnotherTry(errno))
                {
                    return Verdict(errno);
                }
            }
        }
        return SendResult.Sent;
    }

    /// <summary>Sends from one of the machine's addresses on a wildcard bind, so that an answer comes from where the question went.</summary>
    /// <param name="from">Unset lets the kernel choose.</param>
    [NoAlloc]
    public SendResult Send(ReadOnlySpan<byte> datagram, in NetEndPoint to, in NetAddress from)
    {
        if (!from.IsSet || from.IsV6 != _isV6)
        {
            return Send(datagram, to);
        }
        byte* name = stackalloc byte[SocketAddress.MaxBytes];
        byte* control = stackalloc byte[ControlBytes];
        int nameLength = SocketAddress.Write(to, _isV6, new Span<byte>(name, SocketAddress.MaxBytes));
        if (nameLength == 0)
        {
            return SendResult.Unreachable;
        }
        fixed (byte* bytes = datagram)
        {
            IoVector vector = new() { Base = bytes, Length = (nuint)datagram.Length };
            MessageHeader message = new()
            {
                Name = name,
                NameLength = (uint)nameLength,
                Vectors = &vector,
                VectorCount = 1,
                Control = control,
                ControlLength = (nuint)WriteLocal(from, new Span<byte>(control, ControlBytes)),
            };
            while (LibC.sendmsg(Fd, &message, NoSignal) < 0)
            {
                int errno = Errno.Last;
                if (!IsWorthAnotherTry(errno))
                {
                    return Verdict(errno);
                }
            }
        }
        return SendResult.Sent;
    }

    public void Dispose()
    {
        if (Fd >= 0)
        {
            LibC.close(Fd);
            Fd = -1;
        }
    }

    /// <summary>The address from which the kernel would send to a peer: what a wildcard bind advertises.</summary>
    /// <returns>False when there is no route.</returns>
    public static bool TryFindLocalAddress(in NetAddress peer, out NetAddress local)
    {
        local = default;
        int fd = LibC.socket(peer.IsV6 ? SocketAddress.FamilyV6 : SocketAddress.FamilyV4, 2 | 0x80000, 0);
        if (fd < 0)
        {
            return false;
        }
        byte* name = stackalloc byte[SocketAddress.MaxBytes];
        Span<byte> bytes = new(name, SocketAddress.MaxBytes);
        uint length = (uint)SocketAddress.Write(new NetEndPoint(peer, 9), peer.IsV6, bytes);
        uint got = SocketAddress.MaxBytes;
        // Connecting a UDP socket sends nothing; it only asks the routing table.
        bool isFound = LibC.connect(fd, name, length) == 0 && LibC.getsockname(fd, name, &got) == 0;
        LibC.close(fd);
        local = isFound ? SocketAddress.Read(bytes[..(int)got]).Address : default;
        return local.IsSet && !local.IsUnspecified;
    }

    internal static SendResult Verdict(int errno) => errno switch
    {
        Errno.WouldBlock or Errno.NoBuffers => SendResult.WouldBlock,
        Errno.NetworkUnreachable or Errno.HostUnreachable => SendResult.Unreachable,
        Errno.MessageTooLong => SendResult.TooLarge,
        _ => SendResult.Failed,
    };

    internal static bool IsWorthAnotherTry(int errno) => errno is Errno.Interrupted or Errno.ConnectionRefused;

    private static void Apply(int fd, bool isV6, bool isWildcard, in UdpOptions options)
    {
        if (options.ReceiveBytes > 0)
        {
            Set(fd, LevelSocket, 8, options.ReceiveBytes);
        }
        if (options.SendBytes > 0)
        {
            Set(fd, LevelSocket, 7, options.SendBytes);
        }
        if (isV6)
        {
            Set(fd, LevelIpV6, 26, isWildcard ? 0 : 1);
        }
        if (options.Dscp > 0)
        {
            Set(fd, isV6 ? LevelIpV6 : LevelIp, isV6 ? 67 : 1, options.Dscp << 2);
        }
        if (options.WantsLocalAddress)
        {
            Set(fd, isV6 ? LevelIpV6 : LevelIp, isV6 ? 49 : PacketInfoV4, 1);
        }
    }

    // A refused option (a buffer above the system's cap, DSCP in a container) leaves a socket that works.
    private static void Set(int fd, int level, int option, int value) => LibC.setsockopt(fd, level, option, &value, sizeof(int));

    // struct cmsghdr: 8 bytes of length, 4 of level, 4 of type; then in_pktinfo {ifindex, spec_dst, addr} or in6_pktinfo {addr, ifindex}.
    private static NetAddress ReadLocal(ReadOnlySpan<byte> control)
    {
        NetAddress address = default;
        if (control.Length >= 28)
        {
            int level = BitConverter.ToInt32(control[8..]);
            int type = BitConverter.ToInt32(control[12..]);
            if (level == LevelIp && type == PacketInfoV4)
            {
                NetAddress.TryFromBytes(control.Slice(20, 4), out address);
            }
            else if (level == LevelIpV6 && type == PacketInfoV6 && control.Length >= 36)
            {
                NetAddress.TryFromBytes(control.Slice(16, 16), out address);
            }
        }
        return address;
    }

    private static int WriteLocal(in NetAddress from, Span<byte> control)
    {
        control.Clear();
        int bytes = from.IsV6 ? 20 : 12;
        BitConverter.TryWriteBytes(control, (long)(16 + bytes));
        BitConverter.TryWriteBytes(control[8..], from.IsV6 ? LevelIpV6 : LevelIp);
        BitConverter.TryWriteBytes(control[12..], from.IsV6 ? PacketInfoV6 : PacketInfoV4);
        from.WriteBytes(from.IsV6 ? control[16..] : control[20..]);
        return 16 + ((bytes + 7) & ~7);
    }
}
