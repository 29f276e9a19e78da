using System;
using System.Collections.Generic;

namespace Proxy.Participant;

/// <summary>Any thread. Kinds of participants, as the room server names them.</summary>
public enum RemoteKind
{
    Standard,
    Ingress,
    Egress,
    Sip,
    Agent,
    Connector,
    Bridge,
    Other,
}

/// <summary>Any thread. Another participant of the room.</summary>
public sealed record RemoteParticipant(string Sid, string Identity, string Name, RemoteKind Kind);

/// <summary>Any thread. An audio track that another participant publishes.</summary>
public sealed record RemoteTrack(string Sid, RemoteParticipant Owner, bool IsMuted);

/// <summary>Any thread. What happened in the room.</summary>
public enum RoomEventKind
{
    /// <summary>
    /// The server took us in: <see cref="RoomEvent.RoomSid"/>, <see cref="RoomEvent.ParticipantSid"/>, <see cref="RoomEvent.RoomExisted"/>,
    /// <see cref="RoomEvent.Text"/> = server version.
    /// </summary>
    Joined,

    /// <summary>The answer fixed what we send: <see cref="RoomEvent.Publish"/>.</summary>
    PublishReady,

    /// <summary>ICE and DTLS are up: media flows both ways. The call may be answered.</summary>
    Active,

    /// <summary><see cref="RoomEvent.Participant"/> is in the room.</summary>
    ParticipantJoined,

    /// <summary><see cref="RoomEvent.Participant"/> left it.</summary>
    ParticipantLeft,

    /// <summary>A remote audio track: <see cref="RoomEvent.Track"/>.</summary>
    TrackAdded,

    /// <summary>Its mute state changed.</summary>
    TrackChanged,

    TrackRemoved,

    /// <summary>Somebody is subscribed to our track for the first time.</summary>
    Subscribed,

    /// <summary>The room mutes or unmutes our track: <see cref="RoomEvent.IsMuted"/>. What is sent while muted is thrown away by the server.</summary>
    Muted,

    /// <summary>DTMF from the room, to be played to the phone: <see cref="RoomEvent.Text"/> (one or more of 0-9 * # A-D a-d w), <see cref="RoomEvent.Code"/>, <see cref="RoomEvent.Identity"/>.</summary>
    Dtmf,

    /// <summary>A user data packet: <see cref="RoomEvent.Text"/> = topic, <see cref="RoomEvent.Payload"/>, <see cref="RoomEvent.Identity"/>.</summary>
    Data,

    /// <summary>
    /// Another participant calls a method of ours: <see cref="RoomEvent.Text"/> = method, <see cref="RoomEvent.Payload"/>, <see cref="RoomEvent.Identity"/>,
    /// <see cref="RoomEvent.RequestId"/>. It is acknowledged; <see cref="RoomParticipant.Answer"/> must follow.
    /// </summary>
    Rpc,

    /// <summary>The room's metadata: <see cref="RoomEvent.Text"/>.</summary>
    RoomMetadata,

    /// <summary>The server says that our own participant's attributes are others than before: <see cref="RoomEvent.Attributes"/>, all of them.</summary>
    OwnAttributes,

    /// <summary>The WebSocket is lost; media goes on while it is dialled again.</summary>
    Reconnecting,

    /// <summary>The session was resumed.</summary>
    Resumed,

    /// <summary>The last event: <see cref="RoomEvent.End"/> and <see cref="RoomEvent.Text"/>, one sentence.</summary>
    Ended,
}

/// <summary>Any thread. Why a participant's life ended.</summary>
public enum RoomEnd
{
    None,

    /// <summary>We left.</summary>
    Left,

    /// <summary>401 or 403: token, key or grants are wrong.</summary>
    Unauthorized,

    /// <summary>404: the room does not exist and may not be created, or the server has no <c>/rtc/v1</c>.</summary>
    RoomNotFound,

    /// <summary>400: the server does not understand our join.</summary>
    BadRequest,

    /// <summary>429, 500 or 503: room full, server draining or broken.</summary>
    Refused,

    /// <summary>No connection to the server: DNS, TCP or TLS failed.</summary>
    Unreachable,

    /// <summary>Not active within <c>Limits.RoomJoinTimeout</c>.</summary>
    JoinTimeout,

    /// <summary>The server accepts none of our codecs for the published track.</summary>
    PublishRefused,

    /// <summary>ICE or DTLS failed, or consent was lost.</summary>
    MediaFailed,

    /// <summary>The WebSocket was lost and could not be resumed in time.</summary>
    SignalLost,

    /// <summary>The server does not know our session any more: only a new join helps.</summary>
    StateMismatch,

    /// <summary>The server asks for a new join (migration, restart).</summary>
    RejoinNeeded,

    DuplicateIdentity,

    /// <summary>RemoveParticipant.</summary>
    Removed,

    RoomDeleted,

    /// <summary>The room closed because its last standard participant left or it timed out.</summary>
    RoomClosed,

    ServerShutdown,

    /// <summary>Leave with JOIN_FAILURE, or a Leave before the join.</summary>
    JoinFailed,

    /// <summary>The server missed us.</summary>
    ConnectionTimeout,

    /// <summary>The callee is not available, refused, or another application reason of the Leave.</summary>
    Other,
}

/// <summary>Any thread. What the room tells the call; rare, may allocate.</summary>
public sealed record RoomEvent(RoomEventKind Kind)
{
    public string RoomSid { get; init; } = "";

    public string ParticipantSid { get; init; } = "";

    /// <summary>Of Joined: the room was there before us, so our token's room configuration did nothing.</summary>
    public bool RoomExisted { get; init; }

    /// <summary>Identity of the participant that sent it; empty for the server's own API.</summary>
    public string Identity { get; init; } = "";

    public string Text { get; init; } = "";

    public uint Code { get; init; }

    public string RequestId { get; init; } = "";

    public ReadOnlyMemory<byte> Payload { get; init; }

    public bool IsMuted { get; init; }

    public RemoteParticipant? Participant { get; init; }

    public RemoteTrack? Track { get; init; }

    public PublishTrack? Publish { get; init; }

    public IReadOnlyDictionary<string, string>? Attributes { get; init; }

    public RoomEnd End { get; init; }

    /// <summary>Of Ended: the server said goodbye, so it no longer maps our address and the local port may be used again at once.</summary>
    public bool IsReleased { get; init; }
}
