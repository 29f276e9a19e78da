using System;
using System.Text;
using Google.Protobuf;
using Proxy.Core.Time;
using Proxy.DevRoom.Signal;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Tokens;

namespace Proxy.DevRoom.Rooms;

/// <summary>Room loop. Ends a Twirp call with an error.</summary>
internal sealed class TwirpException(int status, string code, string message) : Exception(message)
{
    public int Status { get; } = status;

    public string Code { get; } = code;
}

/// <summary>Room loop. What all Twirp services of the room server do: check the token, decode, call, encode.</summary>
internal static class TwirpAnswer
{
    /// <param name="grant">Null when there is no token, or none for rooms: methods then refuse by themselves.</param>
    /// <param name="refusal">The answer to a token that is wrong.</param>
    public static bool TryAdmit(string? bearerToken, RoomEnvironment environment, MonoTime now, out VideoGrant? grant, out RoomHttpReply refusal)
    {
        grant = null;
        refusal = default;
        if (string.IsNullOrEmpty(bearerToken))
        {
            return true;
        }
        AccessClaims? claims = TokenCheck.Verify(bearerToken, environment.Keys, environment.UnixSeconds(now), out string why);
        if (claims is null)
        {
            refusal = RoomHttpReply.Text(401, why);
            return false;
        }
        grant = claims.Video;
        return true;
    }

    /// <summary>A body that cannot be decoded is refused before the grants are looked at, as the stock server does.</summary>
    public static RoomHttpReply Make<TRequest, TResponse>(ReadOnlySpan<byte> body, bool isJson, Func<TRequest, TResponse> handle)
        where TRequest : IMessage<TRequest>, new()
        where TResponse : IMessage<TResponse>, new()
    {
        try
        {
            TRequest request = Decode<TRequest>(body, isJson);
            return isJson
                ? new RoomHttpReply(200, "application/json", ProtoJson.Write(handle(request), ProtoJsonStyle.Twirp))
                : new RoomHttpReply(200, "application/protobuf", handle(request).ToByteArray());
        }
        catch (TwirpException e)
        {
            return Error(e.Status, e.Code, e.Message);
        }
    }

    private static TRequest Decode<TRequest>(ReadOnlySpan<byte> body, bool isJson)
        where TRequest : IMessage<TRequest>, new()
    {
        TRequest request = new();
        if (isJson)
        {
            return ProtoJson.TryRead(body, ProtoJsonRules.Api, out request, out _)
                ? request
                : throw new TwirpException(400, "malformed", "the json request could not be decoded");
        }
        try
        {
            request.MergeFrom(body);
            return request;
        }
        catch (InvalidProtocolBufferException)
        {
            throw new TwirpException(400, "malformed", "the protobuf request could not be decoded");
        }
    }

    public static RoomHttpReply BadRoute(string service, string method) =>
        Error(404, "bad_route", "no handler for path \"/twirp/livekit." + service + "/" + method + "\"");

    public static void Require(bool isGranted)
    {
        if (!isGranted)
        {
            throw new TwirpException(401, "unauthenticated", "permissions denied");
        }
    }

    private static RoomHttpReply Error(int status, string code, string message)
    {
        string json = "{\"code\":\"" + code + "\",\"msg\":\"" + System.Text.Json.JsonEncodedText.Encode(message) + "\"}";
        return new RoomHttpReply(status, "application/json", Encoding.UTF8.GetBytes(json));
    }
}
