using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Proxy.Core.Time;

namespace Proxy.WebRtc.Sctp;

/// <summary>One owner. The sending half: queue, numbers, congestion window, retransmission, messages given up.</summary>
/// <remarks>
/// RFC 9260 §6.1, §6.3, §7.2; RFC 3758 §3.5; RFC 7496 §3.2. Deviation: RFC 9260 §7.2.2 congestion avoidance adds a packet per
/// window by bytes acknowledged, without the test whether the window was full, because queues here are shorter than one window.
/// </remarks>
internal sealed class SctpSender
{
    private const int FragmentBytes = SctpLimits.PacketBytes - SctpWire.HeaderBytes - SctpWire.DataHeaderBytes;

    /// <summary>Reports of a hole before it counts as a loss (RFC 9260 §7.2.4).</summary>
    private const int MissesMax = 3;

    private const int Mtu = SctpLimits.PacketBytes;

    /// <summary>RFC 9260 §7.2.1: min(4 MTU, max(2 MTU, 4,380)).</summary>
    private const int InitialWindow = 4_380;

    /// <summary>Streams that one FORWARD TSN can name.</summary>
    private const int SkipsMax = 64;

    private readonly List<OutChunk> _chunks = [];
    private readonly Dictionary<ushort, ushort> _nextSsn = [];
    private int _sentCount;
    private int _bufferedBytes;
    private int _flightBytes;
    private int _window = InitialWindow;
    private int _threshold = int.MaxValue;
    private int _partialBytes;
    private int _nextMessage;
    private uint _nextTsn;
    private uint _cumulative;
    private uint _advanced;
    private uint _peerWindow;
    private uint _recoveryEnd;
    private bool _isRecovering;
    private bool _isForwardDue;
    private long _smoothedMicros;
    private long _variationMicros;
    private long _rtoMicros = SctpLimits.RtoInitialMillis * 1000;

    public SctpSender(uint initialTsn)
    {
        _nextTsn = initialTsn;
        _cumulative = initialTsn - 1;
        _advanced = _cumulative;
    }

    /// <summary>Whether the peer understands FORWARD TSN; else everything is reliable.</summary>
    public bool CanForward { get; set; }

    public uint PeerWindow
    {
        set => _peerWindow = value;
    }

    /// <summary>T3-rtx.</summary>
    public MonoTime Deadline { get; private set; } = MonoTime.Never;

    /// <summary>Timeouts since the peer last acknowledged something.</summary>
    public int Timeouts { get; private set; }

    /// <summary>Bytes queued or not yet acknowledged.</summary>
    public int BufferedBytes => _bufferedBytes;

    public bool HasUnsent => _sentCount < _chunks.Count;

    public bool HasForward => _isForwardDue;

    /// <returns>False when there is no room for all of it.</returns>
    public bool TryQueue(ushort stream, uint ppid, ReadOnlySpan<byte> payload, SctpDelivery delivery)
    {
        int pieces = (payload.Length + FragmentBytes - 1) / FragmentBytes;
        if (payload.IsEmpty || _bufferedBytes + payload.Length > SctpLimits.OutboundBytes || _chunks.Count + pieces > SctpLimits.OutboundChunks)
        {
            return false;
        }
        ushort ssn = 0;
        if (delivery.IsOrdered)
        {
            if (!_nextSsn.TryGetValue(stream, out ssn) && _nextSsn.Count >= SctpLimits.StreamsInUse)
            {
                return false;
            }
            _nextSsn[stream] = (ushort)(ssn + 1);
        }
        int message = _nextMessage++;
        for (int i = 0; i < pieces; i++)
        {
            int flags = (delivery.IsOrdered ? 0 : SctpWire.UnorderedFlag)
                | (i == 0 ? SctpWire.BeginFlag : 0) | (i == pieces - 1 ? SctpWire.EndFlag : 0);
            ReadOnlySpan<byte> piece = payload.Slice(i * FragmentBytes, Math.Min(FragmentBytes, payload.Length - (i * FragmentBytes)));
            _chunks.Add(new OutChunk(message, stream, ssn, ppid, (byte)flags, delivery.MaxRetransmits, piece.ToArray()));
            _bufferedBytes += piece.Length;
        }
        return true;
    }

