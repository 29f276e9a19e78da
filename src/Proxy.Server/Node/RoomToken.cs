using System;
using System.Buffers;
using System.Buffers.Text;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Proxy.Bridge.Rooms;

namespace Proxy.Server.Node;

/// <summary>Any thread. Mints the access token with which a call joins its room: kind SIP, the grants that livekit/sip gives.</summary>
public sealed class RoomToken(string apiKey, string apiSecret, Func<DateTimeOffset> utc)
{
    private static readonly TimeSpan s_life = TimeSpan.FromHours(24);
    private readonly byte[] _secret = Encoding.UTF8.GetBytes(apiSecret);

    /// <returns>The JWT: a secret, never logged.</returns>
    public string Mint(RoomRequest request)
    {
        var claims = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(claims))
        {
            WriteClaims(json, request, utc());
        }
        string head = Base64Url.EncodeToString("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"u8) + "." + Base64Url.EncodeToString(claims.WrittenSpan);
        byte[] signature = HMACSHA256.HashData(_secret, Encoding.ASCII.GetBytes(head));
        return head + "." + Base64Url.EncodeToString(signature);
    }

    private void WriteClaims(Utf8JsonWriter json, RoomRequest request, DateTimeOffset now)
    {
        json.WriteStartObject();
        json.WriteString("iss", apiKey);
        json.WriteString("sub", request.Identity);
        json.WriteNumber("nbf", now.ToUnixTimeSeconds());
        json.WriteNumber("exp", (now + s_life).ToUnixTimeSeconds());
        json.WriteString("name", request.Name);
        json.WriteString("kind", "sip");
        if (request.Metadata.Length > 0)
        {
            json.WriteString("metadata", request.Metadata);
        }
        json.WriteStartObject("attributes");
        foreach (KeyValuePair<string, string> attribute in request.Attributes)
        {
            json.WriteString(attribute.Key, attribute.Value);
        }
        json.WriteEndObject();
        if (request.RoomPreset.Length > 0)
        {
            json.WriteString("roomPreset", request.RoomPreset);
        }
        if (request.RoomConfigJson.Length > 0)
        {
            json.WritePropertyName("roomConfig");
            json.WriteRawValue(request.RoomConfigJson);
        }
        json.WriteStartObject("video");
        json.WriteBoolean("roomJoin", true);
        json.WriteString("room", request.Room);
        json.WriteBoolean("canPublish", true);
        json.WriteBoolean("canSubscribe", true);
        json.WriteBoolean("canPublishData", true);
        json.WriteBoolean("canUpdateOwnMetadata", true);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
