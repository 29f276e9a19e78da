using System;
using Proxy.Core;
using Proxy.Core.Diagnostics;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Packets;

namespace Proxy.Rtp.Jitter;

/// <summary>What became of a packet that was pushed.</summary>
public enum PushVerdict
{
    /// <summary>Kept.</summary>
    Stored,

    /// <summary>Kept; a new source or a jump in the numbering: what was waiting is gone.</summary>
    Restarted,

    /// <summary>Seen before.</summary>
    Duplicate,

    /// <summary>Its time is over.</summary>
    Late,

    /// <summary>Another SSRC while the known one is alive.</summary>
    Foreign,

    /// <summary>A jump in the numbering that the next packet has to confirm.</summary>
    Suspect,

    /// <summary>Longer than a slot, or the shard's slab is out of slots.</summary>
    NoRoom,

    /// <summary>A payload type that was not negotiated.</summary>
    UnknownPayload,

    /// <summary>A payload that its codec cannot read.</summary>
    Malformed,
}

/// <summary>What <see cref="JitterBuffer.Pop"/> gives.</summary>
public enum PopResult
{
    /// <summary>A packet's payload.</summary>
    Frame,

    /// <summary>A packet is missing and its time has come; if the following packet is there, its payload is given for redundancy.</summary>
    Lost,

    /// <summary>Nothing to play: not started, a pause of the sender, or the network is late.</summary>
    Empty,
}

/// <summary>What goes with a <see cref="PopResult"/>.</summary>
/// <param name="PayloadType">Of the packet.</param>
/// <param name="Length">Payload bytes that were copied.</param>
/// <param name="Timestamp">RTP units.</param>
/// <param name="Ticks">Of Frame and <see cref="PopResult.Lost"/>: how long it is, RTP units.</param>
public readonly record struct PoppedFrame(byte PayloadType, int Length, uint Timestamp, int Ticks);

/// <summary>
/// Shard. Puts packets in order and holds them as long as the network's jitter needs, between bounds. The player pulls at its own
/// clock; what is missing when it pulls is lost or late. <see cref="SurplusMicros"/> says by how much the player should shorten
/// or stretch what it plays, so that neither jitter nor a wrong clock ever adds up.
/// </summary>
/// <remarks>
/// The order is the sequence numbers'; timestamps only tell pauses from losses. Delay is measured as the time packets waited here.
/// </remarks>
public sealed class JitterBuffer : IDisposable
{
    private const int Places = 64;
    private const long LowWaterMicros = 5_000;
    private const long HighWaterMicros = 25_000;
    private const int WrongClockRun = 8;

    /// <summary>A pause after which the next talk spurt starts afresh, with the depth that was found necessary before.</summary>
    private const long PauseMillis = 500;

    private readonly PacketSlab _slab;
    private readonly Place[] _places = new Place[Places];
    private readonly long _minMicros;
    private readonly long _maxMicros;
    private StreamGate _gate;
    private WaitWindow _waits;
    private int _clockHz;
    private int _count;
    private long _bufferedTicks;
    private bool _hasStarted;
    private bool _hasPlayed;
    private bool _isPlaying;
    private long _next;
    private ulong _seen;
    private uint _cursor;
    private long _credit;
    private int _frameTicks;
    private int _gapRun;
    private uint _gapRunTimestamp;
    private MonoTime _gapRunAt;
    private bool _ignoresPauses;
    private MonoTime _lastLateAt;
    private long _startMicros;
    private long _meanWaitMicros;

    /// <param name="limits">Gives the bounds of the depth.</param>
    /// <param name="slab">The shard's packet memory; its slots hold one payload each.</param>
    /// <param name="clockHz">RTP clock of the stream.</param>
    public JitterBuffer(Limits limits, PacketSlab slab, int clockHz)
    {
        _slab = slab;
        _clockHz = clockHz;
        _minMicros = limits.JitterMinMs * 1000L;
        _maxMicros = limits.JitterMaxMs * 1000L;
        _startMicros = _minMicros;
    }

    /// <summary>RTP units a second.</summary>
    public int ClockHz => _clockHz;

    /// <summary>How long packets wait here, in the mean of the last dozens, milliseconds.</summary>
    public int DepthMs => (int)(_meanWaitMicros / 1000);

    /// <summary>Packets waiting.</summary>
    public int Count => _count;

