namespace Proxy.Bridge.Media;

/// <summary>What the signal thread tells a call's media.</summary>
public enum CallCommandKind
{
    /// <summary>Payload: Func&lt;MonoTime, RoomMedia&gt;, called on the shard. A room that was there before is closed.</summary>
    OpenRoom,

    /// <summary>Payload: a <see cref="Proxy.Participant.MediaCommand"/> for the room side, not looked into.</summary>
    Room,

    /// <summary>Payload: <see cref="SipAudio"/>. Audio runs both ways from now on.</summary>
    StartSip,

    /// <summary>Payload: <see cref="SipAudio"/> after a re-INVITE, an UPDATE or a late answer.</summary>
    Renegotiate,

    /// <summary>Payload: string of digits to be played to the caller as RFC 4733 events.</summary>
    SendDtmf,

    /// <summary>Payload: <see cref="Playback"/>, heard by the caller instead of the room; null stops it.</summary>
    Play,

    /// <summary>Payload: bool. True: what the caller says does not reach the room; digits are still told.</summary>
    Deafen,

    /// <summary>Payload: bool. True: the caller may be silent for as long as it likes; false: from now on the media timeout counts again.</summary>
    RestTimeout,

    /// <summary>The call is over for the caller: audio stops both ways, the room's transport stays.</summary>
    StopSip,

    /// <summary>Everything is freed; the last event is <see cref="CallEventKind.Closed"/>.</summary>
    Close,
}

/// <summary>Any thread. Samples for the caller.</summary>
/// <param name="Samples">8 kHz; not changed any more.</param>
/// <param name="Number">Given back when it is over.</param>
/// <param name="Repeats">From the beginning again until something else is played.</param>
public sealed record Playback(short[] Samples, int Number, bool Repeats = false);

/// <summary>Signal thread to shard.</summary>
public readonly record struct CallCommand(CallCommandKind Kind, object? Payload);

/// <summary>What a call's media tells the signal thread.</summary>
public enum CallEventKind
{
    /// <summary>Payload: boxed PeerEvent of the room's transport; Number: which <see cref="CallCommandKind.OpenRoom"/> made it, from 1.</summary>
    Peer,

    /// <summary>The caller's first accepted packet came.</summary>
    FirstPacket,

    /// <summary>Number: the character of the digit that the caller pressed.</summary>
    Dtmf,

    /// <summary>Nothing was heard from the caller for the media timeout; Number: 1 when nothing ever came.</summary>
    MediaTimeout,

    /// <summary>What <see cref="CallCommandKind.Play"/> started is over; Number: <see cref="Playback.Number"/>.</summary>
    Played,

    /// <summary>Payload: MediaReport. The call's slot on the shard is free.</summary>
    Closed,

    /// <summary>The loop's catch ended this call's media because of a bug of ours; Payload: what was thrown, as text.</summary>
    Broken,
}

/// <summary>Shard to signal thread.</summary>
public readonly record struct CallEvent(CallEventKind Kind, int Number, object? Payload);
