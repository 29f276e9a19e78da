using Proxy.Participant;

namespace Proxy.Bridge;

/// <summary>Any thread. What the end of a room leg means for the call.</summary>
internal static class RoomOutcome
{
    /// <summary>Machine-readable name for the record.</summary>
    public static string Code(RoomEnd end) => end switch
    {
        RoomEnd.Removed => "removed",
        RoomEnd.RoomDeleted => "room_deleted",
        RoomEnd.RoomClosed => "room_closed",
        RoomEnd.DuplicateIdentity => "duplicate_identity",
        RoomEnd.ServerShutdown => "server_shutdown",
        RoomEnd.MediaFailed => "room_media_failed",
        RoomEnd.SignalLost => "room_signal_lost",
        RoomEnd.ConnectionTimeout => "room_timeout",
        RoomEnd.StateMismatch or RoomEnd.RejoinNeeded => "room_rejoin_needed",
        _ => "room_failed",
    };

    /// <summary>Q.850 cause of our BYE.</summary>
    public static int Cause(RoomEnd end) => IsByWish(end) ? 16 : 41;

    /// <summary>Somebody decided it: no fault.</summary>
    public static bool IsByWish(RoomEnd end) =>
        end is RoomEnd.Removed or RoomEnd.RoomDeleted or RoomEnd.RoomClosed or RoomEnd.DuplicateIdentity;

    /// <summary>The room server cannot be reached or is going away: the carrier may try elsewhere.</summary>
    public static bool IsBackend(RoomEnd end) =>
        end is RoomEnd.Unreachable or RoomEnd.Refused or RoomEnd.ServerShutdown or RoomEnd.JoinTimeout or RoomEnd.SignalLost or RoomEnd.MediaFailed;
}
