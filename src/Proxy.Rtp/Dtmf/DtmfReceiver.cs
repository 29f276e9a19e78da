using System;
using System.Buffers.Binary;
using Proxy.Core.Diagnostics;
using Proxy.Rtp.Packets;

namespace Proxy.Rtp.Dtmf;

/// <summary>What an RFC 4733 packet meant.</summary>
public enum DtmfVerdict
{
    /// <summary>A new event: the digit is given out, once.</summary>
    Digit,

    /// <summary>More of an event that was given out, or a straggler of an older one.</summary>
    Repeat,

    /// <summary>An event that is no DTMF digit.</summary>
    Ignored,

    /// <summary>Fewer than four bytes.</summary>
    Malformed,
}

/// <summary>Shard. Turns telephone-event packets into digits: exactly one for each event, at its first packet that arrives.</summary>
/// <remarks>
/// RFC 4733 §2.5. An event is named by its timestamp. Of a payload longer than four bytes the first event counts (§2.5.1.5 is not
/// done: no sender packs several). Duration and volume do not matter: start, middle or end alone gives the digit.
/// </remarks>
public sealed class DtmfReceiver
{
    private const string Digits = "0123456789*#ABCD";
    private const ushort LongestDuration = 0xFFFF;

    private bool _hasEvent;
    private uint _ssrc;
    private ushort _sequence;
    private uint _timestamp;
    private byte _event;
    private bool _hasEnded;
    private ushort _duration;

    /// <summary>Length of the current event as far as it is known, in ticks of the payload type's clock; a long event's segments add up.</summary>
    public long DurationTicks { get; private set; }

    /// <summary>Takes a telephone-event packet.</summary>
    /// <param name="packet">Of the negotiated payload type, from the stream's source.</param>
    /// <param name="digit">Of <see cref="DtmfVerdict.Digit"/>: <c>0–9 * # A–D</c>; else NUL.</param>
    [NoAlloc]
    public DtmfVerdict Receive(in RtpView packet, out char digit)
    {
        digit = '\0';
        ReadOnlySpan<byte> payload = packet.Payload;
        if (payload.Length < 4)
        {
            return DtmfVerdict.Malformed;
        }
        if (payload[0] >= Digits.Length)
        {
            return DtmfVerdict.Ignored;
        }
        bool isEnd = (payload[1] & 0x80) != 0;
        ushort duration = BinaryPrimitives.ReadUInt16BigEndian(payload[2..]);
        if (_hasEvent && packet.Ssrc == _ssrc)
        {
            if (!SequenceMath.IsNewer(packet.SequenceNumber, _sequence))
            {
                return DtmfVerdict.Repeat;
            }
            if (packet.Timestamp == _timestamp)
            {
                return Continue(packet.SequenceNumber, isEnd, duration);
            }
            if (payload[0] == _event && !packet.Marker && IsSegment(packet.Timestamp, duration))
            {
                if (_duration == LongestDuration)
                {
                    _duration = 0;
                }
                _timestamp = packet.Timestamp;
                return Continue(packet.SequenceNumber, isEnd, duration);
            }
        }
        Begin(packet, payload[0], isEnd, duration);
        digit = Digits[payload[0]];
        return DtmfVerdict.Digit;
    }

    /// <summary>Whether an unmarked packet with another timestamp goes on with the running event.</summary>
    private bool IsSegment(uint timestamp, ushort duration)
    {
        if (_hasEnded)
        {
            return false;
        }
        // RFC 4733 §2.5.1.3: an event beyond the duration's range goes on in a new segment, exactly behind the full one.
        bool isNextSegment = _duration == LongestDuration && timestamp - _timestamp == LongestDuration;
        // Some gateways stamp each packet of an event anew; the growing duration then tells that it is the same one.
        uint moved = timestamp - _timestamp;
        return isNextSegment || (duration > _duration && moved <= (uint)(duration - _duration) * 2);
    }

    private DtmfVerdict Continue(ushort sequence, bool isEnd, ushort duration)
    {
        _sequence = sequence;
        _hasEnded |= isEnd;
        if (duration > _duration)
        {
            DurationTicks += duration - _duration;
            _duration = duration;
        }
        return DtmfVerdict.Repeat;
    }

    private void Begin(in RtpView packet, byte code, bool isEnd, ushort duration)
    {
        _hasEvent = true;
        _ssrc = packet.Ssrc;
        _sequence = packet.SequenceNumber;
        _timestamp = packet.Timestamp;
        _event = code;
        _hasEnded = isEnd;
        _duration = duration;
        DurationTicks = duration;
    }
}
