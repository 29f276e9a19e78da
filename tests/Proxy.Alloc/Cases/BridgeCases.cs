using System;
using Proxy.Bridge.Media;
using Proxy.Participant;
using Proxy.Rigs;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Rtcp;
using Proxy.Rtp.Srtp;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

/// <summary>A call's packet path as a whole: passthrough and Opus, the caller's leg plain and encrypted.</summary>
internal static class BridgeCases
{
    public static void Add(CaseList list)
    {
        AddTurn(list, new CallRig(RoomCodec.Pcmu));
        AddTurn(list, new CallRig(RoomCodec.Pcma));
        AddTurn(list, new CallRig(RoomCodec.Opus));
        AddTurn(list, new CallRig(RoomCodec.Pcmu, SrtpProfile.AesCm128HmacSha1_80));
        AddTurn(list, new CallRig(RoomCodec.Opus, SrtpProfile.AeadAes128Gcm));
        AddNoise(list, new CallRig(RoomCodec.Pcmu));
        AddReports(list, new CallRig(RoomCodec.Pcmu));
        SourceLatch latch = new(CallRig.Caller, CallRig.Caller.Address);
        ushort sequence = 0;
        list.Add(nameof(SourceLatch), nameof(SourceLatch.Check), () =>
        {
            sequence++;
            Must(latch.Check(CallRig.Caller, 1, sequence, new(sequence * 20_000)) == LatchVerdict.Accept);
            Must(latch.Check(CallRig.RoomServer, 1, sequence, new(sequence * 20_000)) != LatchVerdict.Accept);
        });
    }

    private static void AddTurn(CaseList list, CallRig rig) =>
        list.Add(nameof(CallMedia), nameof(CallMedia.HandleSip), () =>
        {
            long toRoom = rig.ToRoom;
            long toCaller = rig.ToCaller;
            rig.Turn();
            Must(rig.ToCaller > toCaller && rig.ToRoom >= toRoom);
        }).Also(nameof(CallMedia), nameof(CallMedia.HandleRoom)).Also(nameof(CallMedia), nameof(CallMedia.Tick)).Also("CallMedia", "SendSip").Also("CallMedia", "SendRoom")
            .Also(nameof(Uplink), nameof(Uplink.Push)).Also(nameof(Uplink), nameof(Uplink.Tick)).Also(nameof(Uplink), nameof(Uplink.HandleTimeout))
            .Also(nameof(Downlink), nameof(Downlink.Push)).Also(nameof(Downlink), nameof(Downlink.Tick));

    /// <summary>Comfort noise of the caller is taken out of the numbering.</summary>
    private static void AddNoise(CaseList list, CallRig rig)
    {
        byte[] packet = new byte[32];
        byte[] payload = [70];
        ushort sequence = 0;
        list.Add(nameof(Uplink), nameof(Uplink.TakeOut), () =>
        {
            sequence++;
            int length = RtpWriter.Write(packet, new RtpHeader(13, false, sequence, sequence * 160u, 78), payload);
            rig.Media.HandleSip(packet.AsSpan(0, length), CallRig.Caller, rig.Now);
        });
    }

    private static void AddReports(CaseList list, CallRig rig)
    {
        byte[] packet = new byte[200];
        byte[] cname = "caller"u8.ToArray();
        ReportBlock[] blocks = [new(99, 0, 0, 0, 0, 0, 0)];
        SipRtcp rtcp = new();
        SendStatistics sent = new(8_000);
        rtcp.Start(rig.Now);
        long at = 0;
        list.Add(nameof(SipRtcp), nameof(SipRtcp.Handle), () =>
        {
            int length = RtcpWriter.WriteReport(packet, 77, new SenderInfo(1, 2, 3, 4), blocks, cname);
            rtcp.Handle(packet.AsSpan(0, length), sent, 99, rig.Now);
            rig.Media.HandleSip(packet.AsSpan(0, length), CallRig.Caller, rig.Now);
            at += 6_000;
            Must(rtcp.TryWrite(packet, sent, 99, cname, rig.Now.AddMillis(at)) > 0);
        }).Also(nameof(SipRtcp), nameof(SipRtcp.TryWrite));
    }
}
