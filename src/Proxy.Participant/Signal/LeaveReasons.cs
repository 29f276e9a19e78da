using Proxy.LiveKit.Protocol;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. What a server's Leave, or its refusal to let us in, means for the call.</summary>
internal static class LeaveReasons
{
    public static (RoomEnd End, string Text) OfLeave(LeaveRequest leave) => leave.Reason switch
    {
        DisconnectReason.ClientInitiated => (RoomEnd.Left, "we left the room"),
        DisconnectReason.DuplicateIdentity => (RoomEnd.DuplicateIdentity, "another participant joined the room with our identity"),
        DisconnectReason.ServerShutdown => (RoomEnd.ServerShutdown, "the room server shuts down"),
        DisconnectReason.ParticipantRemoved => (RoomEnd.Removed, "we were removed from the room"),
        DisconnectReason.RoomDeleted => (RoomEnd.RoomDeleted, "the room was deleted"),
        DisconnectReason.StateMismatch => (RoomEnd.StateMismatch, "the room server no longer knows our session"),
        DisconnectReason.JoinFailure => (RoomEnd.JoinFailed, "the room server gave up on our join"),
        DisconnectReason.Migration => (RoomEnd.RejoinNeeded, "the room moves to another server"),
        DisconnectReason.SignalClose => (RoomEnd.SignalLost, "the room server closed the signalling connection"),
        DisconnectReason.RoomClosed => (RoomEnd.RoomClosed, "the room was closed"),
        DisconnectReason.ConnectionTimeout => (RoomEnd.ConnectionTimeout, "the room server lost our media"),
        DisconnectReason.MediaFailure => (RoomEnd.MediaFailed, "the room server reports a media failure"),
        _ => OfAction(leave),
    };

    /// <param name="status">HTTP status of the refused upgrade; 0 when there was none.</param>
    public static RoomEnd OfStatus(int status) => status switch
    {
        0 => RoomEnd.Unreachable,
        401 or 403 => RoomEnd.Unauthorized,
        404 => RoomEnd.RoomNotFound,
        400 or 405 or 414 or 431 => RoomEnd.BadRequest,
        _ => RoomEnd.Refused,
    };

    private static (RoomEnd End, string Text) OfAction(LeaveRequest leave) =>
        leave.Action != LeaveRequest.Types.Action.Disconnect || leave.CanReconnect
            ? (RoomEnd.RejoinNeeded, "the room server asks for a new join")
            : (RoomEnd.Other, $"the room server ended our session, reason {(int)leave.Reason}");
}
