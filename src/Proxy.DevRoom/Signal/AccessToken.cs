using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Proxy.DevRoom.Signal;

/// <summary>Room loop. The claims of a LiveKit token that the room server reads, and what it signs for a refresh.</summary>
internal sealed class AccessToken
{
    /// <summary>Clock difference that is forgiven, seconds (measured on the stock server).</summary>
    private const long LeewaySeconds = 60;

    public string Identity { get; set; } = "";

    public string Name { get; set; } = "";

    public string Metadata { get; set; } = "";

    public string Kind { get; set; } = "standard";

    public Dictionary<string, string> Attributes { get; } = [];

    public long Expires { get; private set; }

    public bool HasVideoGrant { get; private set; }

    public string Room { get; private set; } = "";

    public bool CanJoin { get; private set; }

    public bool CanCreate { get; private set; }

    public bool CanList { get; private set; }

    public bool IsAdmin { get; private set; }

    public bool CanPublish { get; private set; } = true;

    public bool CanSubscribe { get; private set; } = true;

    public bool CanPublishData { get; private set; } = true;

    public bool CanUpdateMetadata { get; private set; }

    public bool IsHidden { get; private set; }

    public bool IsAgent { get; private set; }

    public string? RoomConfigJson { get; private set; }

    private string? _videoJson;

    /// <summary>Checks signature and times.</summary>
    /// <param name="refusal">The stock server's words; the token itself is not repeated in them.</param>
    public static AccessToken? Verify(string jwt, string key, string secret, long unixSeconds, out string refusal)
    {
        refusal = "invalid authorization token";
        string[] parts = jwt.Split('.');
        if (parts.Length != 3 || !TryDecode(parts[0], out byte[] header) || !TryDecode(parts[1], out byte[] payload) || !TryDecode(parts[2], out byte[] signature))
        {
            return null;
        }
        try
        {
            using JsonDocument head = JsonDocument.Parse(header);
            using JsonDocument body = JsonDocument.Parse(payload);
            string issuer = Text(body.RootElement, "iss");
            if (Text(head.RootElement, "alg") != "HS256")
            {
                refusal = "invalid token: error: only HS256 is accepted";
                return null;
            }
            if (issuer != key)
            {
                refusal = "invalid API key: " + issuer;
                return null;
            }
            byte[] expected = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]));
            if (!CryptographicOperations.FixedTimeEquals(expected, signature))
            {
                refusal = "invalid token: error: token signature is invalid: signature is invalid";
                return null;
            }
            AccessToken token = Read(body.RootElement);
            long notBefore = Number(body.RootElement, "nbf");
            if ((token.Expires != 0 && token.Expires + LeewaySeconds < unixSeconds) || notBefore - LeewaySeconds > unixSeconds)
            {
                refusal = "invalid token: error: token has invalid claims: token is expired or not valid yet";
                return null;
            }
            return token;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static AccessToken Read(JsonElement claims)
    {
        AccessToken token = new()
        {
            Identity = Text(claims, "sub"),
            Name = Text(claims, "name"),
            Metadata = Text(claims, "metadata"),
            Expires = Number(claims, "exp"),
        };
        string kind = Text(claims, "kind");
        token.Kind = kind.Length == 0 ? "standard" : kind;
        if (claims.TryGetProperty("attributes", out JsonElement attributes) && attributes.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty attribute in attributes.EnumerateObject())
            {
                token.Attributes[attribute.Name] = attribute.Value.ValueKind == JsonValueKind.String ? attribute.Value.GetString()! : "";
            }
        }
        if (claims.TryGetProperty("roomConfig", out JsonElement roomConfig) && roomConfig.ValueKind == JsonValueKind.Object)
        {
            token.RoomConfigJson = roomConfig.GetRawText();
        }
        if (claims.TryGetProperty("video", out JsonElement video) && video.ValueKind == JsonValueKind.Object)
        {
            token.ReadVideo(video);
        }
        return token;
    }

    private void ReadVideo(JsonElement video)
    {
        HasVideoGrant = true;
        _videoJson = video.GetRawText();
        Room = Text(video, "room");
        CanJoin = Flag(video, "roomJoin", false);
        CanCreate = Flag(video, "roomCreate", false);
        CanList = Flag(video, "roomList", false);
        IsAdmin = Flag(video, "roomAdmin", false);
        CanPublish = Flag(video, "canPublish", true);
        CanSubscribe = Flag(video, "canSubscribe", true);
        CanPublishData = Flag(video, "canPublishData", CanPublish);
        CanUpdateMetadata = Flag(video, "canUpdateOwnMetadata", false);
        IsHidden = Flag(video, "hidden", false);
        IsAgent = Flag(video, "agent", false);
    }

    /// <summary>A fresh token with the present name, metadata and attributes: what <c>refresh_token</c> carries.</summary>
    public string Sign(string key, string secret, long unixSeconds, string name, string metadata, IReadOnlyDictionary<string, string> attributes)
    {
        System.IO.MemoryStream body = new();
        using (Utf8JsonWriter json = new(body))
        {
            json.WriteStartObject();
            json.WriteString("iss", key);
            json.WriteString("sub", Identity);
            json.WriteNumber("exp", Math.Max(Expires, unixSeconds + 600));
            json.WriteNumber("nbf", unixSeconds);
            json.WriteNumber("iat", unixSeconds);
            json.WriteString("identity", Identity);
            json.WriteString("name", name);
            json.WriteString("kind", Kind);
            json.WritePropertyName("video");
            json.WriteRawValue(_videoJson ?? "{}");
            if (metadata.Length > 0)
            {
                json.WriteString("metadata", metadata);
            }
            if (attributes.Count > 0)
            {
                json.WriteStartObject("attributes");
                foreach ((string attribute, string value) in attributes)
                {
                    json.WriteString(attribute, value);
                }
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        string text = Base64Url.EncodeToString("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"u8) + "." + Base64Url.EncodeToString(body.ToArray());
        return text + "." + Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(text)));
    }

    private static bool TryDecode(string part, out byte[] bytes)
    {
        bytes = new byte[Base64Url.GetMaxDecodedLength(part.Length)];
        if (!Base64Url.TryDecodeFromChars(part, bytes, out int written))
        {
            return false;
        }
        Array.Resize(ref bytes, written);
        return true;
    }

    private static string Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static long Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) ? (long)number : 0;

    private static bool Flag(JsonElement element, string name, bool unset) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : unset;
}