    /// <summary>Writes as many DATA chunks as fit and the windows allow: first lost ones, then new ones.</summary>
    /// <returns>Bytes written.</returns>
    public int WriteData(Span<byte> space, MonoTime now)
    {
        int at = 0;
        for (int i = 0; i < _sentCount; i++)
        {
            OutChunk chunk = _chunks[i];
            if (chunk.IsLost && !chunk.IsAbandoned && (_flightBytes == 0 || _flightBytes + chunk.Payload.Length <= _window)
                && !TryWrite(chunk, space, ref at, now))
            {
                return at;
            }
        }
        while (_sentCount < _chunks.Count)
        {
            OutChunk chunk = _chunks[_sentCount];
            bool fitsWindow = _flightBytes < _window && chunk.Payload.Length <= _peerWindow;
            // With nothing in flight one chunk may always go: it probes a closed window.
            if ((!fitsWindow && _flightBytes > 0) || !HasSpace(chunk, space, at))
            {
                return at;
            }
            chunk.Tsn = _nextTsn++;
            _sentCount++;
            TryWrite(chunk, space, ref at, now);
        }
        return at;
    }

    /// <summary>Writes FORWARD TSN.</summary>
    /// <returns>Bytes written; 0 when it does not fit.</returns>
    public int WriteForward(Span<byte> space, MonoTime now)
    {
        Span<(ushort Stream, ushort Ssn)> skips = stackalloc (ushort, ushort)[SkipsMax];
        int count = 0;
        for (int i = 0; i < _sentCount && !SctpWire.IsAfter(_chunks[i].Tsn, _advanced); i++)
        {
            OutChunk chunk = _chunks[i];
            if (!chunk.IsUnordered)
            {
                count = NoteSkip(skips, count, chunk);
            }
        }
        int length = 8 + (4 * count);
        if (space.Length < length)
        {
            return 0;
        }
        SctpWire.WriteChunkHeader(space, SctpWire.ForwardTsn, 0, length);
        BinaryPrimitives.WriteUInt32BigEndian(space[4..], _advanced);
        for (int i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(space[(8 + (4 * i))..], skips[i].Stream);
            BinaryPrimitives.WriteUInt16BigEndian(space[(10 + (4 * i))..], skips[i].Ssn);
        }
        _isForwardDue = false;
        Arm(now);
        return length;
    }

    /// <summary>Handles a SACK.</summary>
    /// <param name="chunk">With its header.</param>
    /// <returns>False when it is malformed or speaks of numbers never sent.</returns>
    public bool HandleSack(ReadOnlySpan<byte> chunk, MonoTime now)
    {
        if (chunk.Length < 16)
        {
            return false;
        }
        uint cumulative = BinaryPrimitives.ReadUInt32BigEndian(chunk[4..]);
        uint window = BinaryPrimitives.ReadUInt32BigEndian(chunk[8..]);
        int gaps = BinaryPrimitives.ReadUInt16BigEndian(chunk[12..]);
        if (chunk.Length < 16 + (4 * gaps) || SctpWire.IsAfter(cumulative, _nextTsn - 1))
        {
            return false;
        }
        if (SctpWire.IsAfter(_cumulative, cumulative))
        {
            return true;
        }
        bool advances = cumulative != _cumulative;
        int flightBefore = _flightBytes;
        uint newest = _cumulative;
        TakeCumulative(cumulative, now, ref newest);
        TakeGaps(chunk.Slice(16, 4 * gaps), now, ref newest);
        CountMisses(newest);
        CountFlight();
        if (advances)
        {
            Timeouts = 0;
            if (_isRecovering && !SctpWire.IsAfter(_recoveryEnd, _cumulative))
            {
                _isRecovering = false;
            }
            GrowWindow(Math.Max(0, flightBefore - _flightBytes));
        }
        _peerWindow = window > (uint)_flightBytes ? window - (uint)_flightBytes : 0;
        AdvancePoint();
        _isForwardDue = SctpWire.IsAfter(_advanced, _cumulative);
        if (_flightBytes == 0 && !_isForwardDue && !HasLost())
        {
            Deadline = MonoTime.Never;
        }
        else if (advances || Deadline.IsNever)
        {
            Deadline = now.AddMicros(_rtoMicros);
        }
        return true;
    }

