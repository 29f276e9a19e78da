namespace Proxy.Policy.Dispatch;

/// <summary>Any thread. What becomes of a caller whom everybody else in the room has left.</summary>
public enum WhenAlone : byte
{
    /// <summary>Nothing: the caller hears silence until somebody comes. As livekit/sip.</summary>
    Stay,

    /// <summary>BYE.</summary>
    HangUp,

    /// <summary>The rule's agents are asked for again; BYE when nobody comes within the ringing timeout.</summary>
    Dispatch,
}
