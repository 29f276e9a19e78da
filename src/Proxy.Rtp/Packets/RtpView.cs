using System;
using System.Buffers.Binary;
using Proxy.Core.Diagnostics;

namespace Proxy.Rtp.Packets;

/// <summary>Why a datagram is no RTP packet.</summary>
public enum RtpError
{
    None,

    /// <summary>Fewer than 12 bytes.</summary>
    TooShort,

    /// <summary>Version is not 2.</summary>
    BadVersion,

    /// <summary>The CSRC list ends beyond the datagram.</summary>
    BadCsrc,

    /// <summary>The header extension ends beyond the datagram.</summary>
    BadExtension,

    /// <summary>The padding count is 0 or larger than what lies behind the header.</summary>
    BadPadding,
}

/// <summary>One owner. A borrowed view of one RTP packet; bounds are checked once, the properties only slice.</summary>
/// <remarks>RFC 3550 §5.1; header extensions RFC 8285.</remarks>
public readonly ref struct RtpView
{
    /// <summary>Bytes of the fixed header.</summary>
    public const int FixedHeaderBytes = 12;

    private readonly ReadOnlySpan<byte> _packet;
    private readonly int _extensionStart;
    private readonly int _payloadStart;
    private readonly int _payloadEnd;

    private RtpView(ReadOnlySpan<byte> packet, int extensionStart, int payloadStart, int payloadEnd)
    {
        _packet = packet;
        _extensionStart = extensionStart;
        _payloadStart = payloadStart;
        _payloadEnd = payloadEnd;
    }

    public byte PayloadType => (byte)(_packet[1] & 0x7F);

    public bool Marker => (_packet[1] & 0x80) != 0;

    public ushort SequenceNumber => BinaryPrimitives.ReadUInt16BigEndian(_packet[2..]);

    public uint Timestamp => BinaryPrimitives.ReadUInt32BigEndian(_packet[4..]);

    public uint Ssrc => BinaryPrimitives.ReadUInt32BigEndian(_packet[8..]);

    public RtpHeader Header => new(PayloadType, Marker, SequenceNumber, Timestamp, Ssrc);

    /// <summary>Bytes in front of the payload: fixed header, CSRC list, extension.</summary>
    public int HeaderLength => _payloadStart;

    /// <summary>Without padding; may be empty.</summary>
    public ReadOnlySpan<byte> Payload => _packet[_payloadStart.._payloadEnd];

    public bool HasExtension => (_packet[0] & 0x10) != 0;

    /// <summary>Checks a datagram.</summary>
    /// <param name="packet">Borrowed as long as the view lives.</param>
    /// <returns>False with the reason in <paramref name="error"/>; the view is then empty.</returns>
    [NoAlloc]
    public static bool TryParse(ReadOnlySpan<byte> packet, out RtpView view, out RtpError error)
    {
        view = default;
        error = Check(packet, out int extensionStart, out int payloadStart, out int payloadEnd);
        if (error != RtpError.None)
        {
            return false;
        }
        view = new RtpView(packet, extensionStart, payloadStart, payloadEnd);
        return true;
    }

    /// <summary>Finds a header extension element, one-byte or two-byte form.</summary>
    /// <param name="id">1–14 (one-byte form) or 1–255 (two-byte form), as negotiated by <c>a=extmap</c>.</param>
    /// <returns>False when the packet does not carry it.</returns>
    /// <remarks>RFC 8285 §4.2, §4.3. A malformed element ends the search.</remarks>
    [NoAlloc]
    public bool TryGetExtension(int id, out ReadOnlySpan<byte> element)
    {
        element = default;
        if (!HasExtension)
        {
            return false;
        }
        ushort profile = BinaryPrimitives.ReadUInt16BigEndian(_packet[_extensionStart..]);
        ReadOnlySpan<byte> elements = _packet[(_extensionStart + 4).._payloadStart];
        bool isOneByte = profile == 0xBEDE;
        if (!isOneByte && (profile & 0xFFF0) != 0x1000)
        {
            return false;
        }
        int at = 0;
        while (at < elements.Length)
        {
            int head = elements[at];
            if (head == 0)
            {
                at++;
                continue;
            }
            int length;
            if (isOneByte)
            {
                if (head >> 4 == 15)
                {
                    return false;
                }
                length = (head & 0x0F) + 1;
                head >>= 4;
                at++;
            }
            else
            {
                if (at + 1 >= elements.Length)
                {
                    return false;
                }
                length = elements[at + 1];
                at += 2;
            }
            if (length > elements.Length - at)
            {
                return false;
            }
            if (head == id)
            {
                element = elements.Slice(at, length);
                return true;
            }
            at += length;
        }
        return false;
    }

    /// <summary>Where the payload of a packet begins whose payload, padding included, may still be encrypted.</summary>
    internal static bool TryGetHeaderLength(ReadOnlySpan<byte> packet, out int headerLength) =>
        CheckHeader(packet, out _, out headerLength) == RtpError.None;

    private static RtpError Check(ReadOnlySpan<byte> packet, out int extensionStart, out int payloadStart, out int payloadEnd)
    {
        payloadEnd = packet.Length;
        RtpError error = CheckHeader(packet, out extensionStart, out payloadStart);
        if (error == RtpError.None && (packet[0] & 0x20) != 0)
        {
            int padding = packet[^1];
            if (padding == 0 || padding > packet.Length - payloadStart)
            {
                return RtpError.BadPadding;
            }
            payloadEnd -= padding;
        }
        return error;
    }

    private static RtpError CheckHeader(ReadOnlySpan<byte> packet, out int extensionStart, out int payloadStart)
    {
        extensionStart = 0;
        payloadStart = 0;
        if (packet.Length < FixedHeaderBytes)
        {
            return RtpError.TooShort;
        }
        int first = packet[0];
        if (first >> 6 != 2)
        {
            return RtpError.BadVersion;
        }
        extensionStart = FixedHeaderBytes + ((first & 0x0F) * 4);
        payloadStart = extensionStart;
        if (payloadStart > packet.Length)
        {
            return RtpError.BadCsrc;
        }
        if ((first & 0x10) != 0)
        {
            if (packet.Length - payloadStart < 4)
            {
                return RtpError.BadExtension;
            }
            payloadStart += 4 + (BinaryPrimitives.ReadUInt16BigEndian(packet[(payloadStart + 2)..]) * 4);
            if (payloadStart > packet.Length)
            {
                return RtpError.BadExtension;
            }
        }
        return RtpError.None;
    }
}
