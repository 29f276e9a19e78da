using System;
using Proxy.Core.Time;
using Proxy.DevRoom.Agents;
using Proxy.DevRoom.Forwarding;
using Proxy.DevRoom.Signal;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using ProtoRoom = Proxy.LiveKit.Protocol.Room;

namespace Proxy.DevRoom.Rooms;

/// <summary>Room loop. The RoomService methods of the Twirp API over this server's rooms.</summary>
/// <remarks>Words and codes as the stock server's. Deviation: a missing room or participant is 404 not_found where the stock
/// server answers 503 after three seconds of waiting for its bus.</remarks>
internal sealed class RoomServiceApi(RoomServer server, RoomEnvironment environment, SessionHandler sessions, TransportDriver transports, JobBoard jobs)
{
    /// <summary>Checks the token, decodes, calls, encodes.</summary>
    public RoomHttpReply Call(string method, ReadOnlySpan<byte> body, bool isJson, string? bearerToken, MonoTime now)
    {
        if (!TwirpAnswer.TryAdmit(bearerToken, environment, now, out VideoGrant? grant, out RoomHttpReply refusal))
        {
            return refusal;
        }
        return method switch
        {
            "CreateRoom" => TwirpAnswer.Make<CreateRoomRequest, ProtoRoom>(body, isJson, request => Create(request, grant, now)),
            "ListRooms" => TwirpAnswer.Make<ListRoomsRequest, ListRoomsResponse>(body, isJson, request => List(request, grant)),
            "DeleteRoom" => TwirpAnswer.Make<DeleteRoomRequest, DeleteRoomResponse>(body, isJson, request => Delete(request, grant, now)),
            "ListParticipants" => TwirpAnswer.Make<ListParticipantsRequest, ListParticipantsResponse>(body, isJson, request => ListParticipants(request, grant)),
            "GetParticipant" => TwirpAnswer.Make<RoomParticipantIdentity, ParticipantInfo>(body, isJson, request => Get(request, grant)),
            "RemoveParticipant" => TwirpAnswer.Make<RoomParticipantIdentity, RemoveParticipantResponse>(body, isJson, request => RemoveParticipant(request, grant, now)),
            "MutePublishedTrack" => TwirpAnswer.Make<MuteRoomTrackRequest, MuteRoomTrackResponse>(body, isJson, request => Mute(request, grant)),
            "UpdateParticipant" => TwirpAnswer.Make<UpdateParticipantRequest, ParticipantInfo>(body, isJson, request => Update(request, grant, now)),
            "UpdateSubscriptions" => TwirpAnswer.Make<UpdateSubscriptionsRequest, UpdateSubscriptionsResponse>(body, isJson, request => UpdateSubscriptions(request, grant)),
            "SendData" => TwirpAnswer.Make<SendDataRequest, SendDataResponse>(body, isJson, request => SendData(request, grant, now)),
            "UpdateRoomMetadata" => TwirpAnswer.Make<UpdateRoomMetadataRequest, ProtoRoom>(body, isJson, request => UpdateMetadata(request, grant)),
            _ => TwirpAnswer.BadRoute("RoomService", method),
        };
    }

    private Room AdminRoom(VideoGrant? grant, string name)
    {
        TwirpAnswer.Require(grant is { RoomAdmin: true } && grant.Room == name && name.Length > 0);
        return server.Rooms.TryGetValue(name, out Room? room)
            ? room
            : throw new TwirpException(404, "not_found", "twirp error unknown: requested room does not exist");
    }

    private Participant AdminParticipant(VideoGrant? grant, string name, string identity)
    {
        TwirpAnswer.Require(grant is { RoomAdmin: true } && grant.Room == name && name.Length > 0);
        return server.Rooms.TryGetValue(name, out Room? room) && room.Find(identity) is { } participant
            ? participant
            : throw new TwirpException(404, "not_found", "twirp error unknown: participant does not exist");
    }

    private ProtoRoom Create(CreateRoomRequest request, VideoGrant? grant, MonoTime now)
    {
        TwirpAnswer.Require(grant is { RoomCreate: true });
        if (request.Name.Length > 256)
        {
            throw new TwirpException(400, "invalid_argument", "twirp error unknown: room name length exceeds limits: max length 256");
        }
        Room room = server.GetOrCreate(request.Name, now, out bool isNew) ?? throw new TwirpException(503, "unavailable", "too many rooms");
        if (isNew)
        {
            room.Info.EmptyTimeout = request.EmptyTimeout > 0 ? request.EmptyTimeout : room.Info.EmptyTimeout;
            room.Info.DepartureTimeout = request.DepartureTimeout > 0 ? request.DepartureTimeout : room.Info.DepartureTimeout;
            room.Info.MaxParticipants = request.MaxParticipants;
            room.Info.Metadata = request.Metadata;
            jobs.RoomMade(room, request.Agents, now);
        }
        if (request.Metadata.Length > 0 && request.Metadata != room.Info.Metadata)
        {
            room.Info.Metadata = request.Metadata;
            room.SendRoomUpdate();
        }
        return room.Info;
    }

    private ListRoomsResponse List(ListRoomsRequest request, VideoGrant? grant)
    {
        TwirpAnswer.Require(grant is { RoomList: true });
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
        TwirpAnswer.Require(grant is { RoomCreate: true });
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
        TwirpAnswer.Require(grant is { RoomAdmin: true } && grant.Room == request.Room && request.Room.Length > 0);
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
