using System;
using System.Collections.Generic;
using Proxy.Core.Collections;
using Proxy.Core.Time;
using Proxy.Participant;
using Proxy.WebRtc;

namespace Proxy.Bridge.Rooms;

/// <summary>
/// Signal thread. The seam to rooms: makes the room half of a call. The product's is the lean participant; another
/// LiveKit client library would plug in here by an adapter in the runtime.
/// </summary>
public interface IRoomGateway
{
    /// <param name="call">Names the call towards the runtime's sockets.</param>
    /// <param name="number">Which leg of the call, from 1: a call that joins another room gets a new leg.</param>
    /// <param name="request">Which room, as whom.</param>
    /// <param name="carry">Carries a command to the media half on the call's shard.</param>
    /// <returns>A leg that has not started, and how its media half is made on the shard.</returns>
    (IRoomLeg Leg, Func<MonoTime, RoomMedia> MakeMedia) Create(SlotId call, int number, RoomRequest request, Action<MediaCommand> carry);
}

/// <summary>Signal thread. One participant's signalling, as the call sees it; drain <see cref="TryPoll"/> after every input.</summary>
public interface IRoomLeg
{
    MonoTime NextDeadline { get; }

    /// <summary>A remote audio track is wired through to us: what it says from now on is heard.</summary>
    bool HasRemoteAudio { get; }

    /// <summary>The media of the room is up.</summary>
    bool IsActive { get; }

    /// <summary>Nothing follows; the room server knows that we are gone when <see cref="HasLeft"/> holds too.</summary>
    bool IsEnded { get; }

    /// <summary>The server confirmed that we left: the media port may be used again at once.</summary>
    bool HasLeft { get; }

    void Start(MonoTime now);

    void HandleSocket(in SocketInput input, MonoTime now);

    void HandlePeer(in PeerEvent peerEvent, MonoTime now);

    void HandleTimeout(MonoTime now);

    void SetAttributes(IReadOnlyDictionary<string, string> attributes, MonoTime now);

    /// <returns>False when it could not be sent or kept.</returns>
    bool SendDtmf(char digit, MonoTime now);

    /// <summary>Answers a participant that called a method of ours (<see cref="RoomEventKind.Rpc"/>).</summary>
    void Answer(in RpcAnswer answer);

    /// <summary>Leaves; ends within a second.</summary>
    void Leave(MonoTime now);

    /// <returns>False when there is no further event.</returns>
    bool TryPoll(out RoomEvent? roomEvent);
}

/// <summary>Any thread. Which room a call joins, as whom.</summary>
public sealed record RoomRequest
{
    public required string Room { get; init; }

    public required string Identity { get; init; }

    public required string Name { get; init; }

    public string Metadata { get; init; } = "";

    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    public string RoomConfigJson { get; init; } = "";

    public string RoomPreset { get; init; } = "";

    /// <summary>What we would like to publish; the server decides.</summary>
    public RoomCodec Codec { get; init; }

    /// <summary>Only for the CNAME and the track's client id: our call id.</summary>
    public required string CallId { get; init; }
}

public enum SocketInputKind
{
    Opened,

    /// <summary>Status: HTTP status or 0; Payload: its body or the reason.</summary>
    Refused,

    /// <summary>Payload: one binary message.</summary>
    Frame,

    Closed,
}

/// <summary>What happened on a WebSocket of a call; made by the runtime's pumps.</summary>
/// <param name="Socket">Number of the dial, as given to <see cref="ISignalSockets.Open"/>.</param>
public readonly record struct SocketInput(SocketInputKind Kind, int Socket, int Status, byte[] Payload);

/// <summary>Signal thread. WebSockets towards the room server; implemented by the runtime. Nothing blocks.</summary>
public interface ISignalSockets
{
    /// <param name="token">A secret: never logged.</param>
    void Open(SlotId call, int socket, string url, string token);

    void Send(SlotId call, int socket, ReadOnlyMemory<byte> frame);

    void Close(SlotId call, int socket);
}
