using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using Proxy.Core.Time;

namespace Proxy.WebRtc.Sctp;

/// <summary>What a DATA chunk came to.</summary>
internal enum SctpDataVerdict
{
    Taken,
    Duplicate,

    /// <summary>No room, or too far ahead; it is not acknowledged and comes again.</summary>
    Dropped,

    /// <summary>The peer broke the rules beyond repair; the association is to be aborted.</summary>
    Fatal,
}

/// <summary>One owner. The receiving half: numbers seen, messages put together, what SACK says.</summary>
/// <remarks>RFC 9260 §6.2, §6.5, §6.9; RFC 3758 §3.6.</remarks>
internal sealed class SctpReceiver
{
    /// <summary>How far ahead of the acknowledged number a chunk may be.</summary>
    private const uint Window = 8_192;

    private const int DuplicatesMax = 16;

    /// <summary>Room beyond the window for the chunk that closes the first hole: refusing it could never be repaired.</summary>
    private const int RepairBytes = 16 * 1024;

    private readonly List<InChunk> _chunks = [];
    private readonly List<Range> _ranges = [];
    private readonly Dictionary<ushort, ushort> _nextSsn = [];
    private readonly Queue<SctpMessage> _messages = new();
    private readonly uint[] _duplicates = new uint[DuplicatesMax];
    private int _duplicateCount;
    private int _bufferedBytes;
    private int _unackedPackets;
    private bool _isAckDueNow;
    private uint _cumulative;

    /// <param name="initialTsn">The first number that the peer will use.</param>
    public SctpReceiver(uint initialTsn) => _cumulative = initialTsn - 1;

    /// <summary>Last number up to which nothing is missing.</summary>
    public uint Cumulative => _cumulative;

    /// <summary>When a SACK is to be sent at the latest.</summary>
    public MonoTime SackDeadline { get; private set; } = MonoTime.Never;

    public bool HasAckPending => _isAckDueNow || _unackedPackets > 0;

    public bool IsAckDue(MonoTime now) => _isAckDueNow || now >= SackDeadline;

    public bool TryTake(out SctpMessage message) => _messages.TryDequeue(out message);

    /// <param name="chunk">With its header.</param>
    public SctpDataVerdict HandleData(ReadOnlySpan<byte> chunk)
    {
        if (chunk.Length <= SctpWire.DataHeaderBytes)
        {
            return SctpDataVerdict.Fatal;
        }
        uint tsn = BinaryPrimitives.ReadUInt32BigEndian(chunk[4..]);
        _isAckDueNow |= (chunk[1] & SctpWire.ImmediateFlag) != 0;
        if (!SctpWire.IsAfter(tsn, _cumulative) || IsInRanges(tsn))
        {
            if (_duplicateCount < DuplicatesMax)
            {
                _duplicates[_duplicateCount++] = tsn;
            }
            _isAckDueNow = true;
            return SctpDataVerdict.Duplicate;
        }
        SctpDataVerdict verdict = JudgeRoom(tsn, chunk.Length - SctpWire.DataHeaderBytes);
        if (verdict != SctpDataVerdict.Taken)
        {
            _isAckDueNow = true;
            return verdict;
        }
        Note(tsn);
        InChunk kept = new(
            tsn,
            BinaryPrimitives.ReadUInt16BigEndian(chunk[8..]),
            BinaryPrimitives.ReadUInt16BigEndian(chunk[10..]),
            BinaryPrimitives.ReadUInt32BigEndian(chunk[12..]),
            chunk[1],
            chunk[SctpWire.DataHeaderBytes..].ToArray());
        int at = PlaceOf(tsn);
        _chunks.Insert(at, kept);
        _bufferedBytes += kept.Payload.Length;
        TryAssemble(at);
        return SctpDataVerdict.Taken;
    }

    /// <summary>Called once for each packet that held DATA: every second one is acknowledged at once, as is every hole.</summary>
    public void PacketEnds(MonoTime now)
    {
        _unackedPackets++;
        _isAckDueNow |= _unackedPackets >= 2 || _ranges.Count > 0;
        SackDeadline = MonoTime.Min(SackDeadline, now.AddMillis(SctpLimits.SackMillis));
    }

    /// <summary>The peer gave messages up (RFC 3758 §3.6).</summary>
    /// <param name="chunk">With its header; at least eight bytes.</param>
    public void HandleForwardTsn(ReadOnlySpan<byte> chunk)
    {
        uint newCumulative = BinaryPrimitives.ReadUInt32BigEndian(chunk[4..]);
        _isAckDueNow = true;
        if (!SctpWire.IsAfter(newCumulative, _cumulative) || newCumulative - _cumulative > Window)
        {
            return;
        }
        _cumulative = newCumulative;
        while (_ranges.Count > 0 && !SctpWire.IsAfter(_ranges[0].First, _cumulative + 1))
        {
            if (SctpWire.IsAfter(_ranges[0].Last, _cumulative))
            {
                _cumulative = _ranges[0].Last;
            }
            _ranges.RemoveAt(0);
        }
        for (int at = 8; at + 4 <= chunk.Length; at += 4)
        {
            ushort stream = BinaryPrimitives.ReadUInt16BigEndian(chunk[at..]);
            ushort ssn = BinaryPrimitives.ReadUInt16BigEndian(chunk[(at + 2)..]);
            SkipTo(stream, (ushort)(ssn + 1));
        }
        PurgeUpTo(newCumulative);
    }

