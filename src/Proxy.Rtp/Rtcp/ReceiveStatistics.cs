using Proxy.Core.Diagnostics;
using Proxy.Core.Time;
using Proxy.Rtp.Packets;

namespace Proxy.Rtp.Rtcp;

/// <summary>Shard. Counts what arrived of one stream, and makes its report block.</summary>
/// <remarks>RFC 3550 §6.4.1, appendices A.1, A.3, A.8. A new SSRC or a jump restarts the interval, not the totals.</remarks>
public sealed class ReceiveStatistics
{
    private readonly int _clockHz;
    private bool _hasStarted;
    private long _base;
    private long _highest;
    private long _receivedHere;
    private long _expectedBefore;
    private long _receivedBefore;
    private long _expectedOld;
    private long _receivedOld;
    private long _lastTransit;
    private uint _lastTimestamp;
    private long _extendedTimestamp;
    private double _jitter;
    private uint _lastReport;
    private MonoTime _lastReportAt;

    /// <param name="clockHz">The stream's RTP clock, 8,000 or 48,000.</param>
    public ReceiveStatistics(int clockHz) => _clockHz = clockHz;

    public uint Ssrc { get; private set; }

    /// <summary>Packets received since the call's start, duplicates included.</summary>
    public long Received => _receivedOld + _receivedHere;

    /// <summary>Packets that the numbering promises since the call's start.</summary>
    public long Expected => _expectedOld + ExpectedHere;

    /// <summary>Expected − received; negative when duplicates prevail.</summary>
    public long Lost => Expected - Received;

    /// <summary>Interarrival jitter, milliseconds.</summary>
    public double JitterMs => _jitter * 1000 / _clockHz;

    private long ExpectedHere => _hasStarted ? _highest - _base + 1 : 0;

    /// <summary>Takes note of an accepted packet.</summary>
    [NoAlloc]
    public void OnPacket(uint ssrc, ushort sequenceNumber, uint timestamp, MonoTime now)
    {
        long sequence = _hasStarted ? SequenceMath.Extend(sequenceNumber, _highest) : sequenceNumber;
        if (!_hasStarted || ssrc != Ssrc || sequence - _highest is > 3000 or < -3000)
        {
            Restart(ssrc, sequenceNumber, timestamp, now);
            return;
        }
        _receivedHere++;
        if (sequence > _highest)
        {
            _highest = sequence;
        }
        _extendedTimestamp += SequenceMath.Distance(timestamp, _lastTimestamp);
        _lastTimestamp = timestamp;
        long transit = Transit(now);
        long difference = transit - _lastTransit;
        _lastTransit = transit;
        // A pause that the sender did not stamp, or a clock that jumped, says nothing about the network.
        if (difference > -_clockHz && difference < _clockHz)
        {
            _jitter += ((difference < 0 ? -difference : difference) - _jitter) / 16;
        }
    }

    /// <summary>Takes note of the stream's sender report, for the round trip that our report lets its sender measure.</summary>
    [NoAlloc]
    public void OnSenderReport(in SenderInfo info, MonoTime now)
    {
        _lastReport = NtpTime.Middle(info.Ntp);
        _lastReportAt = now;
    }

    /// <summary>Makes the block for the next report and starts the next interval.</summary>
    [NoAlloc]
    public ReportBlock MakeReport(MonoTime now)
    {
        long expected = Expected - _expectedBefore;
        long received = Received - _receivedBefore;
        _expectedBefore = Expected;
        _receivedBefore = Received;
        long lost = expected - received;
        byte fraction = expected <= 0 || lost <= 0 ? (byte)0 : (byte)long.Min(lost * 256 / expected, 255);
        uint delay = _lastReport == 0 ? 0 : (uint)((now.Micros - _lastReportAt.Micros) * 65_536 / 1_000_000);
        int total = (int)long.Clamp(Lost, -0x80_0000, 0x7F_FFFF);
        return new ReportBlock(Ssrc, fraction, total, (uint)_highest, (uint)_jitter, _lastReport, delay);
    }

    private void Restart(uint ssrc, ushort sequenceNumber, uint timestamp, MonoTime now)
    {
        _expectedOld = Expected;
        _receivedOld = Received;
        if (ssrc != Ssrc)
        {
            _lastReport = 0;
            _jitter = 0;
        }
        Ssrc = ssrc;
        _hasStarted = true;
        _base = sequenceNumber;
        _highest = sequenceNumber;
        _receivedHere = 1;
        _lastTimestamp = timestamp;
        _extendedTimestamp = timestamp;
        _lastTransit = Transit(now);
    }

    private long Transit(MonoTime now) =>
        (now.Micros / 1_000_000 * _clockHz) + (now.Micros % 1_000_000 * _clockHz / 1_000_000) - _extendedTimestamp;
}
