using System;
using System.Buffers.Binary;
using Proxy.Core.Diagnostics;
using Proxy.Core.Net;

namespace Proxy.WebRtc.Stun;

/// <summary>Any thread. A STUN message borrowed from a datagram; bounds are checked once, nothing is verified yet.</summary>
/// <remarks>RFC 8489 §5, §14. Attributes behind MESSAGE-INTEGRITY other than FINGERPRINT are ignored (§14.5).</remarks>
public readonly ref struct StunView
{
    public const int HeaderLength = 20;
    public const int TransactionIdLength = 12;
    internal const uint Cookie = 0x2112A442;

    private readonly ReadOnlySpan<byte> _message;
    private readonly Offsets _at;

    private StunView(ReadOnlySpan<byte> message, Offsets at)
    {
        _message = message;
        _at = at;
    }

    public StunMessageType Type => (StunMessageType)BinaryPrimitives.ReadUInt16BigEndian(_message);

    public ReadOnlySpan<byte> TransactionId => _message.Slice(8, TransactionIdLength);

    /// <summary>Empty when absent.</summary>
    public ReadOnlySpan<byte> Username => _at.Username == 0 ? default : Value(_at.Username);

    /// <summary>0 when absent.</summary>
    public uint Priority => _at.Priority == 0 ? 0 : BinaryPrimitives.ReadUInt32BigEndian(Value(_at.Priority));

    public bool HasUseCandidate => _at.UseCandidate != 0;

    public bool IsFromControlling => _at.Controlling != 0;

    public bool IsFromControlled => _at.Controlled != 0;

    /// <summary>The role attribute's tie-breaker; 0 when absent.</summary>
    public ulong TieBreaker => _at.Controlling != 0 ? BinaryPrimitives.ReadUInt64BigEndian(Value(_at.Controlling))
        : _at.Controlled != 0 ? BinaryPrimitives.ReadUInt64BigEndian(Value(_at.Controlled)) : 0;

    /// <summary>300–699; 0 when absent.</summary>
    public int ErrorCode
    {
        get
        {
            if (_at.ErrorCode == 0)
            {
                return 0;
            }
            ReadOnlySpan<byte> value = Value(_at.ErrorCode);
            return ((value[2] & 7) * 100) + value[3];
        }
    }

    public bool HasIntegrity => _at.Integrity != 0;

    public bool HasFingerprint => _at.Fingerprint != 0;

    /// <summary>The first attribute that must be understood and is not; 0 when there is none.</summary>
    public int UnknownRequired => _at.Unknown;

    /// <summary>Reads one message that fills the datagram.</summary>
    [NoAlloc]
    public static bool TryParse(ReadOnlySpan<byte> datagram, out StunView view, out StunParseError error)
    {
        view = default;
        error = StunParseError.NotStun;
        if (datagram.Length < HeaderLength || datagram[0] > 3 || BinaryPrimitives.ReadUInt32BigEndian(datagram[4..]) != Cookie)
        {
            return false;
        }
        int length = BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]);
        if ((length & 3) != 0 || length != datagram.Length - HeaderLength)
        {
            error = StunParseError.BadLength;
            return false;
        }
        Offsets at = default;
        if (!TryWalk(datagram, ref at))
        {
            error = StunParseError.BadAttribute;
            return false;
        }
        error = StunParseError.None;
        view = new StunView(datagram, at);
        return true;
    }

    /// <summary>The reflexive address of a response (RFC 8489 §14.2).</summary>
    [NoAlloc]
    public bool TryGetMappedAddress(out NetEndPoint mapped)
    {
        mapped = default;
        if (_at.XorMapped == 0)
        {
            return false;
        }
        ReadOnlySpan<byte> value = Value(_at.XorMapped);
        Span<byte> address = stackalloc byte[16];
        int length = value[1] == 1 ? 4 : 16;
        if (value.Length != 4 + length || value[1] is not (1 or 2))
        {
            return false;
        }
        for (int i = 0; i < length; i++)
        {
            address[i] = (byte)(value[4 + i] ^ _message[4 + i]);
        }
        ushort port = (ushort)(BinaryPrimitives.ReadUInt16BigEndian(value[2..]) ^ (Cookie >> 16));
        if (!NetAddress.TryFromBytes(address[..length], out NetAddress parsed))
        {
            return false;
        }
        mapped = new NetEndPoint(parsed, port);
        return true;
    }

    /// <summary>Compares MESSAGE-INTEGRITY in constant time (RFC 8489 §14.5).</summary>
    /// <returns>False when absent or wrong.</returns>
    [NoAlloc]
    public bool VerifyIntegrity(StunIntegrity key) =>
        _at.Integrity != 0 && key.Verify(_message, _at.Integrity);

    /// <summary>Compares FINGERPRINT (RFC 8489 §14.7).</summary>
    /// <returns>False when absent, not last, or wrong.</returns>
    [NoAlloc]
    public bool VerifyFingerprint() =>
        _at.Fingerprint != 0 && _at.Fingerprint + 8 == _message.Length
        && (Crc32.Compute(_message[.._at.Fingerprint]) ^ StunWriter.FingerprintXor) == BinaryPrimitives.ReadUInt32BigEndian(_message[(_at.Fingerprint + 4)..]);

    private static bool TryWalk(ReadOnlySpan<byte> message, ref Offsets at)
    {
        int offset = HeaderLength;
        while (offset < message.Length)
        {
            if (message.Length - offset < 4)
            {
                return false;
            }
            int type = BinaryPrimitives.ReadUInt16BigEndian(message[offset..]);
            int length = BinaryPrimitives.ReadUInt16BigEndian(message[(offset + 2)..]);
            int padded = (length + 3) & ~3;
            if (padded > message.Length - offset - 4 || !Note(type, length, offset, ref at))
            {
                return false;
            }
            offset += 4 + padded;
        }
        return true;
    }

    /// <returns>False when an attribute that we read has a size it cannot have.</returns>
    private static bool Note(int type, int length, int offset, ref Offsets at)
    {
        if (at.Integrity != 0 && type != StunAttribute.Fingerprint)
        {
            return true;
        }
        switch (type)
        {
            case StunAttribute.Username:
                return First(ref at.Username, offset) && length <= 513;
            case StunAttribute.MessageIntegrity:
                return First(ref at.Integrity, offset) && length == StunIntegrity.Length;
            case StunAttribute.ErrorCode:
                return First(ref at.ErrorCode, offset) && length >= 4;
            case StunAttribute.XorMappedAddress:
                return First(ref at.XorMapped, offset) && length is 8 or 20;
            case StunAttribute.Priority:
                return First(ref at.Priority, offset) && length == 4;
            case StunAttribute.UseCandidate:
                return First(ref at.UseCandidate, offset) && length == 0;
            case StunAttribute.IceControlling:
                return First(ref at.Controlling, offset) && length == 8;
            case StunAttribute.IceControlled:
                return First(ref at.Controlled, offset) && length == 8;
            case StunAttribute.Fingerprint:
                return First(ref at.Fingerprint, offset) && length == 4;
            default:
                if (type < StunAttribute.FirstOptional && type != StunAttribute.UnknownAttributes && at.Unknown == 0)
                {
                    at.Unknown = type;
                }
                return true;
        }
    }

    /// <summary>Only the first of several equal attributes counts (RFC 8489 §14).</summary>
    private static bool First(ref int at, int offset)
    {
        at = at == 0 ? offset : at;
        return true;
    }

    private ReadOnlySpan<byte> Value(int offset) =>
        _message.Slice(offset + 4, BinaryPrimitives.ReadUInt16BigEndian(_message[(offset + 2)..]));

    /// <summary>Where each attribute begins; 0 when absent, because the header lies there.</summary>
    private struct Offsets
    {
        public int Username;
        public int Integrity;
        public int ErrorCode;
        public int XorMapped;
        public int Priority;
        public int UseCandidate;
        public int Controlling;
        public int Controlled;
        public int Fingerprint;
        public int Unknown;
    }
}
