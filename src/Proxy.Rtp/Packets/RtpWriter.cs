using System;
using System.Buffers.Binary;
using Proxy.Core.Diagnostics;

namespace Proxy.Rtp.Packets;

/// <summary>Any thread. Writes RTP packets, with the client-to-mixer audio level when the room negotiated it.</summary>
/// <remarks>RFC 3550 §5.1; RFC 6464 in the one-byte form of RFC 8285 §4.2.</remarks>
public static class RtpWriter
{
    /// <summary>The most bytes a header written here takes.</summary>
    public const int MaxHeaderBytes = 20;

    /// <summary>Level from which on the extension's voice bit is set, −dBov; A-law silence is at 72.</summary>
    private const int QuietestVoice = 60;

    /// <summary>Bytes of the header that <see cref="WriteHeader"/> writes.</summary>
    /// <param name="audioLevelId">1–14, or 0 for no extension.</param>
    [NoAlloc]
    public static int HeaderBytes(int audioLevelId) => audioLevelId == 0 ? RtpView.FixedHeaderBytes : MaxHeaderBytes;

    /// <summary>Writes header and payload.</summary>
    /// <param name="audioLevelId">The extension's id, 1–14, or 0 for none.</param>
    /// <param name="audioLevel">0 (loudest) to 127 (silence), −dBov.</param>
    /// <returns>Bytes written, or 0 when it does not fit.</returns>
    [NoAlloc]
    public static int Write(
        Span<byte> destination, in RtpHeader header, ReadOnlySpan<byte> payload, int audioLevelId = 0, int audioLevel = 127)
    {
        int headerBytes = HeaderBytes(audioLevelId);
        if (destination.Length < headerBytes + payload.Length)
        {
            return 0;
        }
        payload.CopyTo(destination[headerBytes..]);
        WriteHeader(destination, header, audioLevelId, audioLevel);
        return headerBytes + payload.Length;
    }

    /// <summary>Writes a header in front of a payload that already lies at <see cref="HeaderBytes"/> of <paramref name="destination"/>.</summary>
    /// <returns>Bytes of the header, or 0 when it does not fit.</returns>
    [NoAlloc]
    public static int WriteHeader(Span<byte> destination, in RtpHeader header, int audioLevelId = 0, int audioLevel = 127)
    {
        int headerBytes = HeaderBytes(audioLevelId);
        if (destination.Length < headerBytes)
        {
            return 0;
        }
        destination[0] = (byte)(audioLevelId == 0 ? 0x80 : 0x90);
        WriteFields(destination, header);
        if (audioLevelId != 0)
        {
            // 0xBEDE, one 32-bit word: id and length − 1, the level with the voice bit, two bytes of padding.
            int level = Math.Clamp(audioLevel, 0, 127);
            int voice = level <= QuietestVoice ? 0x80 : 0;
            BinaryPrimitives.WriteUInt32BigEndian(destination[12..], 0xBEDE0001);
            BinaryPrimitives.WriteUInt32BigEndian(destination[16..], (uint)((audioLevelId << 28) | ((voice | level) << 16)));
        }
        return headerBytes;
    }

    /// <summary>Rewrites the chosen fields of a packet in place; padding, CSRC list and extension stay.</summary>
    /// <param name="packet">A packet that <see cref="RtpView.TryParse"/> accepted.</param>
    /// <returns>False when the packet is shorter than a fixed header.</returns>
    [NoAlloc]
    public static bool Patch(Span<byte> packet, in RtpHeader header)
    {
        if (packet.Length < RtpView.FixedHeaderBytes)
        {
            return false;
        }
        WriteFields(packet, header);
        return true;
    }

    private static void WriteFields(Span<byte> destination, in RtpHeader header)
    {
        destination[1] = (byte)((header.PayloadType & 0x7F) | (header.Marker ? 0x80 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], header.SequenceNumber);
        BinaryPrimitives.WriteUInt32BigEndian(destination[4..], header.Timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(destination[8..], header.Ssrc);
    }
}
