using System;
using System.Collections.Generic;
using Google.Protobuf;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.DevRoom.Agents;
using Proxy.DevRoom.DemoAgent;
using Proxy.DevRoom.Forwarding;
using Proxy.DevRoom.Rooms;
using Proxy.DevRoom.Signal;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using Proxy.WebRtc;
using Room = Proxy.DevRoom.Rooms.Room;

namespace Proxy.DevRoom;

/// <summary>
/// Room loop. The built-in LiveKit room server for development and tests as one machine: signalling, ICE-lite transports
/// behind one UDP socket, forwarding, data, room life and the RoomService API. No socket, no clock.
/// </summary>
public sealed class RoomServer : IDisposable
{
    private const int IdentityMax = 256;
    private const int NoOfferTimeoutMs = 60_000;
    private const int SecondMs = 1_000;

    /// <summary>A client that leaves ends its media too, and the goodbye of that, a datagram, overtakes the Leave, which comes over TCP.</summary>
    private const int LeaveAfterCloseMs = 2_000;

    /// <summary>Notices between two drains; more are lost.</summary>
    private const int NoticesMax = 1_024;
    private const ushort NormalClosure = 1000;
    private readonly RoomEnvironment _environment;
    private readonly TransportDriver _transports;
    private readonly SessionHandler _sessions;
    private readonly RoomServiceApi _api;
    private readonly AgentService _agents;
    private readonly AgentDispatchApi _dispatchApi;
    private readonly Dictionary<string, Room> _rooms = [];
    private readonly Dictionary<long, Participant> _connections = [];
    private readonly List<Participant> _failed = [];
    private readonly Queue<RoomNotice> _notices = new();
    private MonoTime _nextSpeech = MonoTime.Never;
    private MonoTime _nextSecond = MonoTime.Never;
    private long _seconds;

    public RoomServer(RoomServerOptions options, IPeerTransportFactory peers, IRandom random)
    {
        Options = options;
        _environment = new RoomEnvironment(options, peers, random);
        _transports = new TransportDriver(_environment) { StateChanged = OnTransport };
        _sessions = new SessionHandler(_environment, _transports) { LeaveRequested = OnLeave };
        _agents = new AgentService(this, _environment);
        _api = new RoomServiceApi(this, _environment, _sessions, _transports, _agents.Jobs);
        _dispatchApi = new AgentDispatchApi(this, _environment, _agents.Jobs);
    }

    public RoomServerOptions Options { get; }

    /// <summary>Rooms that exist now.</summary>
    public int RoomCount => _rooms.Count;

    /// <summary>RTP packets sent to subscribers.</summary>
    public long Forwarded => _environment.Forwarder.Forwarded;

    /// <summary>Datagrams and packets that went nowhere.</summary>
    public long Dropped => _environment.Forwarder.Dropped + _environment.Datagrams.Dropped + _transports.Unclaimed;

    /// <summary>When sound last reached a demo agent that echoes; <see cref="MonoTime.Never"/> before. <c>tools/demo</c> tells one-way delays by it.</summary>
    public MonoTime LastEchoOnset => _environment.Forwarder.LastEchoOnset;

    /// <summary>The earliest time at which <see cref="HandleTimeout"/> has work.</summary>
    public MonoTime NextDeadline
    {
        get
        {
            MonoTime next = MonoTime.Min(_transports.NextDeadline, _environment.AgentTimers.NextDeadline);
            return MonoTime.Min(MonoTime.Min(next, _agents.NextDeadline), MonoTime.Min(_nextSpeech, _nextSecond));
        }
    }

    internal IReadOnlyDictionary<string, Room> Rooms => _rooms;

