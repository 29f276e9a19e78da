using System;
using System.Buffers.Binary;
using Proxy.Core.Diagnostics;

namespace Proxy.Rtp.Rtcp;

/// <summary>Any thread. Writes compound RTCP packets: a report, then the CNAME, then BYE where asked.</summary>
/// <remarks>RFC 3550 §6.1, §6.4, §6.5, §6.6.</remarks>
public static class RtcpWriter
{
    /// <summary>SR or RR + SDES(CNAME).</summary>
    /// <param name="ssrc">Ours.</param>
    /// <param name="info">What we sent, or null for a receiver report.</param>
    /// <param name="reports">At most 31.</param>
    /// <param name="cname">ASCII, 1–255 bytes.</param>
    /// <returns>Bytes written, or 0 when it does not fit.</returns>
    [NoAlloc]
    public static int WriteReport(
        Span<byte> destination, uint ssrc, in SenderInfo? info, ReadOnlySpan<ReportBlock> reports, ReadOnlySpan<byte> cname)
    {
        int head = info is null ? 8 : 28;
        int length = head + (reports.Length * 24);
        if (reports.Length > 31 || destination.Length < length)
        {
            return 0;
        }
        WriteHeader(destination, info is null ? RtcpType.ReceiverReport : RtcpType.SenderReport, reports.Length, length);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], ssrc);
        if (info is { } sender)
        {
            BinaryPrimitives.WriteUInt64BigEndian(destination[8..], sender.Ntp);
            BinaryPrimitives.WriteUInt32BigEndian(destination[16..], sender.RtpTimestamp);
            BinaryPrimitives.WriteUInt32BigEndian(destination[20..], sender.Packets);
            BinaryPrimitives.WriteUInt32BigEndian(destination[24..], sender.Octets);
        }
        for (int i = 0; i < reports.Length; i++)
        {
            WriteBlock(destination[(head + (i * 24))..], reports[i]);
        }
        int description = WriteCname(destination[length..], ssrc, cname);
        return description == 0 ? 0 : length + description;
    }

    /// <summary>BYE of one source, to be put behind a report.</summary>
    /// <returns>Bytes written, or 0 when it does not fit.</returns>
    [NoAlloc]
    public static int WriteBye(Span<byte> destination, uint ssrc)
    {
        if (destination.Length < 8)
        {
            return 0;
        }
        WriteHeader(destination, RtcpType.Bye, 1, 8);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], ssrc);
        return 8;
    }

    private static int WriteCname(Span<byte> destination, uint ssrc, ReadOnlySpan<byte> cname)
    {
        // SSRC, item type, length, text, then at least one zero up to a 32-bit boundary.
        int length = (4 + 4 + 2 + cname.Length + 1 + 3) & ~3;
        if (cname.Length is 0 or > 255 || destination.Length < length)
        {
            return 0;
        }
        WriteHeader(destination, RtcpType.SourceDescription, 1, length);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], ssrc);
        destination[8] = 1;
        destination[9] = (byte)cname.Length;
        cname.CopyTo(destination[10..]);
        destination[(10 + cname.Length)..length].Clear();
        return length;
    }

    private static void WriteHeader(Span<byte> destination, RtcpType type, int count, int length)
    {
        destination[0] = (byte)(0x80 | count);
        destination[1] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)((length / 4) - 1));
    }

    private static void WriteBlock(Span<byte> destination, in ReportBlock block)
    {
        int lost = Math.Clamp(block.CumulativeLost, -0x80_0000, 0x7F_FFFF) & 0xFF_FFFF;
        BinaryPrimitives.WriteUInt32BigEndian(destination, block.Ssrc);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], ((uint)block.FractionLost << 24) | (uint)lost);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], block.HighestSequence);
        BinaryPrimitives.WriteUInt32BigEndian(destination[12..], block.Jitter);
        BinaryPrimitives.WriteUInt32BigEndian(destination[16..], block.LastSenderReport);
        BinaryPrimitives.WriteUInt32BigEndian(destination[20..], block.DelaySinceLast);
    }
}
