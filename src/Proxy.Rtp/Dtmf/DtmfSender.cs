using System;
using System.Buffers.Binary;
using Proxy.Core.Diagnostics;

namespace Proxy.Rtp.Dtmf;

/// <summary>Any thread. One telephone-event packet to send, on the audio's SSRC and numbering.</summary>
/// <param name="Timestamp">The event's start; the same in all packets of an event.</param>
/// <param name="Marker">First packet of the event.</param>
/// <param name="Payload">Four bytes, big endian.</param>
public readonly record struct DtmfPacket(uint Timestamp, bool Marker, uint Payload)
{
    public const int PayloadBytes = 4;

    /// <summary>Writes the payload.</summary>
    /// <returns>4, or 0 when it does not fit.</returns>
    [NoAlloc]
    public int WritePayload(Span<byte> destination) =>
        BinaryPrimitives.TryWriteUInt32BigEndian(destination, Payload) ? PayloadBytes : 0;
}

/// <summary>Shard. Plays digits as RFC 4733 events on the 20 ms grid: 250 ms tone, 250 ms pause.</summary>
/// <remarks>
/// RFC 4733 §2.5.1: twelve packets that grow by 20 ms, then the end three times at once, because nothing acknowledges it. The
/// 25 steps of a digit are livekit/sip's rhythm.
/// </remarks>
public sealed class DtmfSender
{
    /// <summary>Digits and pauses that may wait.</summary>
    public const int MaxQueued = 128;

    /// <summary>The most packets that one tick gives.</summary>
    public const int MaxPacketsPerTick = 3;

    private const int ToneTicks = 12;
    private const int StepTicks = 25;
    private const byte Pause = 0xFF;

    /// <summary>−10 dBm0, as other senders do.</summary>
    private const uint Volume = 10;

    private readonly byte[] _queue = new byte[MaxQueued];
    private readonly int _ticksPerPacket;
    private int _head;
    private int _count;
    private int _at;
    private uint _start;

    /// <param name="clockHz">Clock of the telephone-event payload type.</param>
    public DtmfSender(int clockHz = 8000) => _ticksPerPacket = clockHz / 50;

    /// <summary>Digits are waiting or sounding; audio is to pause while <see cref="IsSounding"/>.</summary>
    public bool IsActive => _count > 0;

    /// <summary>The step that the next <see cref="Tick"/> makes carries an event.</summary>
    public bool IsSounding => _count > 0 && _queue[_head] != Pause && _at <= ToneTicks;

    /// <summary>Queues <c>0–9 * # A–D a–d</c> and <c>w W</c> (half a second of pause).</summary>
    /// <returns>False when a character is none of these or the queue is too full; nothing is then queued.</returns>
    public bool TryQueue(ReadOnlySpan<char> digits)
    {
        if (digits.Length > MaxQueued - _count)
        {
            return false;
        }
        foreach (char digit in digits)
        {
            if (!TryCode(digit, out _))
            {
                return false;
            }
        }
        foreach (char digit in digits)
        {
            TryCode(digit, out byte code);
            _queue[(_head + _count++) % MaxQueued] = code;
        }
        return true;
    }

    /// <summary>Forgets what waits and what sounds; the receiver takes the missing end for one (RFC 4733 §2.5.1.2).</summary>
    public void Clear()
    {
        _count = 0;
        _at = 0;
    }

    /// <summary>One step of the 20 ms grid; call exactly once a step while <see cref="IsActive"/>.</summary>
    /// <param name="timestamp">The audio stream's timestamp at this step, in this payload type's clock.</param>
    /// <param name="packets">Room for <see cref="MaxPacketsPerTick"/>.</param>
    /// <returns>Packets to send now: 0, 1, or 3 at an event's end.</returns>
    [NoAlloc]
    public int Tick(uint timestamp, Span<DtmfPacket> packets)
    {
        if (_count == 0)
        {
            return 0;
        }
        byte code = _queue[_head];
        int at = _at++;
        if (_at == StepTicks)
        {
            _at = 0;
            _head = (_head + 1) % MaxQueued;
            _count--;
        }
        if (code == Pause || at > ToneTicks)
        {
            return 0;
        }
        if (at == 0)
        {
            _start = timestamp;
        }
        if (at < ToneTicks)
        {
            packets[0] = new DtmfPacket(_start, at == 0, Payload(code, isEnd: false, (at + 1) * _ticksPerPacket));
            return 1;
        }
        DtmfPacket end = new(_start, false, Payload(code, isEnd: true, (ToneTicks * _ticksPerPacket) + (_ticksPerPacket / 2)));
        packets[..MaxPacketsPerTick].Fill(end);
        return MaxPacketsPerTick;
    }

    private static uint Payload(byte code, bool isEnd, int duration) =>
        ((uint)code << 24) | (isEnd ? 0x80_0000u : 0) | (Volume << 16) | (uint)duration;

    private static bool TryCode(char digit, out byte code)
    {
        int value = digit switch
        {
            >= '0' and <= '9' => digit - '0',
            '*' => 10,
            '#' => 11,
            >= 'A' and <= 'D' => digit - 'A' + 12,
            >= 'a' and <= 'd' => digit - 'a' + 12,
            'w' or 'W' => Pause,
            _ => -1,
        };
        code = (byte)value;
        return value >= 0;
    }
}
