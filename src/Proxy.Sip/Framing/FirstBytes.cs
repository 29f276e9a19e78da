using System;
using System.Buffers.Binary;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Framing;

/// <summary>Any thread. What a datagram on the SIP port is, by its first bytes.</summary>
public enum DatagramKind : byte
{
    /// <summary>Begins like a SIP message.</summary>
    Sip,

    /// <summary>Empty, CRLFs or NULs: a keep-alive without an answer.</summary>
    KeepAlive,

    /// <summary>A STUN binding request with the magic cookie; the runtime answers it.</summary>
    Stun,

    /// <summary>Anything else.</summary>
    Garbage,
}

/// <summary>Any thread. Tells SIP from what else comes to port 5060.</summary>
/// <remarks>RFC 5626 §4.4.2 (STUN on the SIP port), RFC 5389 §6.</remarks>
public static class FirstBytes
{
    private const uint StunCookie = 0x2112A442;

    [NoAlloc]
    public static DatagramKind Classify(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length >= 20 && datagram[0] < 2 && BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]) == StunCookie)
        {
            return DatagramKind.Stun;
        }
        int first = datagram.IndexOfAnyExcept("\r\n\0 \t"u8);
        if (first < 0)
        {
            return datagram.Length <= 64 ? DatagramKind.KeepAlive : DatagramKind.Garbage;
        }
        byte c = datagram[first];
        // Methods begin with a token character; 0x80 and above would be RTP, 0x14–0x3F DTLS or TLS.
        return c is > 0x20 and < 0x7F && datagram.Length - first >= 20 ? DatagramKind.Sip : DatagramKind.Garbage;
    }
}
