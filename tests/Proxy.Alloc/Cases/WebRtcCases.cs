using System;
using Proxy.Core.Net;
using Proxy.Participant;
using Proxy.Rigs;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Rtcp;
using Proxy.WebRtc;
using Proxy.WebRtc.Stun;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

/// <summary>STUN in both directions, and the packet path of a connected peer.</summary>
internal static class WebRtcCases
{
    public static void Add(CaseList list)
    {
        AddStun(list);
        AddPeer(list);
    }

    private static void AddStun(CaseList list)
    {
        byte[] buffer = new byte[400];
        byte[] transaction = new byte[12];
        StunIntegrity key = new("a password of twenty-two");
        int request = WriteRequest(buffer, transaction, key);
        Must(request > 0);
        byte[] message = buffer.AsSpan(0, request).ToArray();
        list.Add("StunWriter", "StunWriter", () => Must(WriteRequest(buffer, transaction, key) > 0))
            .Also(nameof(StunWriter), nameof(StunWriter.Username)).Also(nameof(StunWriter), nameof(StunWriter.Priority)).Also(nameof(StunWriter), nameof(StunWriter.UseCandidate))
            .Also(nameof(StunWriter), nameof(StunWriter.Role)).Also(nameof(StunWriter), nameof(StunWriter.Finish)).Also(nameof(StunIntegrity), nameof(StunIntegrity.Compute));
        list.Add(nameof(StunWriter), nameof(StunWriter.ErrorCode), () =>
        {
            StunWriter writer = new(buffer, StunMessageType.BindingError, transaction);
            writer.ErrorCode(420);
            writer.UnknownAttribute(0x7F);
            Must(writer.Finish(key) > 0);
        }).Also(nameof(StunWriter), nameof(StunWriter.UnknownAttribute));
        list.Add(nameof(StunView), nameof(StunView.TryParse), () =>
        {
            Must(StunView.TryParse(message, out StunView view, out _) && view.VerifyFingerprint() && view.VerifyIntegrity(key));
        }).Also(nameof(StunView), nameof(StunView.VerifyFingerprint)).Also(nameof(StunView), nameof(StunView.VerifyIntegrity)).Also(nameof(StunIntegrity), nameof(StunIntegrity.Verify));
        NetEndPoint mapped = CallRig.EndPoint("[2001:db8::1]:4000");
        list.Add(nameof(StunView), nameof(StunView.TryGetMappedAddress), () =>
        {
            StunWriter writer = new(buffer, StunMessageType.BindingSuccess, transaction);
            writer.XorMappedAddress(mapped);
            int length = writer.Finish(null);
            Must(StunView.TryParse(buffer.AsSpan(0, length), out StunView view, out _) && view.TryGetMappedAddress(out NetEndPoint read) && read == mapped);
        }).Also(nameof(StunWriter), nameof(StunWriter.XorMappedAddress));
    }

    private static int WriteRequest(Span<byte> buffer, ReadOnlySpan<byte> transaction, StunIntegrity key)
    {
        StunWriter writer = new(buffer, StunMessageType.BindingRequest, transaction);
        writer.Username("abcd"u8, "efgh"u8);
        writer.Priority(1);
        writer.UseCandidate();
        writer.Role(true, 7);
        return writer.Finish(key);
    }

    private static void AddPeer(CaseList list)
    {
        CallRig rig = new(RoomCodec.Pcmu);
        PeerConnection peer = rig.Server;
        byte[] buffer = new byte[1_500];
        byte[] cname = "cname"u8.ToArray();
        byte[] payload = new byte[160];
        ushort sequence = 0;
        list.Add(nameof(PeerConnection), nameof(PeerConnection.ProtectRtp), () =>
        {
            int plain = RtpWriter.Write(buffer, new RtpHeader(0, false, ++sequence, sequence * 160u, 4), payload);
            Must(peer.ProtectRtp(buffer, plain) > 0);
            Must(peer.ProtectRtcp(buffer, RtcpWriter.WriteReport(buffer, 4, null, default, cname)) > 0);
        }).Also(nameof(PeerConnection), nameof(PeerConnection.ProtectRtcp));
        list.Add(nameof(PeerConnection), nameof(PeerConnection.HandleDatagram), () =>
        {
            // The caller's packet leaves encrypted in the scratch buffer; what the server makes of it is read back.
            rig.Uplink();
            Must(peer.HandleDatagram(rig.Media.Scratch.Packet.AsSpan(0, rig.LastLength), CallRig.RoomSide, rig.Now, out _) == PacketKind.Rtp);
            peer.TryPollDatagram(buffer, out _, out _);
        }).Also(nameof(PeerConnection), nameof(PeerConnection.TryPollDatagram));
    }
}
