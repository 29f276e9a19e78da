using System;
using System.Buffers.Binary;
using Proxy.Core.Diagnostics;
using Proxy.Core.Net;

namespace Proxy.WebRtc.Stun;

/// <summary>One owner. Writes one STUN message into a buffer: begin, attributes, finish.</summary>
/// <remarks>RFC 8489 §5. What does not fit makes <see cref="Finish"/> return 0.</remarks>
public ref struct StunWriter
{
    internal const uint FingerprintXor = 0x5354554E;

    private readonly Span<byte> _buffer;
    private int _length;
    private bool _overflows;

    /// <param name="buffer">Where the message goes.</param>
    /// <param name="type">Class and method.</param>
    /// <param name="transactionId">12 bytes; of a response, the request's.</param>
    [NoAlloc]
    public StunWriter(Span<byte> buffer, StunMessageType type, ReadOnlySpan<byte> transactionId)
    {
        _buffer = buffer;
        if (buffer.Length < StunView.HeaderLength)
        {
            _overflows = true;
            return;
        }
        BinaryPrimitives.WriteUInt16BigEndian(buffer, (ushort)type);
        BinaryPrimitives.WriteUInt32BigEndian(buffer[4..], StunView.Cookie);
        transactionId[..StunView.TransactionIdLength].CopyTo(buffer[8..]);
        _length = StunView.HeaderLength;
    }

    /// <summary>USERNAME of a check: the receiver's fragment, a colon, the sender's (RFC 8445 §7.1.2).</summary>
    [NoAlloc]
    public void Username(ReadOnlySpan<byte> receiverUfrag, ReadOnlySpan<byte> senderUfrag)
    {
        Span<byte> value = Attribute(StunAttribute.Username, receiverUfrag.Length + 1 + senderUfrag.Length);
        if (!value.IsEmpty)
        {
            receiverUfrag.CopyTo(value);
            value[receiverUfrag.Length] = (byte)':';
            senderUfrag.CopyTo(value[(receiverUfrag.Length + 1)..]);
        }
    }

    [NoAlloc]
    public void Priority(uint priority)
    {
        Span<byte> value = Attribute(StunAttribute.Priority, 4);
        if (!value.IsEmpty)
        {
            BinaryPrimitives.WriteUInt32BigEndian(value, priority);
        }
    }

    [NoAlloc]
    public void UseCandidate() => Attribute(StunAttribute.UseCandidate, 0);

    /// <summary>ICE-CONTROLLING or ICE-CONTROLLED with our tie-breaker.</summary>
    [NoAlloc]
    public void Role(bool isControlling, ulong tieBreaker)
    {
        Span<byte> value = Attribute(isControlling ? StunAttribute.IceControlling : StunAttribute.IceControlled, 8);
        if (!value.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64BigEndian(value, tieBreaker);
        }
    }

    [NoAlloc]
    public void XorMappedAddress(in NetEndPoint mapped)
    {
        Span<byte> address = stackalloc byte[16];
        int length = mapped.Address.WriteBytes(address);
        Span<byte> value = Attribute(StunAttribute.XorMappedAddress, 4 + length);
        if (value.IsEmpty)
        {
            return;
        }
        value[0] = 0;
        value[1] = (byte)(length == 4 ? 1 : 2);
        BinaryPrimitives.WriteUInt16BigEndian(value[2..], (ushort)(mapped.Port ^ (StunView.Cookie >> 16)));
        for (int i = 0; i < length; i++)
        {
            value[4 + i] = (byte)(address[i] ^ _buffer[4 + i]);
        }
    }

    /// <summary>ERROR-CODE without a phrase.</summary>
    /// <param name="code">300–699.</param>
    [NoAlloc]
    public void ErrorCode(int code)
    {
        Span<byte> value = Attribute(StunAttribute.ErrorCode, 4);
        if (!value.IsEmpty)
        {
            value[..2].Clear();
            value[2] = (byte)(code / 100);
            value[3] = (byte)(code % 100);
        }
    }

    /// <summary>UNKNOWN-ATTRIBUTES with one entry, for a 420.</summary>
    [NoAlloc]
    public void UnknownAttribute(int type)
    {
        Span<byte> value = Attribute(StunAttribute.UnknownAttributes, 2);
        if (!value.IsEmpty)
        {
            BinaryPrimitives.WriteUInt16BigEndian(value, (ushort)type);
        }
    }

    /// <summary>Adds MESSAGE-INTEGRITY (unless the key is null) and FINGERPRINT.</summary>
    /// <returns>Length of the message; 0 when it did not fit.</returns>
    [NoAlloc]
    public int Finish(StunIntegrity? key)
    {
        if (key is not null)
        {
            int at = _length;
            Span<byte> integrity = Attribute(StunAttribute.MessageIntegrity, StunIntegrity.Length);
            if (!integrity.IsEmpty)
            {
                key.Compute(_buffer, at, integrity);
            }
        }
        int fingerprintAt = _length;
        Span<byte> fingerprint = Attribute(StunAttribute.Fingerprint, 4);
        if (_overflows)
        {
            return 0;
        }
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[2..], (ushort)(_length - StunView.HeaderLength));
        BinaryPrimitives.WriteUInt32BigEndian(fingerprint, Crc32.Compute(_buffer[..fingerprintAt]) ^ FingerprintXor);
        return _length;
    }

    private Span<byte> Attribute(int type, int length)
    {
        int padded = (length + 3) & ~3;
        if (_overflows || _buffer.Length - _length < 4 + padded)
        {
            _overflows = true;
            return default;
        }
        Span<byte> attribute = _buffer.Slice(_length, 4 + padded);
        BinaryPrimitives.WriteUInt16BigEndian(attribute, (ushort)type);
        BinaryPrimitives.WriteUInt16BigEndian(attribute[2..], (ushort)length);
        attribute[(4 + length)..].Clear();
        _length += 4 + padded;
        return attribute.Slice(4, length);
    }
}