    /// <summary>What is waiting, milliseconds; at most JitterMaxMs and one packet.</summary>
    public int BufferedMs => (int)(_bufferedTicks * 1000 / _clockHz);

    /// <summary>Packets that were thrown away because too much was waiting.</summary>
    public long Overflowed { get; private set; }

    /// <summary>Packets that were missing when their time came.</summary>
    public long LostCount { get; private set; }

    /// <summary>Takes a packet in.</summary>
    /// <param name="durationTicks">How long its payload plays, RTP units; 0 for an empty payload.</param>
    [NoAlloc]
    public PushVerdict Push(in RtpView packet, int durationTicks, MonoTime now)
    {
        PushVerdict verdict = Sort(packet, now, out long sequence);
        if (verdict is not (PushVerdict.Stored or PushVerdict.Restarted))
        {
            return verdict;
        }
        if (!TryStore(packet, sequence, durationTicks, now))
        {
            return PushVerdict.NoRoom;
        }
        LimitDepth();
        return verdict;
    }

    /// <summary>Says that a packet of the same numbering is not to be played (comfort noise, telephone-event): it is not lost.</summary>
    [NoAlloc]
    public PushVerdict TakeOut(in RtpView packet, MonoTime now)
    {
        PushVerdict verdict = Sort(packet, now, out long sequence);
        if (verdict is PushVerdict.Stored or PushVerdict.Restarted)
        {
            _places[sequence % Places] = new Place { IsTaken = true, Slot = -1, Timestamp = packet.Timestamp, Arrival = now };
            _count++;
        }
        return verdict;
    }

    /// <summary>Takes the next piece; called when the player needs it, so what is missing now is lost.</summary>
    /// <param name="wantedTicks">What the player makes up itself when the answer is Empty, RTP units.</param>
    /// <param name="payload">Takes the payload; 1,500 bytes are enough.</param>
    [NoAlloc]
    public PopResult Pop(MonoTime now, int wantedTicks, Span<byte> payload, out PoppedFrame frame)
    {
        frame = default;
        SkipTakenOut();
        if (_count == 0 || (!_isPlaying && !MayStart(now)))
        {
            return Starve(wantedTicks);
        }
        ref Place head = ref Head(out long sequence);
        long missing = sequence - _next;
        if (missing > 0)
        {
            missing = StillMissing(missing, head.Timestamp);
            SkipTo(sequence - missing);
        }
        if (missing > 0)
        {
            return Lose(head, missing, payload, out frame);
        }
        if (head.Slot < 0)
        {
            return Pop(now, wantedTicks, payload, out frame);
        }
        if (IsPause(head, now))
        {
            return Starve(wantedTicks);
        }
        return Take(ref head, payload, now, out frame);
    }

    /// <summary>
    /// How much longer than needed packets wait (positive: the player should shorten), or how much they lack (negative: it should
    /// stretch); 0 inside the comfortable band. µs.
    /// </summary>
    [NoAlloc]
    public long SurplusMicros(MonoTime now)
    {
        if (!_isPlaying)
        {
            return 0;
        }
        long recent = _waits.Least(2, now);
        if (recent < LowWaterMicros && _meanWaitMicros < _maxMicros)
        {
            return recent - LowWaterMicros;
        }
        long least = _waits.Least(8, now);
        bool hasTooMuch = least != long.MaxValue && least > _minMicros + HighWaterMicros && _waits.IsFull(now);
        return hasTooMuch ? least - _minMicros : 0;
    }

    /// <summary>The player stretched what it plays by this much (negative: shortened it), µs.</summary>
    [NoAlloc]
    public void Adjusted(long micros) => _waits.Shift(micros);

    /// <summary>Forgets everything, for a stream with another clock.</summary>
    public void Reset(int clockHz)
    {
        Flush();
        _gate = default;
        _hasStarted = false;
        _isPlaying = false;
        _clockHz = clockHz;
        _waits.Clear();
    }

    public void Dispose() => Flush();