    /// <summary>T3-rtx: everything in flight counts as lost.</summary>
    public void HandleTimeout(MonoTime now)
    {
        if (now < Deadline)
        {
            return;
        }
        Timeouts++;
        _rtoMicros = Math.Min(_rtoMicros * 2, SctpLimits.RtoMaxMillis * 1000);
        _threshold = Math.Max(_window / 2, 4 * Mtu);
        _window = Mtu;
        _partialBytes = 0;
        _isRecovering = false;
        for (int i = 0; i < _sentCount; i++)
        {
            if (_chunks[i].IsInFlight)
            {
                Lose(i);
            }
        }
        CountFlight();
        AdvancePoint();
        _isForwardDue = SctpWire.IsAfter(_advanced, _cumulative);
        Deadline = _isForwardDue || HasLost() ? now.AddMicros(_rtoMicros) : MonoTime.Never;
    }

    private static int NoteSkip(Span<(ushort Stream, ushort Ssn)> skips, int count, OutChunk chunk)
    {
        for (int i = 0; i < count; i++)
        {
            if (skips[i].Stream == chunk.Stream)
            {
                skips[i].Ssn = SctpWire.IsAfter(chunk.Ssn, skips[i].Ssn) ? chunk.Ssn : skips[i].Ssn;
                return count;
            }
        }
        if (count < SkipsMax)
        {
            skips[count++] = (chunk.Stream, chunk.Ssn);
        }
        return count;
    }

    private static bool HasSpace(OutChunk chunk, Span<byte> space, int at) =>
        SctpWire.Padded(SctpWire.DataHeaderBytes + chunk.Payload.Length) <= space.Length - at;

    private bool TryWrite(OutChunk chunk, Span<byte> space, ref int at, MonoTime now)
    {
        if (!HasSpace(chunk, space, at))
        {
            return false;
        }
        int length = SctpWire.DataHeaderBytes + chunk.Payload.Length;
        Span<byte> target = space[at..];
        // RFC 7053: the last queued chunk asks for its SACK at once; the peer has no reason to wait for another.
        bool isLast = ReferenceEquals(chunk, _chunks[^1]);
        SctpWire.WriteChunkHeader(target, SctpWire.Data, (byte)(chunk.Flags | (isLast ? SctpWire.ImmediateFlag : 0)), length);
        BinaryPrimitives.WriteUInt32BigEndian(target[4..], chunk.Tsn);
        BinaryPrimitives.WriteUInt16BigEndian(target[8..], chunk.Stream);
        BinaryPrimitives.WriteUInt16BigEndian(target[10..], chunk.Ssn);
        BinaryPrimitives.WriteUInt32BigEndian(target[12..], chunk.Ppid);
        chunk.Payload.CopyTo(target[SctpWire.DataHeaderBytes..]);
        target[length..SctpWire.Padded(length)].Clear();
        at += SctpWire.Padded(length);
        chunk.Sent++;
        chunk.SentAt = now;
        chunk.IsLost = false;
        chunk.Missed = 0;
        _flightBytes += chunk.Payload.Length;
        _peerWindow -= Math.Min(_peerWindow, (uint)chunk.Payload.Length);
        Arm(now);
        return true;
    }

    private void Arm(MonoTime now)
    {
        if (Deadline.IsNever)
        {
            Deadline = now.AddMicros(_rtoMicros);
        }
    }

    // ---- What the peer has ----

    private void TakeCumulative(uint cumulative, MonoTime now, ref uint newest)
    {
        int acked = 0;
        while (acked < _sentCount && !SctpWire.IsAfter(_chunks[acked].Tsn, cumulative))
        {
            NoteAcked(_chunks[acked], now, ref newest);
            _bufferedBytes -= _chunks[acked].IsAbandoned ? 0 : _chunks[acked].Payload.Length;
            acked++;
        }
        _chunks.RemoveRange(0, acked);
        _sentCount -= acked;
        _cumulative = cumulative;
        _advanced = SctpWire.IsAfter(_cumulative, _advanced) ? _cumulative : _advanced;
    }

