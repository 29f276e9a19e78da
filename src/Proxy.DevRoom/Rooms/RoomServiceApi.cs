using System;
using System.Text;
using Google.Protobuf;
using Proxy.Core.Time;
using Proxy.DevRoom.Forwarding;
using Proxy.DevRoom.Signal;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using ProtoRoom = Proxy.LiveKit.Protocol.Room;

namespace Proxy.DevRoom.Rooms;

/// <summary>Room loop. The RoomService methods of the Twirp API over this server's rooms.</summary>
/// <remarks>Words and codes as the stock server's. Deviation: a missing room or participant is 404 not_found where the stock
/// server answers 503 after three seconds of waiting for its bus.</remarks>
internal sealed class RoomServiceApi(RoomServer server, RoomEnvironment environment, SessionHandler sessions, TransportDriver transports)
{
    private sealed class TwirpException(int status, string code, string message) : Exception(message)
    {
        public int Status { get; } = status;

        public string Code { get; } = code;
    }

    /// <summary>Checks the token, decodes, calls, encodes.</summary>
    public RoomHttpReply Call(string method, ReadOnlySpan<byte> body, bool isJson, string? bearerToken, MonoTime now)
    {
        AccessClaims? claims = null;
        if (!string.IsNullOrEmpty(bearerToken))
        {
            claims = TokenCheck.Verify(bearerToken, environment.Keys, environment.UnixSeconds(now), out string refusal);
            if (claims is null)
            {
                return RoomHttpReply.Text(401, refusal);
            }
        }
        VideoGrant? grant = claims?.Video;
        try
        {
            return method switch
            {
                "CreateRoom" => Answer<CreateRoomRequest, ProtoRoom>(body, isJson, request => Create(request, grant, now)),
                "ListRooms" => Answer<ListRoomsRequest, ListRoomsResponse>(body, isJson, request => List(request, grant)),
                "DeleteRoom" => Answer<DeleteRoomRequest, DeleteRoomResponse>(body, isJson, request => Delete(request, grant, now)),
                "ListParticipants" => Answer<ListParticipantsRequest, ListParticipantsResponse>(body, isJson, request => ListParticipants(request, grant)),
                "GetParticipant" => Answer<RoomParticipantIdentity, ParticipantInfo>(body, isJson, request => Get(request, grant)),
                "RemoveParticipant" => Answer<RoomParticipantIdentity, RemoveParticipantResponse>(body, isJson, request => RemoveParticipant(request, grant, now)),
                "MutePublishedTrack" => Answer<MuteRoomTrackRequest, MuteRoomTrackResponse>(body, isJson, request => Mute(request, grant)),
                "UpdateParticipant" => Answer<UpdateParticipantRequest, ParticipantInfo>(body, isJson, request => Update(request, grant, now)),
                "UpdateSubscriptions" => Answer<UpdateSubscriptionsRequest, UpdateSubscriptionsResponse>(body, isJson, request => UpdateSubscriptions(request, grant)),
                "SendData" => Answer<SendDataRequest, SendDataResponse>(body, isJson, request => SendData(request, grant, now)),
                "UpdateRoomMetadata" => Answer<UpdateRoomMetadataRequest, ProtoRoom>(body, isJson, request => UpdateMetadata(request, grant)),
                _ => Error(404, "bad_route", "no handler for path \"/twirp/livekit.RoomService/" + method + "\""),
            };
        }
        catch (TwirpException e)
        {
            return Error(e.Status, e.Code, e.Message);
        }
    }

