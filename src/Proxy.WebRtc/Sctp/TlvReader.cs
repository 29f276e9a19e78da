using System;
using System.Buffers.Binary;

namespace Proxy.WebRtc.Sctp;

/// <summary>Any thread. Walks chunks or parameters: both are a number, a length that counts its own header, a value, and padding.</summary>
/// <remarks>RFC 9260 §3.2, §3.2.1. Every step moves on by four bytes at least, or ends.</remarks>
internal ref struct TlvReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>A length left the packet or was below four.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Next element with its header, without padding.</summary>
    public bool TryNext(out ReadOnlySpan<byte> element)
    {
        element = default;
        if (_rest.Length < SctpWire.ChunkHeaderBytes)
        {
            IsBroken |= !_rest.IsEmpty;
            return false;
        }
        int length = BinaryPrimitives.ReadUInt16BigEndian(_rest[2..]);
        if (length < SctpWire.ChunkHeaderBytes || length > _rest.Length)
        {
            IsBroken = true;
            return false;
        }
        element = _rest[..length];
        _rest = _rest[Math.Min(SctpWire.Padded(length), _rest.Length)..];
        return true;
    }
}