    private PushVerdict Sort(in RtpView packet, MonoTime now, out long sequence)
    {
        PushVerdict verdict = PushVerdict.Stored;
        switch (_gate.Admit(packet.Ssrc, packet.SequenceNumber, now, out sequence))
        {
            case GateVerdict.Foreign:
                return PushVerdict.Foreign;
            case GateVerdict.Suspect:
                return PushVerdict.Suspect;
            case GateVerdict.Restarted:
                verdict = _hasStarted ? PushVerdict.Restarted : PushVerdict.Stored;
                Restart(sequence);
                break;
        }
        if (!_hasPlayed && sequence < _next && _next - sequence < Places / 2)
        {
            // Nothing was played yet: a packet that was overtaken at the start still counts.
            _next = sequence;
        }
        if (sequence < _next)
        {
            return Behind(_next - sequence, packet.Timestamp, now);
        }
        MakeWay(sequence);
        return _places[sequence % Places].IsTaken ? PushVerdict.Duplicate : verdict;
    }

    private void Restart(long sequence)
    {
        Flush();
        _hasStarted = true;
        _hasPlayed = false;
        _isPlaying = false;
        _next = sequence;
        _seen = 0;
        _credit = 0;
        _gapRun = 0;
        _ignoresPauses = false;
        _waits.Clear();
    }

    private PushVerdict Behind(long by, uint timestamp, MonoTime now)
    {
        if (by > 64)
        {
            return PushVerdict.Late;
        }
        ulong bit = 1UL << (int)(by - 1);
        if ((_seen & bit) != 0)
        {
            return PushVerdict.Duplicate;
        }
        _seen |= bit;
        long late = SequenceMath.Distance(_cursor, timestamp) * 1_000_000L / _clockHz;
        // One straggler is a loss; a second one within four seconds is the network's jitter, and worth waiting for.
        if (late > 0 && late < _maxMicros && now.Micros - _lastLateAt.Micros < 4_000_000)
        {
            _waits.Note(-late, now);
        }
        _lastLateAt = now;
        return PushVerdict.Late;
    }

    /// <summary>A packet far ahead pushes out what is too old to share the places with it.</summary>
    private void MakeWay(long sequence)
    {
        while (_count > 0 && sequence - _next >= Places)
        {
            DropHead();
        }
        if (sequence - _next >= Places)
        {
            SkipTo(sequence);
        }
    }

    private void SkipTo(long sequence)
    {
        long by = sequence - _next;
        _seen = by >= 64 ? 0 : _seen << (int)by;
        _next = sequence;
    }

    private bool TryStore(in RtpView packet, long sequence, int durationTicks, MonoTime now)
    {
        ReadOnlySpan<byte> payload = packet.Payload;
        int slot = payload.Length > _slab.SlotSize ? -1 : _slab.TryRent();
        if (slot < 0)
        {
            return false;
        }
        payload.CopyTo(_slab.Get(slot));
        _places[sequence % Places] = new Place
        {
            IsTaken = true,
            Slot = slot,
            Length = payload.Length,
            PayloadType = packet.PayloadType,
            Timestamp = packet.Timestamp,
            Ticks = durationTicks,
            Arrival = now,
        };
        _count++;
        _bufferedTicks += durationTicks;
        return true;
    }

    private void LimitDepth()
    {
        long most = (_maxMicros * _clockHz / 1_000_000) + _frameTicks;
        while (_bufferedTicks > most && _count > 1)
        {
            DropHead();
        }
    }

    private bool MayStart(MonoTime now)
    {
        ref Place head = ref Head(out long sequence);
        long buffered = _bufferedTicks * 1_000_000 / _clockHz;
        bool isBurst = _count > 1 && buffered > _maxMicros / 2;
        if (now.Micros - head.Arrival.Micros < _startMicros && !isBurst)
        {
            return false;
        }
        _isPlaying = true;
        _hasPlayed = true;
        SkipTo(sequence);
        _cursor = head.Timestamp;
        _credit = 0;
        return true;
    }

    private void SkipTakenOut()
    {
        while (_count > 0 && _places[_next % Places] is { IsTaken: true, Slot: < 0 })
        {
            Free(ref _places[_next % Places]);
            SkipTo(_next + 1);
            _seen |= 1;
        }
    }

    private PopResult Starve(int wantedTicks)
    {
        if (_isPlaying)
        {
            _credit += wantedTicks;
            if (_count == 0 && _credit > PauseMillis * _clockHz / 1000)
            {
                // The pull grid puts up to 10 ms on top in the mean.
                _startMicros = Math.Clamp(_meanWaitMicros - 10_000, _minMicros, _maxMicros);
                _isPlaying = false;
            }
        }
        return PopResult.Empty;
    }

