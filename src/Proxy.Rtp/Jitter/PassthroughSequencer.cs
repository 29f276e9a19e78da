using System;
using Proxy.Core;
using Proxy.Core.Diagnostics;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Packets;

namespace Proxy.Rtp.Jitter;

/// <summary>What became of a packet that was given to the <see cref="PassthroughSequencer"/>.</summary>
public enum PassthroughVerdict
{
    /// <summary>Send it now with the header given; then drain <see cref="PassthroughSequencer.TryPoll"/>.</summary>
    Forward,

    /// <summary>As <see cref="Forward"/>; the caller's stream started anew and was joined to our numbering.</summary>
    ForwardRestarted,

    /// <summary>Kept, because a packet before it is missing; it comes out of <see cref="PassthroughSequencer.TryPoll"/>.</summary>
    Held,

    /// <summary>Seen before.</summary>
    Duplicate,

    /// <summary>Its place was given up.</summary>
    Late,

    /// <summary>Another SSRC while the known one is alive.</summary>
    Foreign,

    /// <summary>A jump in the numbering that the next packet has to confirm.</summary>
    Suspect,

    /// <summary>Too long to be held, or the shard's slab is out of slots.</summary>
    NoRoom,

    /// <summary>Taken out by us; the numbering closes over it.</summary>
    TakenOut,
}

/// <summary>Shard. Renumbers a caller's stream for the room without a playout clock: in order at once, a hole waits a little.</summary>
/// <remarks>
/// The receiver conceals what the network lost, so holes stay; only what we take out ourselves is closed. Timestamps follow the caller.
/// </remarks>
public sealed class PassthroughSequencer : IDisposable
{
    private const int Places = 64;

    private readonly PacketSlab _slab;
    private readonly long _waitMicros;
    private readonly int _clockHz;
    private readonly Place[] _places = new Place[Places];
    private StreamGate _gate;
    private int _occupied;
    private long _next;
    private ulong _seen;
    private ushort _out;
    private uint _timestampOffset;
    private bool _mustJoin = true;
    private bool _hasForwarded;
    private uint _lastIn;
    private uint _lastOut;
    private MonoTime _lastAt;

    /// <param name="limits">Gives the wait for a hole.</param>
    /// <param name="slab">The shard's packet memory, for packets that wait.</param>
    /// <param name="clockHz">RTP clock of the stream.</param>
    /// <param name="firstSequence">Our numbering's start; random (RFC 3550 §5.1).</param>
    /// <param name="firstTimestamp">Our timestamps' start; random.</param>
    public PassthroughSequencer(Limits limits, PacketSlab slab, int clockHz, ushort firstSequence, uint firstTimestamp)
    {
        _slab = slab;
        _clockHz = clockHz;
        _waitMicros = limits.ReorderWaitMs * 1000L;
        _out = firstSequence;
        _lastOut = firstTimestamp;
        Array.Fill(_places, Place.Empty);
    }

    /// <summary>When a hole is given up; <see cref="MonoTime.Never"/> while none waits.</summary>
    public MonoTime NextDeadline { get; private set; } = MonoTime.Never;

    /// <summary>Numbers that were given up as holes, all together.</summary>
    public long Missing { get; private set; }

    /// <summary>The sequence number that the next packet forwarded in order gets.</summary>
    public ushort NextSequence => _out;

    /// <summary>Gives a packet that belongs into the room.</summary>
    /// <param name="forward">Of Forward and ForwardRestarted: payload type as given, marker, our sequence number and timestamp, SSRC 0.</param>
    [NoAlloc]
    public PassthroughVerdict Push(in RtpView packet, MonoTime now, out RtpHeader forward)
    {
        forward = default;
        PassthroughVerdict verdict = Sort(packet.Ssrc, packet.SequenceNumber, now, out long sequence);
        if (verdict is PassthroughVerdict.Forward or PassthroughVerdict.ForwardRestarted)
        {
            forward = Emit(packet.PayloadType, packet.Marker, packet.Timestamp, now);
            Advance();
            SetDeadline();
            return verdict;
        }
        return verdict == PassthroughVerdict.Held ? Hold(packet, sequence, now) : verdict;
    }

    /// <summary>Says that a packet of the same stream does not go into the room (comfort noise, telephone-event).</summary>
    /// <returns>TakenOut, or why the packet does not count at all.</returns>
    [NoAlloc]
    public PassthroughVerdict TakeOut(in RtpView packet, MonoTime now)
    {
        PassthroughVerdict verdict = Sort(packet.Ssrc, packet.SequenceNumber, now, out long sequence);
        if (verdict is PassthroughVerdict.Forward or PassthroughVerdict.ForwardRestarted)
        {
            Advance();
            SetDeadline();
            return PassthroughVerdict.TakenOut;
        }
        if (verdict != PassthroughVerdict.Held)
        {
            return verdict;
        }
        _places[sequence % Places] = new Place { Slot = Place.Removed, Arrival = now };
        _occupied++;
        SetDeadline();
        return PassthroughVerdict.TakenOut;
    }

    /// <summary>Takes a held packet whose turn has come; call until false after every <see cref="Push"/>, <see cref="TakeOut"/> and deadline.</summary>
    /// <param name="payload">Takes the payload; 1,500 bytes are enough.</param>
    /// <param name="length">Payload bytes.</param>
    /// <param name="forward">As of <see cref="Push"/>.</param>
    /// <returns>False when nothing is due; <see cref="NextDeadline"/> then says when to come back.</returns>
    [NoAlloc]
    public bool TryPoll(MonoTime now, Span<byte> payload, out int length, out RtpHeader forward)
    {
        length = 0;
        forward = default;
        while (_occupied > 0)
        {
            ref Place place = ref _places[_next % Places];
            if (place.Slot == Place.None)
            {
                if (now < NextDeadline)
                {
                    return false;
                }
                GiveUpHole();
                continue;
            }
            bool isHeld = place.Slot >= 0;
            if (isHeld)
            {
                _slab.Get(place.Slot)[..place.Length].CopyTo(payload);
                length = place.Length;
                forward = Emit(place.PayloadType, place.Marker, place.Timestamp, now);
            }
            Free(ref place);
            Advance();
            SetDeadline();
            if (isHeld)
            {
                return true;
            }
        }
        return false;
    }

