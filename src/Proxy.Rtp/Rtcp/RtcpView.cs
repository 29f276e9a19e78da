using System;
using System.Buffers.Binary;
using Proxy.Core.Diagnostics;

namespace Proxy.Rtp.Rtcp;

/// <summary>Why a datagram is no compound RTCP packet.</summary>
public enum RtcpError
{
    None,
    TooShort,

    /// <summary>A version other than 2 somewhere in the compound.</summary>
    BadVersion,

    /// <summary>A packet's length leads beyond the datagram, or its body is shorter than its count promises.</summary>
    BadLength,

    /// <summary>The first type is no RTCP type.</summary>
    BadType,

    /// <summary>More than <see cref="RtcpView.MaxPackets"/> packets in one datagram.</summary>
    TooMany,
}

/// <summary>Packet types of RFC 3550 §12.1, RFC 4585 and RFC 3611; any other value may occur and is skipped.</summary>
public enum RtcpType : byte
{
    SenderReport = 200,
    ReceiverReport = 201,
    SourceDescription = 202,
    Bye = 203,
    Application = 204,
    TransportFeedback = 205,
    PayloadFeedback = 206,
    ExtendedReport = 207,
}

/// <summary>One owner. A borrowed view of a compound RTCP datagram, checked once as a whole; iterate with <see cref="TryNext"/>.</summary>
/// <remarks>RFC 3550 §6.1, appendix A.2; a reduced-size packet (RFC 5506) is accepted.</remarks>
public ref struct RtcpView
{
    /// <summary>Packets of one datagram; a full frame could hold 375 empty ones.</summary>
    public const int MaxPackets = 32;

    private ReadOnlySpan<byte> _rest;

    private RtcpView(ReadOnlySpan<byte> datagram) => _rest = datagram;

    /// <returns>False with the reason in <paramref name="error"/>; nothing of the datagram may then be used.</returns>
    [NoAlloc]
    public static bool TryParse(ReadOnlySpan<byte> datagram, out RtcpView view, out RtcpError error)
    {
        view = default;
        error = Check(datagram);
        if (error != RtcpError.None)
        {
            return false;
        }
        view = new RtcpView(datagram);
        return true;
    }

    /// <summary>Steps to the next packet.</summary>
    /// <returns>False at the end.</returns>
    [NoAlloc]
    public bool TryNext(out RtcpPacket packet)
    {
        if (_rest.IsEmpty)
        {
            packet = default;
            return false;
        }
        int length = (BinaryPrimitives.ReadUInt16BigEndian(_rest[2..]) + 1) * 4;
        packet = new RtcpPacket(_rest[..length]);
        _rest = _rest[length..];
        return true;
    }

    private static RtcpError Check(ReadOnlySpan<byte> rest)
    {
        if (rest.Length < 4)
        {
            return RtcpError.TooShort;
        }
        if (rest[1] is < 192 or > 223)
        {
            return RtcpError.BadType;
        }
        for (int packets = 0; !rest.IsEmpty; packets++)
        {
            if (packets == MaxPackets)
            {
                return RtcpError.TooMany;
            }
            if (rest.Length < 4)
            {
                return RtcpError.BadLength;
            }
            if (rest[0] >> 6 != 2)
            {
                return RtcpError.BadVersion;
            }
            int length = (BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) + 1) * 4;
            if (length > rest.Length || length < RtcpPacket.LeastBytes(rest))
            {
                return RtcpError.BadLength;
            }
            rest = rest[length..];
        }
        return RtcpError.None;
    }
}
