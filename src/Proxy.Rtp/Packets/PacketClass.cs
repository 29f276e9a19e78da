using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Rtp.Packets;

/// <summary>Any thread. What the first bytes of a datagram on a media port say it is (RFC 7983 §7, RFC 5761 §4).</summary>
public enum PacketClass
{
    /// <summary>Empty, or a first byte of no protocol that shares the port.</summary>
    Unknown,

    /// <summary>First byte 0–3.</summary>
    Stun,

    /// <summary>First byte 20–63.</summary>
    Dtls,

    /// <summary>First byte 128–191 and a second byte outside 192–223.</summary>
    Rtp,

    /// <summary>First byte 128–191 and a second byte in 192–223.</summary>
    Rtcp,
}

/// <summary>Any thread. Sorts datagrams that share one port.</summary>
public static class Demux
{
    /// <returns>The class by first byte; <see cref="PacketClass.Rtp"/> says nothing yet about the packet's validity.</returns>
    [NoAlloc]
    public static PacketClass Of(ReadOnlySpan<byte> datagram)
    {
        if (datagram.IsEmpty)
        {
            return PacketClass.Unknown;
        }
        byte first = datagram[0];
        if (first is >= 128 and <= 191)
        {
            return datagram.Length > 1 && datagram[1] is >= 192 and <= 223 ? PacketClass.Rtcp : PacketClass.Rtp;
        }
        return first switch
        {
            <= 3 => PacketClass.Stun,
            >= 20 and <= 63 => PacketClass.Dtls,
            _ => PacketClass.Unknown,
        };
    }
}
