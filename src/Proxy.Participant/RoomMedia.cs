using System;
using Proxy.Core.Diagnostics;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Participant.Tracks;
using Proxy.WebRtc;

namespace Proxy.Participant;

/// <summary>What <see cref="RoomMedia.HandleDatagram"/> made of a datagram.</summary>
public enum RoomPacketKind
{
    /// <summary>The plain RTP packet of <see cref="RoomPacket.Slot"/> lies in the first <see cref="RoomPacket.Length"/> bytes.</summary>
    Audio,

    /// <summary>STUN, DTLS, SCTP or RTCP: handled.</summary>
    Consumed,

    /// <summary>Dropped and counted.</summary>
    Dropped,
}

/// <param name="Slot">Index for <see cref="RoomMedia.RemoteAt"/>; -1 when not audio.</param>
/// <param name="Length">Bytes of the plain RTP packet; 0 when not audio.</param>
/// <param name="Codec">Of the packet's payload type.</param>
public readonly record struct RoomPacket(RoomPacketKind Kind, int Slot, int Length, RoomCodec Codec);

/// <summary>Shard. One participant's media: the peer transport, the published track and the remote tracks.</summary>
public sealed class RoomMedia : IDisposable
{
    /// <summary>Remote tracks that can be heard at once; more are not mixed and counted.</summary>
    public const int RemoteSlots = 16;

    /// <param name="peer">The transport; owned and disposed here. Options: controlling, ActPass, HasData, channels <c>_reliable</c>, <c>_lossy</c>.</param>
    /// <param name="ssrc">As in <see cref="RoomJoin.Ssrc"/>.</param>
    /// <param name="cname">As in <see cref="RoomJoin.Cname"/>.</param>
    /// <param name="firstSequence">Random start of our sequence numbers.</param>
    /// <param name="firstTimestamp">Random start of our timestamps.</param>
    public RoomMedia(PeerConnection peer, uint ssrc, string cname, ushort firstSequence, uint firstTimestamp) => throw new NotImplementedException();

    public PeerState State => throw new NotImplementedException();

    /// <summary>Where the datagrams of <see cref="Track"/> are sent; unset before the transport is up.</summary>
    public NetEndPoint Remote => throw new NotImplementedException();

    public MonoTime NextDeadline => throw new NotImplementedException();

    /// <summary>The published track.</summary>
    public AudioTrack Track => throw new NotImplementedException();

    /// <summary>A remote track's slot, 0 ≤ slot &lt; <see cref="RemoteSlots"/>.</summary>
    public RemoteAudio RemoteAt(int slot) => throw new NotImplementedException();

    /// <summary>Carries out a command of the signal side.</summary>
    public void Handle(MediaCommand command, MonoTime now) => throw new NotImplementedException();

    /// <summary>Handles one datagram from the room server in place.</summary>
    [NoAlloc]
    public RoomPacket HandleDatagram(Span<byte> datagram, in NetEndPoint from, MonoTime now) => throw new NotImplementedException();

    public void HandleTimeout(MonoTime now) => throw new NotImplementedException();

    /// <summary>Next datagram to send that is not audio of ours (STUN, DTLS, SCTP, RTCP); drain until false after every input.</summary>
    public bool TryPollDatagram(Span<byte> buffer, out int length, out NetEndPoint to) => throw new NotImplementedException();

    /// <summary>Next event for <see cref="RoomParticipant.HandlePeerEvent"/>; drain until false.</summary>
    public bool TryPollEvent(out PeerEvent peerEvent) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