    // A body that cannot be decoded is refused before the grants are looked at, as the stock server does.
    private static RoomHttpReply Answer<TRequest, TResponse>(ReadOnlySpan<byte> body, bool isJson, Func<TRequest, TResponse> handle)
        where TRequest : IMessage<TRequest>, new()
        where TResponse : IMessage<TResponse>, new()
    {
        TRequest request = new();
        if (isJson)
        {
            if (!ProtoJson.TryRead(body, ProtoJsonRules.Api, out request, out _))
            {
                throw new TwirpException(400, "malformed", "the json request could not be decoded");
            }
            return new RoomHttpReply(200, "application/json", ProtoJson.Write(handle(request), ProtoJsonStyle.Twirp));
        }
        try
        {
            request.MergeFrom(body);
        }
        catch (InvalidProtocolBufferException)
        {
            throw new TwirpException(400, "malformed", "the protobuf request could not be decoded");
        }
        return new RoomHttpReply(200, "application/protobuf", handle(request).ToByteArray());
    }

    private static RoomHttpReply Error(int status, string code, string message)
    {
        string json = "{\"code\":\"" + code + "\",\"msg\":\"" + System.Text.Json.JsonEncodedText.Encode(message) + "\"}";
        return new RoomHttpReply(status, "application/json", Encoding.UTF8.GetBytes(json));
    }

    private static void Require(bool isGranted)
    {
        if (!isGranted)
        {
            throw new TwirpException(401, "unauthenticated", "permissions denied");
        }
    }

    private Room AdminRoom(VideoGrant? grant, string name)
    {
        Require(grant is { RoomAdmin: true } && grant.Room == name && name.Length > 0);
        return server.Rooms.TryGetValue(name, out Room? room)
            ? room
            : throw new TwirpException(404, "not_found", "twirp error unknown: requested room does not exist");
    }

    private Participant AdminParticipant(VideoGrant? grant, string name, string identity)
    {
        Require(grant is { RoomAdmin: true } && grant.Room == name && name.Length > 0);
        return server.Rooms.TryGetValue(name, out Room? room) && room.Find(identity) is { } participant
            ? participant
            : throw new TwirpException(404, "not_found", "twirp error unknown: participant does not exist");
    }

    private ProtoRoom Create(CreateRoomRequest request, VideoGrant? grant, MonoTime now)
    {
        Require(grant is { RoomCreate: true });
        if (request.Name.Length > 256)
        {
            throw new TwirpException(400, "invalid_argument", "twirp error unknown: room name length exceeds limits: max length 256");
        }
        bool isNew = !server.Rooms.ContainsKey(request.Name);
        Room room = server.GetOrCreate(request.Name, now) ?? throw new TwirpException(503, "unavailable", "too many rooms");
        if (isNew)
        {
            room.Info.EmptyTimeout = request.EmptyTimeout > 0 ? request.EmptyTimeout : room.Info.EmptyTimeout;
            room.Info.DepartureTimeout = request.DepartureTimeout > 0 ? request.DepartureTimeout : room.Info.DepartureTimeout;
            room.Info.MaxParticipants = request.MaxParticipants;
        }
        if (request.Metadata.Length > 0 && request.Metadata != room.Info.Metadata)
        {
            room.Info.Metadata = request.Metadata;
            room.SendRoomUpdate();
        }
        foreach (RoomAgentDispatch agent in request.Agents)
        {
            server.Dispatch(room, agent.AgentName, agent.Metadata, now);
        }
        return room.Info;
    }

    private ListRoomsResponse List(ListRoomsRequest request, VideoGrant? grant)
    {
        Require(grant is { RoomList: true });
        ListRoomsResponse response = new();
        foreach (Room room in server.Rooms.Values)
        {
            if (request.Names.Count == 0 || request.Names.Contains(room.Name))
            {
                response.Rooms.Add(room.Info.Clone());
            }
        }
        return response;
    }

    private DeleteRoomResponse Delete(DeleteRoomRequest request, VideoGrant? grant, MonoTime now)
    {
        Require(grant is { RoomCreate: true });
        if (!server.Rooms.TryGetValue(request.Room, out Room? room))
        {
            throw new TwirpException(404, "not_found", "twirp error unknown: requested room does not exist");
        }
        server.Delete(room, DisconnectReason.RoomDeleted, now);
        return new DeleteRoomResponse();
    }

