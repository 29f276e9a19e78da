using Proxy.Core.Collections;

namespace Proxy.Bridge.Media;

/// <summary>Why no media could be reserved for a call.</summary>
public enum ReserveVerdict
{
    Ok,

    /// <summary>Every port of the RTP or ICE range is taken or resting.</summary>
    NoPort,

    /// <summary>The kernel gave no socket.</summary>
    NoSocket,

    /// <summary>The shards hold as many calls as they may.</summary>
    NoSlot,
}

/// <summary>The sockets and the shard of one call.</summary>
/// <param name="Shard">0-based number of the shard.</param>
/// <param name="SipSocket">Opaque to the bridge.</param>
/// <param name="SipPort">Local UDP port towards the caller.</param>
/// <param name="RoomSocket">Opaque to the bridge.</param>
/// <param name="RoomPort">Local UDP port towards the room server.</param>
public readonly record struct MediaReservation(int Shard, int SipSocket, int SipPort, int RoomSocket, int RoomPort);

/// <summary>Signal thread. Where calls get their sockets and shard; implemented by the runtime.</summary>
public interface IMediaHost
{
    /// <summary>Opens two sockets for a call on the shard with the fewest.</summary>
    /// <param name="listener">Index of the SIP listener that the call came by: its address is the media's.</param>
    ReserveVerdict TryReserve(int listener, out MediaReservation reservation);

    /// <summary>Closes a call's sockets and gives its ports back; of a call that was opened only after its Closed event.</summary>
    /// <param name="isRoomPortClean">The room server knows that we left (or never heard of us): the room port needs no rest.</param>
    void Release(in MediaReservation reservation, bool isRoomPortClean);

    /// <summary>Hands the call's media to its shard; from here on it belongs there.</summary>
    void Open(SlotId call, CallMedia media);

    /// <summary>Sends a command to the call's media.</summary>
    void Command(SlotId call, CallMedia media, in CallCommand command);
}