    private void TakeGaps(ReadOnlySpan<byte> gaps, MonoTime now, ref uint newest)
    {
        int next = 0;
        for (int at = 0; at < gaps.Length; at += 4)
        {
            // Sent chunks are numbered without holes from the cumulative number on, so an offset is an index.
            int first = BinaryPrimitives.ReadUInt16BigEndian(gaps[at..]) - 1;
            int last = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(gaps[(at + 2)..]) - 1, _sentCount - 1);
            for (int i = Math.Max(next, 0); i < first && i < _sentCount; i++)
            {
                // What an earlier report covered and this one does not, the peer has thrown away again (RFC 9260 §6.2.1).
                _chunks[i].IsAcked = false;
            }
            for (int i = Math.Max(first, 0); i <= last; i++)
            {
                NoteAcked(_chunks[i], now, ref newest);
            }
            next = Math.Max(next, last + 1);
        }
        for (int i = next; i < _sentCount; i++)
        {
            _chunks[i].IsAcked = false;
        }
    }

    private void NoteAcked(OutChunk chunk, MonoTime now, ref uint newest)
    {
        if (chunk.IsAcked)
        {
            return;
        }
        chunk.IsAcked = true;
        chunk.IsLost = false;
        newest = SctpWire.IsAfter(chunk.Tsn, newest) ? chunk.Tsn : newest;
        if (chunk.Sent == 1 && !chunk.IsAbandoned)
        {
            MeasureRoundTrip(Math.Max(1, now.Micros - chunk.SentAt.Micros));
        }
    }

    /// <summary>RFC 9260 §6.3.1; only chunks sent once are measured.</summary>
    private void MeasureRoundTrip(long micros)
    {
        if (_smoothedMicros == 0)
        {
            _smoothedMicros = micros;
            _variationMicros = micros / 2;
        }
        else
        {
            _variationMicros += (Math.Abs(_smoothedMicros - micros) - _variationMicros) / 4;
            _smoothedMicros += (micros - _smoothedMicros) / 8;
        }
        _rtoMicros = Math.Clamp(_smoothedMicros + (4 * _variationMicros), SctpLimits.RtoMinMillis * 1000, SctpLimits.RtoMaxMillis * 1000);
    }

    /// <summary>RFC 9260 §7.2.4.</summary>
    private void CountMisses(uint newest)
    {
        bool hasLoss = false;
        for (int i = 0; i < _sentCount && SctpWire.IsAfter(newest, _chunks[i].Tsn); i++)
        {
            OutChunk chunk = _chunks[i];
            if (chunk.IsInFlight && ++chunk.Missed >= MissesMax)
            {
                hasLoss = true;
                Lose(i);
            }
        }
        if (hasLoss && !_isRecovering)
        {
            _isRecovering = true;
            _recoveryEnd = _nextTsn - 1;
            _threshold = Math.Max(_window / 2, 4 * Mtu);
            _window = _threshold;
            _partialBytes = 0;
        }
    }

    /// <summary>A chunk is lost: it waits for its retransmission, or its whole message is given up.</summary>
    private void Lose(int index)
    {
        OutChunk chunk = _chunks[index];
        if (!CanForward || chunk.MaxRetransmits < 0 || chunk.Sent <= chunk.MaxRetransmits)
        {
            chunk.IsLost = true;
            return;
        }
        int message = chunk.Message;
        for (int i = _chunks.Count - 1; i >= 0; i--)
        {
            OutChunk piece = _chunks[i];
            if (piece.Message != message || piece.IsAbandoned)
            {
                continue;
            }
            _bufferedBytes -= piece.Payload.Length;
            if (i < _sentCount)
            {
                piece.IsAbandoned = true;
            }
            else
            {
                _chunks.RemoveAt(i);
            }
        }
    }

    /// <summary>RFC 3758 §3.5, C2: the number up to which the peer need wait for nothing.</summary>
    private void AdvancePoint()
    {
        for (int i = 0; i < _sentCount && _chunks[i].IsAbandoned; i++)
        {
            _advanced = SctpWire.IsAfter(_chunks[i].Tsn, _advanced) ? _chunks[i].Tsn : _advanced;
        }
    }

    private void CountFlight()
    {
        _flightBytes = 0;
        for (int i = 0; i < _sentCount; i++)
        {
            _flightBytes += _chunks[i].IsInFlight ? _chunks[i].Payload.Length : 0;
        }
    }

    private bool HasLost()
    {
        for (int i = 0; i < _sentCount; i++)
        {
            if (_chunks[i].IsLost && !_chunks[i].IsAbandoned)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>RFC 9260 §7.2.1, §7.2.2.</summary>
    private void GrowWindow(int ackedBytes)
    {
        if (_isRecovering)
        {
            return;
        }
        if (_window <= _threshold)
        {
            _window += Math.Min(ackedBytes, Mtu);
        }
        else
        {
            _partialBytes += ackedBytes;
            if (_partialBytes >= _window)
            {
                _partialBytes -= _window;
                _window += Mtu;
            }
        }
        _window = Math.Min(_window, 4 * SctpLimits.OutboundBytes);
    }
}