    /// <summary>Answers a GET below <c>/rtc</c>, or of <c>/agent</c>.</summary>
    /// <param name="connection">A number of the runtime for this connection, never used again.</param>
    /// <param name="path">Path without query.</param>
    /// <param name="query">Query without the question mark, still percent-encoded.</param>
    /// <param name="bearerToken">From the Authorization header, or null (then <c>access_token</c> counts).</param>
    /// <param name="isWebSocket">Whether the request asks for a WebSocket.</param>
    /// <returns>101 (upgrade; outputs follow), or the refusal with the stock server's status and body.</returns>
    public RoomHttpReply OpenConnection(long connection, string path, string query, string? bearerToken, bool isWebSocket, MonoTime now)
    {
        if (path == "/agent")
        {
            return _agents.Open(connection, query, bearerToken, isWebSocket, now);
        }
        bool isValidate = path is "/rtc/v1/validate" or "/rtc/validate";
        if (path != "/rtc/v1" && !isValidate)
        {
            // Only the single-connection protocol is spoken: clients fall forward to it, or back from /rtc/v1 never.
            return RoomHttpReply.Text(404, "404 page not found\n");
        }
        if (Admit(query, bearerToken, now, out AccessClaims? claims) is { } refusal)
        {
            return refusal;
        }
        if (isValidate)
        {
            return RoomHttpReply.Text(200, "success");
        }
        if (!isWebSocket)
        {
            return RoomHttpReply.Text(404, "");
        }
        if (!JoinRequestReader.TryRead(QueryString.Get(query, "join_request"), out JoinRequest request, out string why))
        {
            return RoomHttpReply.Text(400, why);
        }
        RoomHttpReply reply = request.Reconnect ? Resume(connection, claims!, request, now) : Join(connection, claims!, request, now);
        Settle(now);
        return reply;
    }

    // The order of the checks and their words are the stock server's.
    private RoomHttpReply? Admit(string query, string? bearerToken, MonoTime now, out AccessClaims? claims)
    {
        claims = null;
        string? jwt = bearerToken ?? QueryString.Get(query, "access_token");
        if (string.IsNullOrEmpty(jwt))
        {
            return RoomHttpReply.Text(401, "no permissions to access the room");
        }
        claims = TokenCheck.Verify(jwt, _environment.Keys, _environment.UnixSeconds(now), out string refusal);
        return claims switch
        {
            null => RoomHttpReply.Text(401, refusal),
            { Video: null } => RoomHttpReply.Text(401, "no permissions to access the room"),
            { Video.RoomJoin: false } => RoomHttpReply.Text(401, "permissions denied"),
            { Identity.Length: 0 } => RoomHttpReply.Text(400, "identity cannot be empty"),
            { Identity.Length: > IdentityMax } => RoomHttpReply.Text(400, "participant identity length exceeds limits: max length 256"),
            { Video.Room.Length: 0 } => RoomHttpReply.Text(400, "no room name"),
            { Video.Room.Length: > IdentityMax } => RoomHttpReply.Text(400, "room name length exceeds limits: max length 256"),
            _ => null,
        };
    }

    private RoomHttpReply Join(long connection, AccessClaims claims, JoinRequest request, MonoTime now)
    {
        if (_connections.Count >= Options.ParticipantsMax || GetOrCreate(claims.Video!.Room, now, out bool isNew) is not { } room)
        {
            return RoomHttpReply.Text(503, "the development room server is full");
        }
        if (isNew)
        {
            ApplyRoomConfig(room, claims.RoomConfig, now);
        }
        if (room.Find(claims.Identity) is { } old)
        {
            Remove(old, DisconnectReason.DuplicateIdentity, now);
        }
        if (room.Info.MaxParticipants > 0 && room.Info.NumParticipants >= room.Info.MaxParticipants)
        {
            return RoomHttpReply.Text(500, "connection closed by media");
        }
        Participant participant = new(room, _environment.NewSid("PA_"), claims, request.ClientInfo, _environment.UnixMicros(now))
        {
            Connection = connection,
            WantsAutoSubscribe = request.ConnectionSettings?.AutoSubscribe ?? false,
            ConnectDeadline = now.AddMillis(NoOfferTimeoutMs),
            LastMedia = now,
        };
        foreach ((string name, string value) in request.ParticipantAttributes)
        {
            participant.Info.Attributes[name] = value;
        }
        _connections[connection] = participant;
        _environment.Outbox.Send(connection, new SignalResponse { Join = JoinResponse(room, participant) });
        participant.Info.State = ParticipantInfo.Types.State.Joined;
        room.Add(participant);
        Note(new RoomNotice(RoomNoticeKind.Joined, room.Name, participant.Identity, ""));
        _sessions.Begin(participant, request, now);
        room.Announce(participant, includesSelf: false);
        _agents.Jobs.ParticipantJoined(participant, now);
        if (room.Agent is null && Options.DemoAgentRoomPrefix.Length > 0 && room.Name.StartsWith(Options.DemoAgentRoomPrefix, StringComparison.Ordinal))
        {
            AddAgent(room, new DemoAgentOptions(Options.DemoAgentMode), now);
        }
        StartClocks(now);
        return RoomHttpReply.Upgrade;
    }