    /// <summary>The peer reset a stream: its numbering begins again (RFC 6525 §5.2.2).</summary>
    public void ResetStream(ushort stream) => _nextSsn.Remove(stream);

    public void ResetAllStreams() => _nextSsn.Clear();

    /// <summary>Writes a SACK chunk and forgets what asked for it.</summary>
    /// <returns>Bytes written; 0 when it does not fit.</returns>
    public int WriteSack(Span<byte> chunk)
    {
        int gaps = Math.Min(_ranges.Count, SctpLimits.Gaps);
        int length = 16 + (4 * gaps) + (4 * _duplicateCount);
        if (chunk.Length < length)
        {
            return 0;
        }
        SctpWire.WriteChunkHeader(chunk, SctpWire.Sack, 0, length);
        BinaryPrimitives.WriteUInt32BigEndian(chunk[4..], _cumulative);
        BinaryPrimitives.WriteUInt32BigEndian(chunk[8..], (uint)Math.Max(0, SctpLimits.InboundBytes - _bufferedBytes));
        BinaryPrimitives.WriteUInt16BigEndian(chunk[12..], (ushort)gaps);
        BinaryPrimitives.WriteUInt16BigEndian(chunk[14..], (ushort)_duplicateCount);
        int at = 16;
        for (int i = 0; i < gaps; i++, at += 4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(chunk[at..], (ushort)(_ranges[i].First - _cumulative));
            BinaryPrimitives.WriteUInt16BigEndian(chunk[(at + 2)..], (ushort)(_ranges[i].Last - _cumulative));
        }
        for (int i = 0; i < _duplicateCount; i++, at += 4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(chunk[at..], _duplicates[i]);
        }
        _duplicateCount = 0;
        _unackedPackets = 0;
        _isAckDueNow = false;
        SackDeadline = MonoTime.Never;
        return length;
    }

    private SctpDataVerdict JudgeRoom(uint tsn, int bytes)
    {
        bool isRepair = tsn == _cumulative + 1;
        if (_bufferedBytes + bytes > SctpLimits.InboundBytes || _chunks.Count >= SctpLimits.InboundChunks)
        {
            if (!isRepair)
            {
                return SctpDataVerdict.Dropped;
            }
            // A message larger than our whole window can never be finished.
            return _bufferedBytes + bytes > SctpLimits.InboundBytes + RepairBytes || _chunks.Count >= 2 * SctpLimits.InboundChunks
                ? SctpDataVerdict.Fatal : SctpDataVerdict.Taken;
        }
        bool opensGap = !isRepair && !TouchesRange(tsn) && _ranges.Count >= SctpLimits.Gaps;
        return tsn - _cumulative > Window || opensGap ? SctpDataVerdict.Dropped : SctpDataVerdict.Taken;
    }

    // ---- Numbers seen beyond the cumulative one ----

    private bool IsInRanges(uint tsn)
    {
        foreach (Range range in _ranges)
        {
            if (!SctpWire.IsAfter(range.First, tsn) && !SctpWire.IsAfter(tsn, range.Last))
            {
                return true;
            }
        }
        return false;
    }

    private bool TouchesRange(uint tsn)
    {
        foreach (Range range in _ranges)
        {
            if (tsn == range.First - 1 || tsn == range.Last + 1)
            {
                return true;
            }
        }
        return false;
    }

    private void Note(uint tsn)
    {
        if (tsn == _cumulative + 1)
        {
            _cumulative = tsn;
            if (_ranges.Count > 0 && _ranges[0].First == tsn + 1)
            {
                _cumulative = _ranges[0].Last;
                _ranges.RemoveAt(0);
            }
            return;
        }
        int at = 0;
        while (at < _ranges.Count && SctpWire.IsAfter(tsn, _ranges[at].Last))
        {
            at++;
        }
        bool joinsBefore = at > 0 && _ranges[at - 1].Last == tsn - 1;
        bool joinsAfter = at < _ranges.Count && _ranges[at].First == tsn + 1;
        if (joinsBefore && joinsAfter)
        {
            _ranges[at - 1] = new Range(_ranges[at - 1].First, _ranges[at].Last);
            _ranges.RemoveAt(at);
        }
        else if (joinsBefore)
        {
            _ranges[at - 1] = new Range(_ranges[at - 1].First, tsn);
        }
        else if (joinsAfter)
        {
            _ranges[at] = new Range(tsn, _ranges[at].Last);
        }
        else
        {
            _ranges.Insert(at, new Range(tsn, tsn));
        }
    }

    // ---- Messages ----

