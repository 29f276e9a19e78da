using System;
using Proxy.Core.Time;
using Proxy.DevRoom.Rooms;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using Room = Proxy.DevRoom.Rooms.Room;

namespace Proxy.DevRoom.Agents;

/// <summary>Room loop. The methods of <c>livekit.AgentDispatchService</c>; each wants roomAdmin for the room that it names.</summary>
/// <remarks>Deviation: a room that does not exist is told at once, where the stock server waits three seconds for its bus.</remarks>
internal sealed class AgentDispatchApi(RoomServer server, RoomEnvironment environment, JobBoard jobs)
{
    public RoomHttpReply Call(string method, ReadOnlySpan<byte> body, bool isJson, string? bearerToken, MonoTime now)
    {
        if (!TwirpAnswer.TryAdmit(bearerToken, environment, now, out VideoGrant? grant, out RoomHttpReply refusal))
        {
            return refusal;
        }
        return method switch
        {
            "CreateDispatch" => TwirpAnswer.Make<CreateAgentDispatchRequest, AgentDispatch>(body, isJson, request => Create(request, grant, now)),
            "ListDispatch" => TwirpAnswer.Make<ListAgentDispatchRequest, ListAgentDispatchResponse>(body, isJson, request => List(request, grant)),
            "DeleteDispatch" => TwirpAnswer.Make<DeleteAgentDispatchRequest, AgentDispatch>(body, isJson, request => Delete(request, grant, now)),
            _ => TwirpAnswer.BadRoute("AgentDispatchService", method),
        };
    }

    private AgentDispatch Create(CreateAgentDispatchRequest request, VideoGrant? grant, MonoTime now)
    {
        RequireAdmin(grant, request.Room);
        if (!Deployment.IsValid(request.Deployment, out string refusal))
        {
            throw new TwirpException(400, "invalid_argument", "twirp error unknown: " + refusal);
        }
        if (request.AgentName.Length > Deployment.LengthMax || request.Room.Length > Deployment.LengthMax)
        {
            throw new TwirpException(400, "invalid_argument", "twirp error unknown: name length exceeds limits: max length 256");
        }
        Room room = server.GetOrCreate(request.Room, now, out bool isNew) ?? throw new TwirpException(503, "unavailable", "too many rooms");
        if (isNew)
        {
            jobs.RoomMade(room, [], now);
        }
        RoomAgentDispatch wish = new()
        {
            AgentName = request.AgentName,
            Metadata = request.Metadata,
            RestartPolicy = request.RestartPolicy,
            Deployment = request.Deployment,
        };
        RoomDispatch.Copy(request.Attributes, wish.Attributes);
        RoomDispatch dispatch = jobs.Dispatch(room, wish, now)
            ?? throw new TwirpException(429, "resource_exhausted", "the room has as many dispatches as the development room server allows");
        return dispatch.Info;
    }

    private ListAgentDispatchResponse List(ListAgentDispatchRequest request, VideoGrant? grant)
    {
        ListAgentDispatchResponse response = new();
        foreach (RoomDispatch dispatch in AdminRoom(grant, request.Room).Dispatches)
        {
            if (request.DispatchId.Length == 0 || request.DispatchId == dispatch.Id)
            {
                response.AgentDispatches.Add(dispatch.Snapshot());
            }
        }
        return response;
    }

    private AgentDispatch Delete(DeleteAgentDispatchRequest request, VideoGrant? grant, MonoTime now) =>
        jobs.Delete(AdminRoom(grant, request.Room), request.DispatchId, now)
            ?? throw new TwirpException(404, "not_found", "twirp error unknown: dispatch ID not found");

    private Room AdminRoom(VideoGrant? grant, string name)
    {
        RequireAdmin(grant, name);
        return server.Rooms.TryGetValue(name, out Room? room)
            ? room
            : throw new TwirpException(503, "unavailable", "twirp error unknown: no response from servers");
    }

    private static void RequireAdmin(VideoGrant? grant, string room) =>
        TwirpAnswer.Require(grant is { RoomAdmin: true } && grant.Room == room && room.Length > 0);
}
