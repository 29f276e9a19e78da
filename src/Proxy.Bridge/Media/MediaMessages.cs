using Proxy.Bridge.Records;

namespace Proxy.Bridge.Media;

/// <summary>What the signal thread tells a call's media.</summary>
public enum MediaCommandKind
{
    /// <summary>Payload: RemoteDescription of the room's transport.</summary>
    SetRemotePeer,

    /// <summary>Payload: a boxed NetEndPoint, a trickled candidate of the room.</summary>
    AddCandidate,

    /// <summary>Payload: how the caller's audio is published (codec, payload type, level extension).</summary>
    SetPublish,

    /// <summary>Payload: array of the tracks that the room sends to us.</summary>
    SetDownTracks,

    /// <summary>Payload: a <see cref="PeerData"/> for the room.</summary>
    SendData,

    /// <summary>Payload: NegotiatedAudio of the SIP leg; audio towards the caller starts.</summary>
    StartSip,

    /// <summary>Payload: NegotiatedAudio after a re-INVITE or UPDATE.</summary>
    Renegotiate,

    /// <summary>Payload: string of digits to be played to the caller as RFC 4733 events.</summary>
    SendDtmf,

    /// <summary>Everything is freed; the last event is <see cref="MediaEventKind.Closed"/>.</summary>
    Close,
}

/// <summary>Signal thread to shard.</summary>
public readonly record struct MediaCommand(MediaCommandKind Kind, object? Payload);

/// <summary>A message for a data channel of the room's transport.</summary>
public sealed record PeerData(string Label, byte[] Payload);

/// <summary>What a call's media tells the signal thread.</summary>
public enum MediaEventKind
{
    /// <summary>Payload: boxed PeerEvent of the room's transport.</summary>
    Peer,

    /// <summary>The caller's first accepted packet came.</summary>
    FirstPacket,

    /// <summary>The first audio of the room went out to the caller.</summary>
    RoomAudio,

    /// <summary>Number: the RFC 4733 event 0–15 that the caller pressed.</summary>
    Dtmf,

    /// <summary>Nothing was heard from the caller for the media timeout; Number: 1 when nothing ever came.</summary>
    MediaTimeout,

    /// <summary>Payload: <see cref="MediaReport"/>. The call's slot on the shard is free.</summary>
    Closed,

    /// <summary>The loop's catch ended this call's media because of a bug of ours; Payload: what was thrown, as text.</summary>
    Broken,
}

/// <summary>Shard to signal thread.</summary>
public readonly record struct MediaEvent(MediaEventKind Kind, int Number, object? Payload);
