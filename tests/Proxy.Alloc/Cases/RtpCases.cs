using System;
using Proxy.Core.Time;
using Proxy.Rtp.Dtmf;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Rtcp;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

/// <summary>RTP, RTCP and telephone events.</summary>
internal static class RtpCases
{
    private static readonly MonoTime s_now = MonoTime.FromMillis(90_000);

    public static void Add(CaseList list)
    {
        AddPackets(list);
        AddSequences(list);
        AddReports(list);
        AddStatistics(list);
        AddDigits(list);
    }

    private static void AddPackets(CaseList list)
    {
        byte[] payload = new byte[160];
        byte[] packet = new byte[200];
        RtpHeader header = new(0, true, 7, 1_120, 99);
        int length = RtpWriter.Write(packet, header, payload, 3, 40);
        list.Add(nameof(Demux), nameof(Demux.Of), () => Must(Demux.Of(packet) == PacketClass.Rtp));
        list.Add(nameof(RtpView), nameof(RtpView.TryParse), () =>
        {
            Must(RtpView.TryParse(packet.AsSpan(0, length), out RtpView view, out _));
            Must(view.TryGetExtension(3, out _));
        }).Also(nameof(RtpView), nameof(RtpView.TryGetExtension));
        list.Add(nameof(RtpWriter), nameof(RtpWriter.Write), () =>
        {
            Must(RtpWriter.Write(packet, header, payload, 3, 40) == RtpWriter.HeaderBytes(3) + 160);
            Must(RtpWriter.WriteHeader(packet, header, 3, 40) > 0 && RtpWriter.Patch(packet, header));
        }).Also(nameof(RtpWriter), nameof(RtpWriter.HeaderBytes)).Also(nameof(RtpWriter), nameof(RtpWriter.WriteHeader)).Also(nameof(RtpWriter), nameof(RtpWriter.Patch));
    }

    private static void AddSequences(CaseList list) =>
        list.Add(nameof(SequenceMath), nameof(SequenceMath.Distance), () =>
        {
            Must(SequenceMath.Distance((ushort)1, (ushort)65_535) == 2 && SequenceMath.Distance(1u, uint.MaxValue) == 2);
            Must(SequenceMath.IsNewer((ushort)1, (ushort)65_535) && SequenceMath.IsNewer(1u, uint.MaxValue));
            Must(SequenceMath.Extend((ushort)1, 65_535) == 65_537 && SequenceMath.Extend(1u, uint.MaxValue) == 0x1_0000_0001);
        }).Also(nameof(SequenceMath), nameof(SequenceMath.IsNewer)).Also(nameof(SequenceMath), nameof(SequenceMath.Extend));

    private static void AddReports(CaseList list)
    {
        byte[] buffer = new byte[400];
        byte[] cname = "cname"u8.ToArray();
        ReportBlock[] blocks = [new(1, 2, 3, 4, 5, 6, 7)];
        SenderInfo info = new(1, 2, 3, 4);
        int length = RtcpWriter.WriteReport(buffer, 9, info, blocks, cname);
        length += RtcpWriter.WriteBye(buffer.AsSpan(length), 9);
        list.Add(nameof(RtcpWriter), nameof(RtcpWriter.WriteReport), () =>
        {
            int report = RtcpWriter.WriteReport(buffer, 9, info, blocks, cname);
            Must(report > 0 && RtcpWriter.WriteBye(buffer.AsSpan(report), 9) > 0);
        }).Also(nameof(RtcpWriter), nameof(RtcpWriter.WriteBye));
        list.Add(nameof(RtcpView), nameof(RtcpView.TryParse), () =>
        {
            Must(RtcpView.TryParse(buffer.AsSpan(0, length), out RtcpView view, out _));
            int seen = 0;
            while (view.TryNext(out RtcpPacket packet))
            {
                seen += packet.TryGetSenderInfo(out _) ? 1 : 0;
                seen += packet.ReportCount > 0 && packet.Report(0).Ssrc == 1 ? 1 : 0;
                seen += packet.ByeCount > 0 && packet.ByeSsrc(0) == 9 ? 1 : 0;
            }
            Must(seen == 3);
        }).Also(nameof(RtcpView), nameof(RtcpView.TryNext)).Also(nameof(RtcpPacket), nameof(RtcpPacket.TryGetSenderInfo))
            .Also(nameof(RtcpPacket), nameof(RtcpPacket.Report)).Also(nameof(RtcpPacket), nameof(RtcpPacket.ByeSsrc));
        list.Add(nameof(NtpTime), nameof(NtpTime.From), () => Must(NtpTime.Middle(NtpTime.From(s_now)) != 0)).Also(nameof(NtpTime), nameof(NtpTime.Middle));
    }

    private static void AddStatistics(CaseList list)
    {
        ReceiveStatistics received = new(8_000);
        ushort sequence = 0;
        list.Add(nameof(ReceiveStatistics), nameof(ReceiveStatistics.OnPacket), () =>
        {
            sequence++;
            received.OnPacket(5, sequence, sequence * 160u, s_now.AddMillis(sequence * 20));
            received.OnSenderReport(new SenderInfo(1, 2, 3, 4), s_now);
            Must(received.MakeReport(s_now.AddMillis(1)).Ssrc == 5);
        }).Also(nameof(ReceiveStatistics), nameof(ReceiveStatistics.OnSenderReport)).Also(nameof(ReceiveStatistics), nameof(ReceiveStatistics.MakeReport));
        SendStatistics sent = new(8_000);
        list.Add(nameof(SendStatistics), nameof(SendStatistics.OnPacket), () =>
        {
            sent.OnPacket(160, 160, s_now);
            Must(sent.MakeSenderInfo(s_now).Packets > 0);
            sent.OnReport(new ReportBlock(1, 64, 3, 4, 80, 0, 0), s_now);
        }).Also(nameof(SendStatistics), nameof(SendStatistics.MakeSenderInfo)).Also(nameof(SendStatistics), nameof(SendStatistics.OnReport));
    }

    private static void AddDigits(CaseList list)
    {
        byte[] packet = new byte[32];
        byte[] payload = new byte[DtmfPacket.PayloadBytes];
        DtmfReceiver receiver = new();
        ushort sequence = 0;
        list.Add(nameof(DtmfReceiver), nameof(DtmfReceiver.Receive), () =>
        {
            sequence += 2;
            new DtmfPacket(0, true, 0x0580_0320).WritePayload(payload);
            int length = RtpWriter.Write(packet, new RtpHeader(101, true, sequence, sequence * 800u, 5), payload);
            Must(RtpView.TryParse(packet.AsSpan(0, length), out RtpView view, out _));
            Must(receiver.Receive(view, out char digit) == DtmfVerdict.Digit && digit == '5');
        }).Also(nameof(DtmfPacket), nameof(DtmfPacket.WritePayload));
        DtmfSender sender = new();
        uint timestamp = 0;
        list.Add(nameof(DtmfSender), nameof(DtmfSender.Tick), () =>
        {
            if (!sender.IsActive)
            {
                sender.TryQueue("12w#");
            }
            Span<DtmfPacket> packets = stackalloc DtmfPacket[DtmfSender.MaxPacketsPerTick];
            sender.Tick(timestamp += 160, packets);
        });
    }
}
