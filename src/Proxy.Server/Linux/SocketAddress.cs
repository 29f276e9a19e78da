using System;
using System.Buffers.Binary;
using Proxy.Core.Net;

namespace Proxy.Server.Linux;

/// <summary>Any thread. <see cref="NetEndPoint"/> ⇄ struct sockaddr_in and sockaddr_in6.</summary>
internal static class SocketAddress
{
    public const int MaxBytes = 28;
    public const int V4Bytes = 16;
    public const int FamilyV4 = 2;
    public const int FamilyV6 = 10;

    /// <summary>Writes the address for a socket of the given family; IPv4 is mapped for an IPv6 socket.</summary>
    /// <returns>Bytes written: 16 or 28; 0 when the family cannot carry it.</returns>
    public static int Write(in NetEndPoint endPoint, bool isV6Socket, Span<byte> to)
    {
        if (!isV6Socket)
        {
            if (endPoint.Address.IsV6)
            {
                return 0;
            }
            to[..V4Bytes].Clear();
            BitConverter.TryWriteBytes(to, (ushort)FamilyV4);
            BinaryPrimitives.WriteUInt16BigEndian(to[2..], endPoint.Port);
            BinaryPrimitives.WriteUInt32BigEndian(to[4..], endPoint.Address.V4);
            return V4Bytes;
        }
        to[..MaxBytes].Clear();
        BitConverter.TryWriteBytes(to, (ushort)FamilyV6);
        BinaryPrimitives.WriteUInt16BigEndian(to[2..], endPoint.Port);
        if (endPoint.Address.IsV6)
        {
            endPoint.Address.WriteBytes(to[8..]);
            BitConverter.TryWriteBytes(to[24..], endPoint.Address.Scope);
        }
        else
        {
            to[18] = 0xFF;
            to[19] = 0xFF;
            BinaryPrimitives.WriteUInt32BigEndian(to[20..], endPoint.Address.V4);
        }
        return MaxBytes;
    }

    /// <summary>Reads what the kernel wrote; unset for any other family.</summary>
    public static NetEndPoint Read(ReadOnlySpan<byte> from)
    {
        int family = from.Length >= V4Bytes ? BitConverter.ToUInt16(from) : 0;
        NetAddress address = default;
        if (family == FamilyV4)
        {
            NetAddress.TryFromBytes(from.Slice(4, 4), out address);
        }
        else if (family == FamilyV6 && from.Length >= MaxBytes)
        {
            NetAddress.TryFromBytes(from.Slice(8, 16), out address, BitConverter.ToUInt32(from[24..]));
        }
        return address.IsSet ? new NetEndPoint(address, BinaryPrimitives.ReadUInt16BigEndian(from[2..])) : default;
    }
}