    private ListParticipantsResponse ListParticipants(ListParticipantsRequest request, VideoGrant? grant)
    {
        ListParticipantsResponse response = new();
        Require(grant is { RoomAdmin: true } && grant.Room == request.Room && request.Room.Length > 0);
        if (server.Rooms.TryGetValue(request.Room, out Room? room))
        {
            foreach (Participant participant in room.Participants)
            {
                response.Participants.Add(participant.Snapshot());
            }
        }
        return response;
    }

    private ParticipantInfo Get(RoomParticipantIdentity request, VideoGrant? grant) => AdminParticipant(grant, request.Room, request.Identity).Snapshot();

    private RemoveParticipantResponse RemoveParticipant(RoomParticipantIdentity request, VideoGrant? grant, MonoTime now)
    {
        server.Remove(AdminParticipant(grant, request.Room, request.Identity), DisconnectReason.ParticipantRemoved, now);
        return new RemoveParticipantResponse();
    }

    private MuteRoomTrackResponse Mute(MuteRoomTrackRequest request, VideoGrant? grant)
    {
        Participant participant = AdminParticipant(grant, request.Room, request.Identity);
        Track track = participant.FindTrack(request.TrackSid) ?? throw new TwirpException(404, "not_found", "twirp error unknown: track does not exist");
        environment.Outbox.Send(participant, new SignalResponse { Mute = new MuteTrackRequest { Sid = track.Sid, Muted = request.Muted } });
        participant.Room.SetMuted(track, request.Muted);
        return new MuteRoomTrackResponse { Track = track.Info.Clone() };
    }

    private ParticipantInfo Update(UpdateParticipantRequest request, VideoGrant? grant, MonoTime now)
    {
        Participant participant = AdminParticipant(grant, request.Room, request.Identity);
        if (request.Name.Length > 256)
        {
            throw new TwirpException(400, "invalid_argument", "name length exceeds limits 256");
        }
        if (request.Permission is { } permission)
        {
            participant.Info.Permission = permission;
        }
        sessions.ApplyMetadata(participant, request.Metadata, request.Name, request.Attributes, now);
        return participant.Snapshot();
    }

    private UpdateSubscriptionsResponse UpdateSubscriptions(UpdateSubscriptionsRequest request, VideoGrant? grant)
    {
        Participant participant = AdminParticipant(grant, request.Room, request.Identity);
        foreach (string sid in request.TrackSids)
        {
            SessionHandler.SetSubscribed(participant, sid, request.Subscribe);
        }
        participant.Room.RequestSections(participant);
        return new UpdateSubscriptionsResponse();
    }

    private SendDataResponse SendData(SendDataRequest request, VideoGrant? grant, MonoTime now)
    {
        Room room = AdminRoom(grant, request.Room);
        if (request.Nonce.Length is not (0 or 16))
        {
            throw new TwirpException(400, "invalid_argument", "nonce should be 16-bytes or not present, got: " + request.Nonce.Length + " bytes");
        }
        UserPacket user = new() { Payload = request.Data, Nonce = request.Nonce };
        user.DestinationSids.Add(request.DestinationSids);
        user.DestinationIdentities.Add(request.DestinationIdentities);
        if (request.HasTopic)
        {
            user.Topic = request.Topic;
        }
        DataPacket packet = new() { Kind = request.Kind, User = user };
        packet.DestinationIdentities.Add(request.DestinationIdentities);
        DataRelay.Spread(room, null, packet, request.Kind == DataPacket.Types.Kind.Lossy ? DataRelay.Lossy : DataRelay.Reliable, now);
        transports.FlushAll(room);
        return new SendDataResponse();
    }

    private ProtoRoom UpdateMetadata(UpdateRoomMetadataRequest request, VideoGrant? grant)
    {
        Room room = AdminRoom(grant, request.Room);
        room.Info.Metadata = request.Metadata;
        room.SendRoomUpdate();
        return room.Info;
    }
}