    private int PlaceOf(uint tsn)
    {
        int at = _chunks.Count;
        while (at > 0 && SctpWire.IsAfter(_chunks[at - 1].Tsn, tsn))
        {
            at--;
        }
        return at;
    }

    /// <summary>Delivers the message around a chunk when it is whole and its turn has come.</summary>
    private void TryAssemble(int at)
    {
        if (!TryFindMessage(at, out int first, out int count))
        {
            return;
        }
        InChunk head = _chunks[first];
        if (head.IsUnordered)
        {
            Deliver(first, count);
            return;
        }
        if (!_nextSsn.TryGetValue(head.Stream, out ushort next))
        {
            if (_nextSsn.Count >= SctpLimits.StreamsInUse)
            {
                Remove(first, count);
                return;
            }
            _nextSsn[head.Stream] = 0;
        }
        if (head.Ssn == next)
        {
            Deliver(first, count);
            _nextSsn[head.Stream] = ++next;
            DeliverWaiting(head.Stream);
        }
    }

    /// <summary>Delivers the messages of a stream that only waited for their turn.</summary>
    private void DeliverWaiting(ushort stream)
    {
        for (int at = 0; at < _chunks.Count; at++)
        {
            InChunk chunk = _chunks[at];
            if (chunk.Stream == stream && !chunk.IsUnordered && chunk.IsBegin && chunk.Ssn == _nextSsn[stream]
                && TryFindMessage(at, out int first, out int count))
            {
                Deliver(first, count);
                _nextSsn[stream]++;
                at = -1;
            }
        }
    }

    private bool TryFindMessage(int at, out int first, out int count)
    {
        first = at;
        count = 0;
        while (!_chunks[first].IsBegin)
        {
            if (first == 0 || !_chunks[first].Follows(_chunks[first - 1]))
            {
                return false;
            }
            first--;
        }
        int last = at;
        while (!_chunks[last].IsEnd)
        {
            if (last == _chunks.Count - 1 || !_chunks[last + 1].Follows(_chunks[last]) || _chunks[last + 1].IsBegin)
            {
                return false;
            }
            last++;
        }
        count = last - first + 1;
        return true;
    }

    private void Deliver(int first, int count)
    {
        InChunk head = _chunks[first];
        byte[] payload = head.Payload;
        if (count > 1)
        {
            int length = 0;
            for (int i = 0; i < count; i++)
            {
                length += _chunks[first + i].Payload.Length;
            }
            payload = new byte[length];
            int at = 0;
            for (int i = 0; i < count; i++)
            {
                _chunks[first + i].Payload.CopyTo(payload, at);
                at += _chunks[first + i].Payload.Length;
            }
        }
        Remove(first, count);
        _messages.Enqueue(new SctpMessage(head.Stream, head.Ppid, payload));
    }

    private void Remove(int first, int count)
    {
        for (int i = 0; i < count; i++)
        {
            _bufferedBytes -= _chunks[first + i].Payload.Length;
        }
        _chunks.RemoveRange(first, count);
    }

    /// <summary>Moves an ordered stream past messages that will not come; those that are whole and older go out first.</summary>
    private void SkipTo(ushort stream, ushort next)
    {
        if (!_nextSsn.TryGetValue(stream, out ushort current))
        {
            if (_nextSsn.Count >= SctpLimits.StreamsInUse)
            {
                return;
            }
        }
        if (!SctpWire.IsAfter(next, current))
        {
            return;
        }
        for (int at = 0; at < _chunks.Count; at++)
        {
            InChunk chunk = _chunks[at];
            if (chunk.Stream == stream && !chunk.IsUnordered && chunk.IsBegin && SctpWire.IsAfter(next, chunk.Ssn)
                && TryFindMessage(at, out int first, out int count))
            {
                Deliver(first, count);
                at = first - 1;
            }
        }
        _nextSsn[stream] = next;
        DeliverWaiting(stream);
    }

    /// <summary>Drops pieces of messages that were given up.</summary>
    private void PurgeUpTo(uint tsn)
    {
        for (int at = 0; at < _chunks.Count && !SctpWire.IsAfter(_chunks[at].Tsn, tsn);)
        {
            if (TryFindMessage(at, out int first, out int count))
            {
                at = first + count;
            }
            else
            {
                Remove(at, 1);
            }
        }
    }

    private readonly record struct Range(uint First, uint Last);

    private sealed record InChunk(uint Tsn, ushort Stream, ushort Ssn, uint Ppid, byte Flags, byte[] Payload)
    {
        public bool IsUnordered => (Flags & SctpWire.UnorderedFlag) != 0;

        public bool IsBegin => (Flags & SctpWire.BeginFlag) != 0;

        public bool IsEnd => (Flags & SctpWire.EndFlag) != 0;

        /// <summary>Whether this is the next piece of the same message.</summary>
        public bool Follows(InChunk before) =>
            Tsn == before.Tsn + 1 && Stream == before.Stream && IsUnordered == before.IsUnordered
            && (IsUnordered || Ssn == before.Ssn) && !before.IsEnd;
    }
}
