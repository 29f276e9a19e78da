using System;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Tasks;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Proxy.DevRoom;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using Proxy.Server.Http;
using Proxy.Server.Rooms;

namespace Proxy.Server.Console;

/// <summary>
/// Async world. What the page needs of the built-in room server; mapped with <c>--dev</c>, for programs on this machine only: <c>GET /dev/rooms</c>
/// lists rooms, <c>GET /dev/token?room=R&amp;name=N</c> gives a token to join one.
/// </summary>
public sealed class DevModule : IHttpModule
{
    private const int RoomMax = 256;
    private const int NameMax = 64;
    private static readonly TimeSpan s_life = TimeSpan.FromMinutes(10);

    private readonly RoomLoop _rooms;
    private readonly DevOptions _options;
    private readonly byte[] _secret;

    public DevModule(RoomLoop rooms, DevOptions options)
    {
        _rooms = rooms;
        _options = options;
        _secret = Encoding.UTF8.GetBytes(options.ApiSecret);
    }

    public void Map(WebApplication app)
    {
        app.MapGet("/dev/token", GuardLocal(TokenAsync));
        app.MapGet("/dev/rooms", GuardLocal(RoomsAsync));
    }

    private static RequestDelegate GuardLocal(RequestDelegate handler) => context => HttpPeer.IsLoopback(context)
        ? handler(context)
        : ConsoleReply.TextAsync(context, StatusCodes.Status403Forbidden, "only for a browser on the machine of siproom itself (http://127.0.0.1, http://localhost)");

    private Task TokenAsync(HttpContext context)
    {
        string room = context.Request.Query["room"].ToString();
        string name = context.Request.Query["name"].ToString();
        if (room.Length is 0 or > RoomMax || name.Length > NameMax)
        {
            return ConsoleReply.TextAsync(
                context, StatusCodes.Status400BadRequest, $"room has {room.Length} characters, 1 to {RoomMax} are right; name has {name.Length}, at most {NameMax} are right");
        }
        // A second tab of the same name is another participant, not one that throws the first out.
        string identity = "web-" + RandomNumberGenerator.GetHexString(8, lowercase: true);
        var grant = new VideoGrant { RoomJoin = true, Room = room, CanPublish = true, CanSubscribe = true, CanPublishData = true };
        string token = Mint(new AccessClaims { ApiKey = _options.ApiKey, Identity = identity, Name = name.Length > 0 ? name : "Browser", Video = grant });
        return ConsoleReply.JsonAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteString("token", token);
            json.WriteString("identity", identity);
            json.WriteEndObject();
        });
    }

    private async Task RoomsAsync(HttpContext context)
    {
        string token = Mint(new AccessClaims { ApiKey = _options.ApiKey, Video = new VideoGrant { RoomList = true } });
        RoomHttpReply reply = await _rooms.CallServiceAsync("RoomService", "ListRooms", new ListRoomsRequest().ToByteArray(), isJson: false, token).ConfigureAwait(false);
        if (reply.Status != StatusCodes.Status200OK)
        {
            await ConsoleReply.TextAsync(context, StatusCodes.Status503ServiceUnavailable, "the room server did not answer").ConfigureAwait(false);
            return;
        }
        ListRoomsResponse list = ListRoomsResponse.Parser.ParseFrom(reply.Body);
        await ConsoleReply.JsonAsync(context, json =>
        {
            json.WriteStartObject();
            json.WriteString("sip", _options.SipAddress);
            json.WriteStartArray("rooms");
            foreach (Room room in list.Rooms)
            {
                json.WriteStartObject();
                json.WriteString("name", room.Name);
                json.WriteNumber("participants", room.NumParticipants);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    private string Mint(AccessClaims claims)
    {
        DateTimeOffset now = _options.Utc();
        return AccessToken.Mint(claims with { NotBefore = now.ToUnixTimeSeconds(), ExpiresAt = (now + s_life).ToUnixTimeSeconds() }, _secret);
    }
}

/// <summary>Any thread. What the page's helper endpoints are made of.</summary>
/// <param name="ApiKey">Of the built-in room server.</param>
/// <param name="ApiSecret">Signs tokens; never logged.</param>
/// <param name="SipAddress">Where SIP listens, for the page to print.</param>
/// <param name="Utc">The wall clock.</param>
public sealed record DevOptions(string ApiKey, string ApiSecret, string SipAddress, Func<DateTimeOffset> Utc);