    public void Dispose() => Flush();

    /// <summary>Where a packet stands: Forward and ForwardRestarted are in order, Held lies ahead of a hole.</summary>
    private PassthroughVerdict Sort(uint ssrc, ushort sequenceNumber, MonoTime now, out long sequence)
    {
        switch (_gate.Admit(ssrc, sequenceNumber, now, out sequence))
        {
            case GateVerdict.Foreign:
                return PassthroughVerdict.Foreign;
            case GateVerdict.Suspect:
                return PassthroughVerdict.Suspect;
            case GateVerdict.Restarted:
                Flush();
                _next = sequence;
                _seen = 0;
                _mustJoin = true;
                return _hasForwarded ? PassthroughVerdict.ForwardRestarted : PassthroughVerdict.Forward;
        }
        long ahead = sequence - _next;
        if (ahead < 0)
        {
            return Behind(-ahead);
        }
        if (ahead >= Places)
        {
            // More than a second is missing: nothing that is still held belongs together with this packet.
            Flush();
            Missing += ahead;
            _out += (ushort)ahead;
            _next = sequence;
            _seen = 0;
            ahead = 0;
        }
        if (ahead == 0)
        {
            return PassthroughVerdict.Forward;
        }
        return _places[sequence % Places].Slot == Place.None ? PassthroughVerdict.Held : PassthroughVerdict.Duplicate;
    }

    private PassthroughVerdict Behind(long by)
    {
        if (by > 64)
        {
            return PassthroughVerdict.Late;
        }
        ulong bit = 1UL << (int)(by - 1);
        bool wasSeen = (_seen & bit) != 0;
        _seen |= bit;
        return wasSeen ? PassthroughVerdict.Duplicate : PassthroughVerdict.Late;
    }

    private PassthroughVerdict Hold(in RtpView packet, long sequence, MonoTime now)
    {
        ReadOnlySpan<byte> payload = packet.Payload;
        int slot = payload.Length > _slab.SlotSize ? -1 : _slab.TryRent();
        if (slot < 0)
        {
            return PassthroughVerdict.NoRoom;
        }
        payload.CopyTo(_slab.Get(slot));
        _places[sequence % Places] = new Place
        {
            Slot = slot,
            Length = payload.Length,
            PayloadType = packet.PayloadType,
            Marker = packet.Marker,
            Timestamp = packet.Timestamp,
            Arrival = now,
        };
        _occupied++;
        SetDeadline();
        return PassthroughVerdict.Held;
    }

    private RtpHeader Emit(byte payloadType, bool marker, uint timestamp, MonoTime now)
    {
        if (_mustJoin || JumpsInTime(timestamp, now))
        {
            Join(timestamp, now);
            marker |= _hasForwarded;
        }
        _hasForwarded = true;
        _lastIn = timestamp;
        _lastOut = timestamp + _timestampOffset;
        _lastAt = now;
        return new RtpHeader(payloadType, marker, _out++, _lastOut, 0);
    }

    /// <summary>A timestamp that left the wall clock by more than five seconds is a new count, not a pause.</summary>
    private bool JumpsInTime(uint timestamp, MonoTime now) =>
        Math.Abs(SequenceMath.Distance(timestamp, _lastIn) - ElapsedTicks(now)) > 5L * _clockHz;

    private void Join(uint timestamp, MonoTime now)
    {
        // The pause is kept as long as it was; a restart without one still moves by a packet.
        long step = _hasForwarded ? Math.Max(ElapsedTicks(now), _clockHz / 50) : 0;
        _timestampOffset = _lastOut + (uint)step - timestamp;
        _mustJoin = false;
    }

    private long ElapsedTicks(MonoTime now) => (now.Micros - _lastAt.Micros) * _clockHz / 1_000_000;

    private void Advance()
    {
        _next++;
        _seen = (_seen << 1) | 1;
    }

    private void GiveUpHole()
    {
        while (_places[_next % Places].Slot == Place.None)
        {
            _next++;
            _out++;
            _seen <<= 1;
            Missing++;
        }
    }

    private void SetDeadline()
    {
        NextDeadline = MonoTime.Never;
        for (int i = 0; _occupied > 0 && i < Places; i++)
        {
            ref Place place = ref _places[(_next + i) % Places];
            if (place.Slot != Place.None)
            {
                NextDeadline = i == 0 ? place.Arrival : place.Arrival.AddMicros(_waitMicros);
                return;
            }
        }
    }

    private void Flush()
    {
        for (int i = 0; i < Places && _occupied > 0; i++)
        {
            if (_places[i].Slot != Place.None)
            {
                Free(ref _places[i]);
            }
        }
        NextDeadline = MonoTime.Never;
    }

    private void Free(ref Place place)
    {
        if (place.Slot >= 0)
        {
            _slab.Return(place.Slot);
        }
        place = Place.Empty;
        _occupied--;
    }

    private struct Place
    {
        public const int None = -1;
        public const int Removed = -2;

        public int Slot;
        public int Length;
        public byte PayloadType;
        public bool Marker;
        public uint Timestamp;
        public MonoTime Arrival;

        public static Place Empty => new() { Slot = None };
    }
}
