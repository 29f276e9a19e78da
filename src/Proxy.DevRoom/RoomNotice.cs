namespace Proxy.DevRoom;

/// <summary>What happened to a participant or a room.</summary>
public enum RoomNoticeKind
{
    /// <summary>The signalling connection was accepted.</summary>
    Joined,

    /// <summary>ICE and DTLS are up.</summary>
    Active,

    /// <summary>Gone; the detail is the reason that the others were told.</summary>
    Left,

    /// <summary>The room is over; the detail is the reason.</summary>
    RoomClosed,
}

/// <summary>Any thread. One line for the log of whoever runs the room server.</summary>
/// <param name="Identity">Empty for a room's own notices.</param>
/// <param name="Detail">A reason as LiveKit names it, or empty.</param>
public readonly record struct RoomNotice(RoomNoticeKind Kind, string Room, string Identity, string Detail)
{
    public override string ToString() => Kind switch
    {
        RoomNoticeKind.RoomClosed => "room " + Room + " closed: " + Detail,
        RoomNoticeKind.Left => Identity + " left room " + Room + ": " + Detail,
        RoomNoticeKind.Active => Identity + " is connected to room " + Room,
        _ => Identity + " joined room " + Room,
    };
}
