using Proxy.Core.Diagnostics;
using Proxy.Core.Time;

namespace Proxy.Rtp.Rtcp;

/// <summary>Shard. Counts what we sent on one stream, makes the sender part of its reports, and reads what the receiver reports back.</summary>
/// <remarks>RFC 3550 §6.4.1.</remarks>
public sealed class SendStatistics
{
    private readonly int _clockHz;
    private uint _lastTimestamp;
    private MonoTime _lastSentAt;

    /// <param name="clockHz">The stream's RTP clock, 8,000 or 48,000.</param>
    public SendStatistics(int clockHz) => _clockHz = clockHz;

    public long Packets { get; private set; }

    /// <summary>Payload bytes.</summary>
    public long Octets { get; private set; }

    /// <summary>Last measured round trip, milliseconds; −1 before the first.</summary>
    public double RoundTripMs { get; private set; } = -1;

    /// <summary>What the receiver says it lost of our stream, whole call.</summary>
    public int RemoteLost { get; private set; }

    /// <summary>Loss of the receiver's last interval, 0–1.</summary>
    public double RemoteFractionLost { get; private set; }

    /// <summary>The receiver's jitter, milliseconds.</summary>
    public double RemoteJitterMs { get; private set; }

    [NoAlloc]
    public void OnPacket(uint timestamp, int payloadBytes, MonoTime now)
    {
        Packets++;
        Octets += payloadBytes;
        _lastTimestamp = timestamp;
        _lastSentAt = now;
    }

    /// <summary>The sender part of a report at <paramref name="now"/>; its RTP time is extrapolated from the last packet.</summary>
    [NoAlloc]
    public SenderInfo MakeSenderInfo(MonoTime now)
    {
        long ticks = (now.Micros - _lastSentAt.Micros) * _clockHz / 1_000_000;
        return new SenderInfo(NtpTime.From(now), _lastTimestamp + (uint)ticks, (uint)Packets, (uint)Octets);
    }

    /// <summary>Reads a report block about our stream.</summary>
    [NoAlloc]
    public void OnReport(in ReportBlock report, MonoTime now)
    {
        RemoteLost = report.CumulativeLost;
        RemoteFractionLost = report.FractionLost / 256.0;
        RemoteJitterMs = report.Jitter * 1000.0 / _clockHz;
        if (report.LastSenderReport == 0)
        {
            return;
        }
        int roundTrip = (int)(NtpTime.Middle(NtpTime.From(now)) - report.LastSenderReport - report.DelaySinceLast);
        // A lie or a mix-up gives a negative or an absurd time; no path takes ten seconds.
        if (roundTrip is >= 0 and < 10 * 65_536)
        {
            RoundTripMs = roundTrip * 1000.0 / 65_536;
        }
    }
}
