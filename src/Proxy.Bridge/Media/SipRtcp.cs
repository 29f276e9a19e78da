using System;
using Proxy.Core.Diagnostics;
using Proxy.Core.Time;
using Proxy.Rtp.Rtcp;

namespace Proxy.Bridge.Media;

/// <summary>Shard. Small RTCP on the caller's leg: our reports every five seconds, the caller's read.</summary>
/// <remarks>RFC 3550 §6; reports only, no feedback. A BYE of the caller's stream is noted by nobody: SIP ends calls.</remarks>
public sealed class SipRtcp
{
    private const long IntervalMicros = 5_000_000;
    private MonoTime _next = MonoTime.Never;

    public ReceiveStatistics Received { get; } = new(8000);

    public void Start(MonoTime now) => _next = now.AddMicros(IntervalMicros / 2);

    [NoAlloc]
    public void Handle(ReadOnlySpan<byte> datagram, SendStatistics sent, uint ourSsrc, MonoTime now)
    {
        if (!RtcpView.TryParse(datagram, out RtcpView view, out _))
        {
            return;
        }
        while (view.TryNext(out RtcpPacket packet))
        {
            if (packet.TryGetSenderInfo(out SenderInfo info))
            {
                Received.OnSenderReport(info, now);
            }
            for (int i = 0; i < packet.ReportCount; i++)
            {
                ReportBlock block = packet.Report(i);
                if (block.Ssrc == ourSsrc)
                {
                    sent.OnReport(block, now);
                }
            }
        }
    }

    /// <summary>Writes a report when its time has come.</summary>
    /// <returns>Bytes written; 0 when none is due.</returns>
    [NoAlloc]
    public int TryWrite(Span<byte> buffer, SendStatistics sent, uint ourSsrc, ReadOnlySpan<byte> cname, MonoTime now)
    {
        if (now < _next)
        {
            return 0;
        }
        _next = now.AddMicros(IntervalMicros);
        Span<ReportBlock> reports = stackalloc ReportBlock[1];
        int count = 0;
        if (Received.Received > 0)
        {
            reports[count++] = Received.MakeReport(now);
        }
        SenderInfo? info = sent.Packets > 0 ? sent.MakeSenderInfo(now) : null;
        return RtcpWriter.WriteReport(buffer, ourSsrc, info, reports[..count], cname);
    }
}