    /// <summary>How many of the missing packets' time was not yet filled while we starved.</summary>
    private long StillMissing(long missing, uint headTimestamp)
    {
        int frame = Math.Max(_frameTicks, 1);
        long gap = SequenceMath.Distance(headTimestamp, _cursor);
        if (gap <= 0 || gap > (missing + 1) * frame * 4L)
        {
            // Timestamps do not follow the numbering: the numbering alone says what is missing.
            gap = missing * frame;
        }
        long filled = Math.Min(_credit, gap);
        _credit -= filled;
        _cursor += (uint)filled;
        return Math.Min(missing, (gap - filled + (frame / 2)) / frame);
    }

    private PopResult Lose(in Place head, long missing, Span<byte> payload, out PoppedFrame frame)
    {
        int ticks = Math.Max(_frameTicks, 1);
        int length = 0;
        if (missing == 1 && head.Slot >= 0)
        {
            length = head.Length;
            _slab.Get(head.Slot)[..length].CopyTo(payload);
        }
        frame = new PoppedFrame(head.PayloadType, length, _cursor, ticks);
        _cursor += (uint)ticks;
        _next++;
        _seen <<= 1;
        LostCount++;
        return PopResult.Lost;
    }

    /// <summary>Whether the head lies behind a pause of the sender that is not over yet.</summary>
    private bool IsPause(in Place head, MonoTime now)
    {
        long gap = SequenceMath.Distance(head.Timestamp, _cursor);
        if (gap <= _frameTicks / 2 || _ignoresPauses || gap - _credit <= _frameTicks / 2 || now.Micros - head.Arrival.Micros >= _maxMicros)
        {
            return false;
        }
        // A jump of the timestamps alone: nobody announces a pause that long before it is over.
        return gap - _credit <= 2 * _maxMicros * _clockHz / 1_000_000;
    }

    private PopResult Take(ref Place head, Span<byte> payload, MonoTime now, out PoppedFrame frame)
    {
        LearnClock(head);
        _slab.Get(head.Slot)[..head.Length].CopyTo(payload);
        frame = new PoppedFrame(head.PayloadType, head.Length, head.Timestamp, head.Ticks);
        long wait = now.Micros - head.Arrival.Micros;
        _waits.Note(wait, now);
        _meanWaitMicros += (wait - _meanWaitMicros) / 16;
        _cursor = head.Timestamp + (uint)head.Ticks;
        _credit = 0;
        if (head.Ticks > 0)
        {
            _frameTicks = head.Ticks;
        }
        Free(ref head);
        _next++;
        _seen = (_seen << 1) | 1;
        return PopResult.Frame;
    }

    /// <summary>A sender whose every packet is followed by a "pause" that the arrivals do not show counts in another clock.</summary>
    private void LearnClock(in Place head)
    {
        if (SequenceMath.Distance(head.Timestamp, _cursor) <= _frameTicks / 2)
        {
            _gapRun = 0;
            return;
        }
        if (_gapRun++ == 0)
        {
            _gapRunTimestamp = head.Timestamp;
            _gapRunAt = head.Arrival;
        }
        else if (_gapRun > WrongClockRun)
        {
            long said = SequenceMath.Distance(head.Timestamp, _gapRunTimestamp) * 1_000_000L / _clockHz;
            long seen = head.Arrival.Micros - _gapRunAt.Micros;
            _ignoresPauses = said > seen + (seen / 2);
        }
    }

    private ref Place Head(out long sequence)
    {
        sequence = _next;
        while (!_places[sequence % Places].IsTaken)
        {
            sequence++;
        }
        return ref _places[sequence % Places];
    }

    private void DropHead()
    {
        ref Place head = ref Head(out long sequence);
        _cursor = head.Slot < 0 ? _cursor : head.Timestamp + (uint)head.Ticks;
        Free(ref head);
        SkipTo(sequence + 1);
        _seen |= 1;
        Overflowed++;
    }

    private void Flush()
    {
        for (int i = 0; i < Places && _count > 0; i++)
        {
            if (_places[i].IsTaken)
            {
                Free(ref _places[i]);
            }
        }
    }

    private void Free(ref Place place)
    {
        if (place.Slot >= 0)
        {
            _slab.Return(place.Slot);
        }
        _bufferedTicks -= place.Ticks;
        place = default;
        _count--;
    }

    private struct Place
    {
        public bool IsTaken;
        public byte PayloadType;
        public int Slot;
        public int Length;
        public int Ticks;
        public uint Timestamp;
        public MonoTime Arrival;
    }
}
