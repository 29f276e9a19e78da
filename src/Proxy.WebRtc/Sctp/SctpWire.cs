using System;
using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Proxy.WebRtc.Sctp;

/// <summary>Any thread. Numbers of RFC 9260 §3.2, RFC 3758 §3.2 and RFC 6525 §3.1, and the checksum.</summary>
internal static class SctpWire
{
    public const int HeaderBytes = 12;
    public const int ChunkHeaderBytes = 4;
    public const int DataHeaderBytes = 16;
    public const ushort Port = 5_000;

    public const byte Data = 0;
    public const byte Init = 1;
    public const byte InitAck = 2;
    public const byte Sack = 3;
    public const byte Heartbeat = 4;
    public const byte HeartbeatAck = 5;
    public const byte Abort = 6;
    public const byte Shutdown = 7;
    public const byte ShutdownAck = 8;
    public const byte Error = 9;
    public const byte CookieEcho = 10;
    public const byte CookieAck = 11;
    public const byte Ecne = 12;
    public const byte Cwr = 13;
    public const byte ShutdownComplete = 14;
    public const byte ReConfig = 130;
    public const byte Pad = 132;
    public const byte ForwardTsn = 192;

    public const byte EndFlag = 1;
    public const byte BeginFlag = 2;
    public const byte UnorderedFlag = 4;
    public const byte ImmediateFlag = 8;

    public const ushort ParamStateCookie = 7;
    public const ushort ParamUnrecognized = 8;
    public const ushort ParamOutgoingReset = 13;
    public const ushort ParamResetResponse = 16;
    public const ushort ParamExtensions = 0x8008;
    public const ushort ParamForwardTsn = 0xC000;

    public const ushort CauseUnrecognizedChunk = 6;
    public const ushort CauseNoUserData = 9;
    public const ushort CauseUserAbort = 12;

    public static int Padded(int length) => (length + 3) & ~3;

    /// <summary>Serial number arithmetic (RFC 1982): whether a comes after b.</summary>
    public static bool IsAfter(uint a, uint b) => (int)(a - b) > 0;

    public static bool IsAfter(ushort a, ushort b) => (short)(a - b) > 0;

    /// <summary>CRC-32C of a packet with its checksum field taken as zero (RFC 9260 §6.8); the field holds it in little-endian order.</summary>
    public static uint Checksum(ReadOnlySpan<byte> packet)
    {
        uint crc = Crc(uint.MaxValue, packet[..8]);
        crc = BitOperations.Crc32C(crc, 0u);
        return ~Crc(crc, packet[HeaderBytes..]);
    }

    public static void WriteHeader(Span<byte> packet, uint tag)
    {
        BinaryPrimitives.WriteUInt16BigEndian(packet, Port);
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], Port);
        BinaryPrimitives.WriteUInt32BigEndian(packet[4..], tag);
    }

    public static void Seal(Span<byte> packet) =>
        BinaryPrimitives.WriteUInt32LittleEndian(packet[8..], Checksum(packet));

    /// <summary>Writes a chunk or parameter header.</summary>
    public static void WriteChunkHeader(Span<byte> chunk, byte type, byte flags, int length)
    {
        chunk[0] = type;
        chunk[1] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(chunk[2..], (ushort)length);
    }

    private static uint Crc(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            crc = BitOperations.Crc32C(crc, word);
        }
        foreach (byte b in bytes[(bytes.Length & ~7)..])
        {
            crc = BitOperations.Crc32C(crc, b);
        }
        return crc;
    }
}
