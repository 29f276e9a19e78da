using System;
using Proxy.Participant;
using Proxy.Participant.Tracks;
using Proxy.Rigs;
using static Proxy.Alloc.CaseList;

namespace Proxy.Alloc.Cases;

internal static class ParticipantCases
{
    public static void Add(CaseList list)
    {
        CallRig rig = new(RoomCodec.Pcmu);
        RoomMedia room = rig.Media.Room!;
        byte[] buffer = new byte[1_500];
        byte[] payload = new byte[160];
        ushort sequence = 0;
        list.Add(nameof(AudioTrack), nameof(AudioTrack.WritePassthrough), () =>
        {
            sequence++;
            Must(room.Track.WritePassthrough(sequence, sequence * 160u, false, payload, 30, buffer, rig.Now) > 0);
            Must(room.Track.WriteFrame(payload, 160, false, 30, buffer, rig.Now) > 0);
            room.Track.SkipTime(160);
            room.Track.RestartSource();
        }).Also(nameof(AudioTrack), nameof(AudioTrack.WriteFrame)).Also(nameof(AudioTrack), nameof(AudioTrack.SkipTime)).Also(nameof(AudioTrack), nameof(AudioTrack.RestartSource));
        list.Add(nameof(RoomMedia), nameof(RoomMedia.HandleDatagram), () =>
        {
            int length = rig.ProtectDownlink(buffer);
            Must(room.HandleDatagram(buffer.AsSpan(0, length), CallRig.RoomServer, rig.Now).Kind == RoomPacketKind.Audio);
        }).Also("RemoteAudio", "OnPacket");
        list.Add(nameof(RemoteAudio), nameof(RemoteAudio.TryGetCodec), () => Must(room.RemoteAt(0).TryGetCodec(111, out RoomCodec codec) && codec == RoomCodec.Opus));
    }
}
