using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.Rtp.Dtmf;
using Proxy.Rtp.Jitter;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Rtcp;
using Proxy.Rtp.Srtp;

namespace Proxy.Fuzz.Targets;

internal static class RtpTargets
{
    private static readonly PacketSlab s_slab = new(512, 1_500);
    private static readonly byte[] s_payload = new byte[1_500];
    private static readonly SrtpSession s_srtp = new(SrtpProfile.AesCm128HmacSha1_80, new byte[30], new byte[30]);

    /// <summary>One datagram: what it is, its header and extensions, and SRTP's refusal of it.</summary>
    public static Target Packet() => new("rtp-packet", ReadPacket, Packets(), Words.Bytes) { LongestInput = 1_500 };

    public static Target Reports() => new("rtcp", ReadReports, Compounds(), Words.Bytes) { LongestInput = 1_500 };

    /// <summary>A stream of packets through sequencer, jitter buffer, DTMF and statistics; every slot comes back.</summary>
    public static Target Flow() => new("rtp-flow", RunFlow, Flows(), Words.Bytes) { AllocatesAtMost = 200_000, AllocatesPerByte = 64, LongestInput = 4_096 };

    private static IEnumerable<byte[]> Packets()
    {
        byte[] buffer = new byte[400];
        int length = RtpWriter.Write(buffer, new RtpHeader(0, true, 1, 160, 5), new byte[160], 1, 30);
        yield return buffer[..length];
        length = RtpWriter.Write(buffer, new RtpHeader(101, true, 1, 160, 5), [5, 10, 0, 160]);
        yield return buffer[..length];
        // CSRCs, a two-byte extension and padding.
        yield return [0xB2, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x10, 0, 0, 2, 1, 2, 7, 7, 2, 0, 0, 0, 9, 9, 9, 9, 0, 0, 0, 4];
    }

    private static void ReadPacket(byte[] input)
    {
        Demux.Of(input);
        if (RtpView.TryParse(input, out RtpView view, out _))
        {
            _ = view.Payload.Length + view.Header.Ssrc;
            for (int id = 0; id < 17; id++)
            {
                view.TryGetExtension(id, out _);
            }
        }
        Span<byte> copy = stackalloc byte[1_500];
        input.CopyTo(copy);
        s_srtp.UnprotectRtp(copy[..input.Length], out _);
        input.CopyTo(copy);
        s_srtp.UnprotectRtcp(copy[..input.Length], out _);
    }

    private static IEnumerable<byte[]> Compounds()
    {
        byte[] buffer = new byte[400];
        int length = RtcpWriter.WriteReport(buffer, 9, new SenderInfo(1, 2, 3, 4), [new ReportBlock(1, 2, 3, 4, 5, 6, 7)], "cname"u8);
        length += RtcpWriter.WriteBye(buffer.AsSpan(length), 9);
        yield return buffer[..length];
    }

    private static void ReadReports(byte[] input)
    {
        if (!RtcpView.TryParse(input, out RtcpView view, out _))
        {
            return;
        }
        SendStatistics sent = new(8_000);
        ReceiveStatistics received = new(8_000);
        while (view.TryNext(out RtcpPacket packet))
        {
            if (packet.TryGetSenderInfo(out SenderInfo info))
            {
                received.OnSenderReport(info, MonoTime.FromMillis(1_000));
            }
            for (int i = 0; i < packet.ReportCount; i++)
            {
                sent.OnReport(packet.Report(i), MonoTime.FromMillis(1_000));
            }
            for (int i = 0; i < packet.ByeCount; i++)
            {
                packet.ByeSsrc(i);
            }
        }
        received.MakeReport(MonoTime.FromMillis(2_000));
    }

    private static IEnumerable<byte[]> Flows()
    {
        byte[][] row = [.. Enumerable.Range(0, 12).Select(i => (byte[])[(byte)(i * 3), 0x80, 0, 0, (byte)i, 0, 0, 0, (byte)(i * 16), 0, 0, 0, 5, 1, 2, 3, 4])];
        yield return Pieces.Join(row);
        yield return Pieces.Join([.. row.Reverse()]);
        yield return Pieces.Join([.. row.Select(p => (byte[])[p[0], 0x80, 101, .. p[3..13], 5, 0x8A, 3, 32])]);
    }

    private static void RunFlow(byte[] input)
    {
        int free = s_slab.Available;
        PassthroughSequencer sequencer = new(new Limits(), s_slab, 8_000, 65_530, 1);
        JitterBuffer jitter = new(new Limits(), s_slab, 8_000);
        DtmfReceiver digits = new();
        ReceiveStatistics statistics = new(8_000);
        MonoTime now = MonoTime.FromMillis(1_000);
        foreach (byte[] piece in Pieces.Cut(input, 200))
        {
            // The first byte is the time that passes.
            if (piece.Length == 0 || !RtpView.TryParse(piece.AsSpan(1), out RtpView view, out _))
            {
                continue;
            }
            now = now.AddMillis(piece[0] * (piece[0] > 250 ? 1_000 : 1));
            statistics.OnPacket(view.Ssrc, view.SequenceNumber, view.Timestamp, now);
            digits.Receive(view, out _);
            if (view.PayloadType == 13)
            {
                sequencer.TakeOut(view, now);
                jitter.TakeOut(view, now);
            }
            else
            {
                sequencer.Push(view, now, out _);
                jitter.Push(view, view.Payload.Length, now);
            }
            while (sequencer.TryPoll(now, s_payload, out _, out _))
            {
            }
            jitter.Pop(now, 160, s_payload, out PoppedFrame frame);
            if (frame.Length > s_payload.Length)
            {
                throw new InvalidOperationException("a frame longer than its packet");
            }
        }
        statistics.MakeReport(now);
        sequencer.Dispose();
        jitter.Dispose();
        if (s_slab.Available != free)
        {
            throw new InvalidOperationException($"{free - s_slab.Available} slots are lost");
        }
    }
}
