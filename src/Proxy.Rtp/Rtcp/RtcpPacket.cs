using System;
using System.Buffers.Binary;
using Proxy.Core.Diagnostics;

namespace Proxy.Rtp.Rtcp;

/// <summary>Any thread. What a sender says about its clock and what it sent (RFC 3550 §6.4.1).</summary>
/// <param name="Ntp">64-bit NTP time of the report.</param>
/// <param name="RtpTimestamp">The same moment in the stream's RTP units.</param>
/// <param name="Packets">Since the start; wraps.</param>
/// <param name="Octets">Payload bytes since the start; wraps.</param>
public readonly record struct SenderInfo(ulong Ntp, uint RtpTimestamp, uint Packets, uint Octets);

/// <summary>Any thread. What a receiver says about one stream (RFC 3550 §6.4.1).</summary>
/// <param name="Ssrc">The stream reported on.</param>
/// <param name="FractionLost">Loss since the last report, 0–255 in 1/256.</param>
/// <param name="CumulativeLost">−2²³ to 2²³−1; negative when duplicates prevail.</param>
/// <param name="HighestSequence">Cycles in the upper 16 bits, sequence number below.</param>
/// <param name="Jitter">RTP units.</param>
/// <param name="LastSenderReport">Middle 32 bits of the last sender report's NTP time; 0 when none.</param>
/// <param name="DelaySinceLast">Time since that report, in 1/65,536 s.</param>
public readonly record struct ReportBlock(
    uint Ssrc, byte FractionLost, int CumulativeLost, uint HighestSequence, uint Jitter, uint LastSenderReport, uint DelaySinceLast);

/// <summary>One owner. A borrowed view of one packet inside a compound.</summary>
public readonly ref struct RtcpPacket
{
    private const int ReportBytes = 24;
    private readonly ReadOnlySpan<byte> _packet;

    internal RtcpPacket(ReadOnlySpan<byte> packet) => _packet = packet;

    public RtcpType Type => (RtcpType)_packet[1];

    /// <summary>The five bits of the header: report blocks, SDES chunks, BYE sources or a feedback format.</summary>
    public int Count => _packet[0] & 0x1F;

    /// <summary>The SSRC behind the header, or 0 in a packet that has none.</summary>
    public uint SenderSsrc => _packet.Length < 8 ? 0 : BinaryPrimitives.ReadUInt32BigEndian(_packet[4..]);

    /// <summary>Everything behind the four-byte header.</summary>
    public ReadOnlySpan<byte> Body => _packet[4..];

    /// <summary>Report blocks of a sender or receiver report; 0 for any other type.</summary>
    public int ReportCount => Type is RtcpType.SenderReport or RtcpType.ReceiverReport ? Count : 0;

    /// <summary>Sources of a BYE; 0 for any other type.</summary>
    public int ByeCount => Type == RtcpType.Bye ? Count : 0;

    /// <returns>False unless this is a sender report.</returns>
    [NoAlloc]
    public bool TryGetSenderInfo(out SenderInfo info)
    {
        if (Type != RtcpType.SenderReport)
        {
            info = default;
            return false;
        }
        info = new SenderInfo(
            BinaryPrimitives.ReadUInt64BigEndian(_packet[8..]),
            BinaryPrimitives.ReadUInt32BigEndian(_packet[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(_packet[20..]),
            BinaryPrimitives.ReadUInt32BigEndian(_packet[24..]));
        return true;
    }

    /// <param name="index">0 to <see cref="ReportCount"/> − 1.</param>
    [NoAlloc]
    public ReportBlock Report(int index)
    {
        int start = (Type == RtcpType.SenderReport ? 28 : 8) + (index * ReportBytes);
        ReadOnlySpan<byte> block = _packet.Slice(start, ReportBytes);
        int lost = BinaryPrimitives.ReadInt32BigEndian(block[4..]) << 8 >> 8;
        return new ReportBlock(
            BinaryPrimitives.ReadUInt32BigEndian(block),
            block[4],
            lost,
            BinaryPrimitives.ReadUInt32BigEndian(block[8..]),
            BinaryPrimitives.ReadUInt32BigEndian(block[12..]),
            BinaryPrimitives.ReadUInt32BigEndian(block[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(block[20..]));
    }

    /// <summary>A source that left.</summary>
    /// <param name="index">0 to <see cref="ByeCount"/> − 1.</param>
    [NoAlloc]
    public uint ByeSsrc(int index) => BinaryPrimitives.ReadUInt32BigEndian(_packet[(4 + (index * 4))..]);

    /// <summary>The least bytes a packet of this type and count needs; what the accessors rely on.</summary>
    internal static int LeastBytes(ReadOnlySpan<byte> header)
    {
        int count = header[0] & 0x1F;
        return (RtcpType)header[1] switch
        {
            RtcpType.SenderReport => 28 + (count * ReportBytes),
            RtcpType.ReceiverReport => 8 + (count * ReportBytes),
            RtcpType.Bye => 4 + (count * 4),
            RtcpType.SourceDescription => 4,
            _ => 4,
        };
    }
}