    private JoinResponse JoinResponse(Room room, Participant participant)
    {
        JoinResponse join = new()
        {
            Room = room.Info.Clone(),
            Participant = participant.Snapshot(),
            ServerVersion = "1.13.5",
            PingTimeout = 15,
            PingInterval = 5,
            ServerInfo = ServerInfo(),
            FastPublish = true,
        };
        join.EnabledPublishCodecs.Add(Room.EnabledCodecs());
        foreach (Participant other in room.Participants)
        {
            if (!other.Info.Permission.Hidden)
            {
                join.OtherParticipants.Add(other.Snapshot());
            }
        }
        return join;
    }

    internal static ServerInfo ServerInfo() => new() { Version = "1.13.5", Protocol = 17, NodeId = "ND_siproom", AgentProtocol = 1 };

    private RoomHttpReply Resume(long connection, AccessClaims claims, JoinRequest request, MonoTime now)
    {
        Participant? participant = _rooms.TryGetValue(claims.Video!.Room, out Room? room) ? room.FindSid(request.ParticipantSid) : null;
        if (participant is null || participant.Identity != claims.Identity)
        {
            _environment.Outbox.Send(connection, new SignalResponse
            {
                Leave = new LeaveRequest { Reason = DisconnectReason.StateMismatch, Action = LeaveRequest.Types.Action.Reconnect },
            });
            _environment.Outbox.Close(connection, NormalClosure);
            return RoomHttpReply.Upgrade;
        }
        if (participant.Connection is { } old)
        {
            _connections.Remove(old);
            _environment.Outbox.Close(old, NormalClosure);
        }
        participant.Connection = connection;
        _connections[connection] = participant;
        _environment.Outbox.Send(participant, new SignalResponse { Reconnect = new ReconnectResponse { ServerInfo = ServerInfo() } });
        ParticipantUpdate update = new();
        foreach (Participant other in participant.Room.Participants)
        {
            update.Participants.Add(other.Snapshot());
        }
        _environment.Outbox.Send(participant, new SignalResponse { Update = update });
        _environment.Outbox.Send(participant, new SignalResponse { RoomUpdate = new RoomUpdate { Room = participant.Room.Info.Clone() } });
        _sessions.SendToken(participant, now);
        participant.Room.RequestSections(participant);
        return RoomHttpReply.Upgrade;
    }

    /// <summary>One WebSocket message of a client or an agents worker.</summary>
    public void FrameReceived(long connection, ReadOnlySpan<byte> frame, bool isText, MonoTime now)
    {
        if (_agents.Owns(connection))
        {
            _agents.FrameReceived(connection, frame, isText, now);
            Settle(now);
            return;
        }
        if (!_connections.TryGetValue(connection, out Participant? participant) || !TryParse(frame, isText, out SignalRequest request))
        {
            return;
        }
        participant.UsesJson = isText;
        _sessions.Handle(participant, request, now);
        Settle(now);
    }

    private static bool TryParse(ReadOnlySpan<byte> frame, bool isText, out SignalRequest request)
    {
        if (isText)
        {
            return ProtoJson.TryRead(frame, ProtoJsonRules.Api, out request, out _);
        }
        request = new SignalRequest();
        try
        {
            request.MergeFrom(frame);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    /// <summary>The WebSocket is gone; media lives on until ICE fails or the client leaves.</summary>
    public void ConnectionClosed(long connection, MonoTime now)
    {
        _agents.Closed(connection, now);
        if (!_connections.Remove(connection, out Participant? participant) || participant.Connection != connection)
        {
            return;
        }
        participant.Connection = null;
        if (!participant.IsConnected)
        {
            Remove(participant, DisconnectReason.SignalClose, now);
        }
        Settle(now);
    }

    /// <summary>One datagram of the UDP mux; it is changed in place.</summary>
    public void Datagram(Span<byte> datagram, in NetEndPoint from, MonoTime now)
    {
        _transports.Receive(datagram, from, now);
        if (_failed.Count > 0)
        {
            Settle(now);
        }
    }

    public void HandleTimeout(MonoTime now)
    {
        _transports.HandleTimeout(now);
        _agents.HandleTimeout(now);
        while (_environment.AgentTimers.TryExpire(now, out int key))
        {
            _environment.Agents.At(key)?.HandleTimeout(now);
        }
        if (_nextSpeech <= now)
        {
            _nextSpeech = now.AddMillis(SpeechMeter.WindowMs);
            foreach (Room room in _rooms.Values)
            {
                room.UpdateSpeakers();
            }
        }
        if (_nextSecond <= now)
        {
            _nextSecond = now.AddMillis(SecondMs);
            EverySecond(now);
        }
        Settle(now);
    }

    private void EverySecond(MonoTime now)
    {
        _seconds++;
        List<Room>? over = null;
        foreach (Room room in _rooms.Values)
        {
            foreach (Participant participant in room.Participants)
            {
                _transports.SendReports(participant, _seconds % 3 == 0, now);
                if (participant.ConnectDeadline <= now)
                {
                    _failed.Add(participant);
                }
            }
            if (_seconds % 5 == 0)
            {
                room.SendDueUpdates();
            }
            if (room.CloseDeadline <= now)
            {
                (over ??= []).Add(room);
            }
        }
        foreach (Room room in over ?? [])
        {
            Delete(room, DisconnectReason.RoomClosed, now);
        }
        if (_rooms.Count == 0)
        {
            _nextSpeech = _nextSecond = MonoTime.Never;
        }
    }

    /// <summary>A call over Twirp.</summary>
    /// <param name="service"><c>RoomService</c> or <c>AgentDispatchService</c>.</param>
    /// <param name="method">The last path segment, for example <c>ListRooms</c>.</param>
    /// <param name="isJson">Content type application/json instead of application/protobuf.</param>
    public RoomHttpReply CallService(string service, string method, ReadOnlySpan<byte> body, bool isJson, string? bearerToken, MonoTime now)
    {
        RoomHttpReply reply = service switch
        {
            "RoomService" => _api.Call(method, body, isJson, bearerToken, now),
            "AgentDispatchService" => _dispatchApi.Call(method, body, isJson, bearerToken, now),
            _ => TwirpAnswer.BadRoute(service, method),
        };
        Settle(now);
        return reply;
    }

    /// <summary>Puts a demo agent in a room (made when missing); nothing happens when it has one.</summary>
    public void AddDemoAgent(string room, DemoAgentOptions agent, MonoTime now)
    {
        if (GetOrCreate(room, now, out _) is { } target)
        {
            AddAgent(target, agent, now);
            Settle(now);
        }
    }

    internal void AddAgent(Room room, DemoAgentOptions agent, MonoTime now)
    {
        if (room.Agent is null)
        {
            room.Agent = new DemoAgentParticipant(_environment, room, agent);
            room.Agent.Enter(now);
        }
        StartClocks(now);
    }

    /// <summary>Next step on a signalling connection; drain until false after every call above.</summary>
    public bool TryPollSignal(out SignalOutput output) => _environment.Outbox.TryTake(out output);

    /// <summary>Next thing worth a log line; drain until false.</summary>
    public bool TryPollNotice(out RoomNotice notice) => _notices.TryDequeue(out notice);

    internal void Note(in RoomNotice notice)
    {
        if (_notices.Count < NoticesMax)
        {
            _notices.Enqueue(notice);
        }
    }

    /// <summary>Next datagram to send from the mux; drain until false. The span is good until the next call.</summary>
    public bool TryPollDatagram(out ReadOnlySpan<byte> datagram, out NetEndPoint to) => _environment.Datagrams.TryTake(out datagram, out to);

    /// <summary>The room of a name; null when there are too many.</summary>
    /// <param name="isNew">It was made just now: whoever asked dispatches its agents.</param>
    internal Room? GetOrCreate(string name, MonoTime now, out bool isNew)
    {
        isNew = !_rooms.TryGetValue(name, out Room? room) && _rooms.Count < Options.RoomsMax;
        if (isNew)
        {
            _rooms[name] = room = new Room(_environment, name, now);
            StartClocks(now);
        }
        return room;
    }

    private void StartClocks(MonoTime now)
    {
        _nextSpeech = _nextSpeech.IsNever ? now.AddMillis(SpeechMeter.WindowMs) : _nextSpeech;
        _nextSecond = _nextSecond.IsNever ? now.AddMillis(SecondMs) : _nextSecond;
    }

    // roomConfig only counts for the participant that makes the room.
    private void ApplyRoomConfig(Room room, RoomConfiguration? config, MonoTime now)
    {
        if (config is null)
        {
            _agents.Jobs.RoomMade(room, [], now);
            return;
        }
        room.Info.MaxParticipants = config.MaxParticipants > 0 ? config.MaxParticipants : room.Info.MaxParticipants;
        room.Info.EmptyTimeout = config.EmptyTimeout > 0 ? config.EmptyTimeout : room.Info.EmptyTimeout;
        room.Info.DepartureTimeout = config.DepartureTimeout > 0 ? config.DepartureTimeout : room.Info.DepartureTimeout;
        room.Info.Metadata = config.Metadata.Length > 0 ? config.Metadata : room.Info.Metadata;
        _agents.Jobs.RoomMade(room, config.Agents, now);
    }

    private void OnTransport(Participant participant, PeerEvent peerEvent, MonoTime now)
    {
        switch (peerEvent.Kind)
        {
            case PeerEventKind.Connected when !participant.IsConnected:
                participant.IsConnected = true;
                participant.ConnectDeadline = MonoTime.Never;
                participant.Info.State = ParticipantInfo.Types.State.Active;
                Note(new RoomNotice(RoomNoticeKind.Active, participant.Room.Name, participant.Identity, ""));
                bool publishes = participant.Tracks.Exists(track => track.Mid is not null);
                _sessions.FinishTracks(participant);
                if (!publishes)
                {
                    participant.Room.Announce(participant);
                }
                NotifyAgents(now);
                break;
            case PeerEventKind.Closed:
                participant.ConnectDeadline = now.AddMillis(LeaveAfterCloseMs);
                break;
            case PeerEventKind.Failed:
                _failed.Add(participant);
                break;
        }
    }

    private void NotifyAgents(MonoTime now)
    {
        while (_environment.Published.TryDequeue(out Track? track))
        {
            track.Publisher.Room.Agent?.OnPublished(track, now);
            _agents.Jobs.ParticipantPublished(track.Publisher, now);
        }
    }

    private void OnLeave(Participant participant, LeaveRequest request, MonoTime now) =>
        Remove(participant, request.Reason == DisconnectReason.UnknownReason ? DisconnectReason.ClientInitiated : request.Reason, now);

    // Participants whose transport failed are removed outside of the loops that found it out.
    private void Settle(MonoTime now)
    {
        foreach (Participant participant in _failed)
        {
            bool wasActive = participant.Info.State == ParticipantInfo.Types.State.Active;
            Remove(participant, wasActive || participant.LastOffer is not null ? DisconnectReason.ConnectionTimeout : DisconnectReason.JoinFailure, now);
        }
        _failed.Clear();
        NotifyAgents(now);
    }

    /// <summary>Takes a participant out of its room, tells it and everybody why, and frees its transport.</summary>
    internal void Remove(Participant participant, DisconnectReason reason, MonoTime now)
    {
        if (participant.IsGone)
        {
            return;
        }
        participant.IsGone = true;
        Note(new RoomNotice(RoomNoticeKind.Left, participant.Room.Name, participant.Identity, reason.ToString()));
        if (participant.Connection is { } connection)
        {
            // A client whose media was lost may come back; all other reasons are final.
            bool mayReturn = reason == DisconnectReason.ConnectionTimeout;
            LeaveRequest leave = new() { Reason = reason, CanReconnect = mayReturn };
            leave.Action = mayReturn ? LeaveRequest.Types.Action.Reconnect : LeaveRequest.Types.Action.Disconnect;
            _environment.Outbox.Send(participant, new SignalResponse { Leave = leave });
            _environment.Outbox.Close(connection, NormalClosure);
            _connections.Remove(connection);
        }
        participant.Connection = null;
        _transports.Close(participant, now);
        foreach (Track track in participant.Tracks.ToArray())
        {
            participant.Room.Unpublish(track, isAnnounced: false);
        }
        foreach (Subscription subscription in participant.Subscriptions.ToArray())
        {
            participant.Room.Unsubscribe(subscription);
        }
        participant.Room.Remove(participant, now);
        participant.Info.State = ParticipantInfo.Types.State.Disconnected;
        participant.Info.DisconnectReason = reason;
        participant.Room.Announce(participant, includesSelf: false);
        _agents.Jobs.ParticipantLeft(participant, reason, now);
    }

    /// <summary>Ends a room and everybody's stay in it.</summary>
    internal void Delete(Room room, DisconnectReason reason, MonoTime now)
    {
        foreach (Participant participant in room.Participants.ToArray())
        {
            Remove(participant, reason, now);
        }
        room.Agent?.Leave();
        _agents.Jobs.RoomClosed(room, now);
        _rooms.Remove(room.Name);
        Note(new RoomNotice(RoomNoticeKind.RoomClosed, room.Name, "", reason.ToString()));
    }

    public void Dispose()
    {
        foreach (Room room in _rooms.Values)
        {
            foreach (Participant participant in room.Participants)
            {
                participant.Transport?.Dispose();
            }
        }
        _rooms.Clear();
        _connections.Clear();
    }
}
