using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text.Encodings.Web;
using System.Text.Json;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;

namespace Proxy.LiveKit.Tokens;

/// <summary>Any thread. The JSON inside a token.</summary>
internal static class ClaimsJson
{
    private static readonly JsonReaderOptions s_options = new() { MaxDepth = ProtoJson.ProtoJson.MaxDepth };

    /// <summary>Reads the header.</summary>
    /// <returns>Ok for HS256; BadAlgorithm for another one or an extension that must be understood; Malformed.</returns>
    internal static TokenVerdict ReadHeader(ReadOnlySpan<byte> header)
    {
        Utf8JsonReader json = new(header, s_options);
        bool isHs256 = false;
        bool isCritical = false;
        try
        {
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                return TokenVerdict.Malformed;
            }
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                bool isAlgorithm = json.ValueTextEquals("alg"u8);
                isCritical |= json.ValueTextEquals("crit"u8);
                json.Read();
                if (isAlgorithm)
                {
                    isHs256 = json.TokenType == JsonTokenType.String && json.ValueTextEquals("HS256"u8);
                }
                json.Skip();
            }
            json.Read();
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return TokenVerdict.Malformed;
        }
        return isHs256 && !isCritical ? TokenVerdict.Ok : TokenVerdict.BadAlgorithm;
    }

    internal static bool TryRead(ReadOnlySpan<byte> payload, out AccessClaims? claims)
    {
        claims = null;
        Utf8JsonReader json = new(payload, s_options);
        try
        {
            Draft draft = new();
            Fields(ref json, payload, draft, static (ref Utf8JsonReader reader, ReadOnlySpan<byte> all, Draft d, string name) => d.Claim(ref reader, all, name));
            if (json.Read())
            {
                return false;
            }
            claims = draft.Finish();
            return true;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException or FormatException)
        {
            // The reader throws for text that is no JSON and for claims of another type.
            return false;
        }
    }

    internal static byte[] Write(AccessClaims claims)
    {
        ArrayBufferWriter<byte> buffer = new(512);
        using Utf8JsonWriter json = new(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        Text(json, "iss", claims.ApiKey);
        Text(json, "sub", claims.Identity);
        Number(json, "iat", claims.IssuedAt);
        Number(json, "nbf", claims.NotBefore);
        Number(json, "exp", claims.ExpiresAt);
        Text(json, "name", claims.Name);
        Text(json, "kind", claims.Kind);
        Text(json, "metadata", claims.Metadata);
        Text(json, "sha256", claims.Sha256);
        Text(json, "roomPreset", claims.RoomPreset);
        if (claims.Attributes.Count != 0)
        {
            json.WriteStartObject("attributes");
            foreach (KeyValuePair<string, string> pair in claims.Attributes)
            {
                json.WriteString(pair.Key, pair.Value);
            }
            json.WriteEndObject();
        }
        if (claims.RoomConfig is not null)
        {
            json.WritePropertyName("roomConfig");
            ProtoJson.ProtoJson.Write(json, claims.RoomConfig, ProtoJsonStyle.Camel);
        }
        WriteGrants(json, claims);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteGrants(Utf8JsonWriter json, AccessClaims claims)
    {
        if (claims.Video is not null)
        {
            WriteVideo(json, claims.Video);
        }
        if (claims.Sip is not null)
        {
            json.WriteStartObject("sip");
            Flag(json, "admin", claims.Sip.Admin);
            Flag(json, "call", claims.Sip.Call);
            json.WriteEndObject();
        }
        if (claims.Agent is not null)
        {
            json.WriteStartObject("agent");
            Flag(json, "admin", claims.Agent.Admin);
            json.WriteEndObject();
        }
    }

    private static void WriteVideo(Utf8JsonWriter json, VideoGrant video)
    {
        json.WriteStartObject("video");
        Flag(json, "roomCreate", video.RoomCreate);
        Flag(json, "roomList", video.RoomList);
        Flag(json, "roomRecord", video.RoomRecord);
        Flag(json, "roomAdmin", video.RoomAdmin);
        Flag(json, "roomJoin", video.RoomJoin);
        Text(json, "room", video.Room);
        TriState(json, "canPublish", video.CanPublish);
        TriState(json, "canSubscribe", video.CanSubscribe);
        TriState(json, "canPublishData", video.CanPublishData);
        if (video.CanPublishSources.Count != 0)
        {
            json.WriteStartArray("canPublishSources");
            foreach (string source in video.CanPublishSources)
            {
                json.WriteStringValue(source);
            }
            json.WriteEndArray();
        }
        TriState(json, "canUpdateOwnMetadata", video.CanUpdateOwnMetadata);
        Flag(json, "ingressAdmin", video.IngressAdmin);
        Flag(json, "hidden", video.Hidden);
        Flag(json, "recorder", video.Recorder);
        Flag(json, "agent", video.Agent);
        TriState(json, "canSubscribeMetrics", video.CanSubscribeMetrics);
        TriState(json, "canManageAgentSession", video.CanManageAgentSession);
        Text(json, "destinationRoom", video.DestinationRoom);
        json.WriteEndObject();
    }

    private static void Text(Utf8JsonWriter json, string name, string value)
    {
        if (value.Length != 0)
        {
            json.WriteString(name, value);
        }
    }

    private static void Number(Utf8JsonWriter json, string name, long? value)
    {
        if (value is long number)
        {
            json.WriteNumber(name, number);
        }
    }

    private static void Flag(Utf8JsonWriter json, string name, bool value)
    {
        if (value)
        {
            json.WriteBoolean(name, true);
        }
    }

    private static void TriState(Utf8JsonWriter json, string name, bool? value)
    {
        if (value is bool flag)
        {
            json.WriteBoolean(name, flag);
        }
    }

    private delegate void Field<in T>(ref Utf8JsonReader json, ReadOnlySpan<byte> all, T target, string name);

    /// <summary>Walks an object; each field's value is the current token when <paramref name="field"/> is called. Null counts as absent.</summary>
    private static void Fields<T>(ref Utf8JsonReader json, ReadOnlySpan<byte> all, T target, Field<T> field)
    {
        if ((json.TokenType == JsonTokenType.None && !json.Read()) || json.TokenType != JsonTokenType.StartObject)
        {
            throw new FormatException();
        }
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            json.Read();
            if (json.TokenType != JsonTokenType.Null)
            {
                field(ref json, all, target, name);
            }
        }
    }

    /// <summary>NumericDate: seconds, perhaps with a fraction (RFC 7519 §2).</summary>
    private static long Seconds(ref Utf8JsonReader json) =>
        json.TryGetInt64(out long whole) ? whole : (long)Math.Clamp(json.GetDouble(), long.MinValue / 2, long.MaxValue / 2);

    private sealed class Draft
    {
        private readonly Dictionary<string, string> _attributes = new(StringComparer.Ordinal);
        private AccessClaims _claims = new() { ApiKey = "" };
        private VideoGrant? _video;
        private SipGrant? _sip;
        private AgentGrant? _agent;
        private string _jti = "";

        internal AccessClaims Finish() => _claims with
        {
            Identity = _claims.Identity.Length != 0 ? _claims.Identity : _jti,
            Attributes = _attributes,
            Video = _video,
            Sip = _sip,
            Agent = _agent,
        };

        internal void Claim(ref Utf8JsonReader json, ReadOnlySpan<byte> all, string name)
        {
            switch (name)
            {
                case "iss":
                    _claims = _claims with { ApiKey = json.GetString()! };
                    break;
                case "sub":
                    _claims = _claims with { Identity = json.GetString()! };
                    break;
                case "jti":
                    _jti = json.GetString()!;
                    break;
                case "nbf":
                    _claims = _claims with { NotBefore = Seconds(ref json) };
                    break;
                case "iat":
                    _claims = _claims with { IssuedAt = Seconds(ref json) };
                    break;
                case "exp":
                    _claims = _claims with { ExpiresAt = Seconds(ref json) };
                    break;
                default:
                    Custom(ref json, all, name);
                    break;
            }
        }

        private void Custom(ref Utf8JsonReader json, ReadOnlySpan<byte> all, string name)
        {
            switch (name)
            {
                case "name":
                    _claims = _claims with { Name = json.GetString()! };
                    break;
                case "kind":
                    _claims = _claims with { Kind = json.GetString()! };
                    break;
                case "metadata":
                    _claims = _claims with { Metadata = json.GetString()! };
                    break;
                case "sha256":
                    _claims = _claims with { Sha256 = json.GetString()! };
                    break;
                case "roomPreset":
                    _claims = _claims with { RoomPreset = json.GetString()! };
                    break;
                case "roomConfig":
                    _claims = _claims with { RoomConfig = RoomConfig(ref json, all) };
                    break;
                case "attributes":
                    Fields(ref json, all, _attributes, static (ref Utf8JsonReader reader, ReadOnlySpan<byte> _, Dictionary<string, string> map, string key) => map[key] = reader.GetString()!);
                    break;
                case "video":
                    _video = new VideoGrant();
                    Fields(ref json, all, this, static (ref Utf8JsonReader reader, ReadOnlySpan<byte> _, Draft draft, string key) => draft._video = Video(ref reader, draft._video!, key));
                    break;
                case "sip":
                    _sip = new SipGrant(false, false);
                    Fields(ref json, all, this, static (ref Utf8JsonReader reader, ReadOnlySpan<byte> _, Draft draft, string key) => draft.Sip(ref reader, key));
                    break;
                case "agent":
                    _agent = new AgentGrant(false);
                    Fields(ref json, all, this, static (ref Utf8JsonReader reader, ReadOnlySpan<byte> _, Draft draft, string key) => draft.Agent(ref reader, key));
                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        private static RoomConfiguration RoomConfig(ref Utf8JsonReader json, ReadOnlySpan<byte> all)
        {
            int start = (int)json.TokenStartIndex;
            json.Skip();
            bool isRead = ProtoJson.ProtoJson.TryRead(all[start..(int)json.BytesConsumed], ProtoJsonRules.IgnoreUnknown, out RoomConfiguration config, out _);
            return isRead ? config : throw new FormatException();
        }

        private void Sip(ref Utf8JsonReader json, string name)
        {
            switch (name)
            {
                case "admin":
                    _sip = _sip! with { Admin = json.GetBoolean() };
                    break;
                case "call":
                    _sip = _sip! with { Call = json.GetBoolean() };
                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        private void Agent(ref Utf8JsonReader json, string name)
        {
            if (name == "admin")
            {
                _agent = new AgentGrant(json.GetBoolean());
            }
            else
            {
                json.Skip();
            }
        }

        private static VideoGrant Video(ref Utf8JsonReader json, VideoGrant video, string name)
        {
            switch (name)
            {
                case "roomCreate":
                    return video with { RoomCreate = json.GetBoolean() };
                case "roomList":
                    return video with { RoomList = json.GetBoolean() };
                case "roomRecord":
                    return video with { RoomRecord = json.GetBoolean() };
                case "roomAdmin":
                    return video with { RoomAdmin = json.GetBoolean() };
                case "roomJoin":
                    return video with { RoomJoin = json.GetBoolean() };
                case "room":
                    return video with { Room = json.GetString()! };
                case "canPublish":
                    return video with { CanPublish = json.GetBoolean() };
                case "canSubscribe":
                    return video with { CanSubscribe = json.GetBoolean() };
                case "canPublishData":
                    return video with { CanPublishData = json.GetBoolean() };
                default:
                    return RareVideo(ref json, video, name);
            }
        }

        private static VideoGrant RareVideo(ref Utf8JsonReader json, VideoGrant video, string name)
        {
            switch (name)
            {
                case "canPublishSources":
                    return video with { CanPublishSources = Sources(ref json) };
                case "canUpdateOwnMetadata":
                    return video with { CanUpdateOwnMetadata = json.GetBoolean() };
                case "ingressAdmin":
                    return video with { IngressAdmin = json.GetBoolean() };
                case "hidden":
                    return video with { Hidden = json.GetBoolean() };
                case "recorder":
                    return video with { Recorder = json.GetBoolean() };
                case "agent":
                    return video with { Agent = json.GetBoolean() };
                case "canSubscribeMetrics":
                    return video with { CanSubscribeMetrics = json.GetBoolean() };
                case "canManageAgentSession":
                    return video with { CanManageAgentSession = json.GetBoolean() };
                case "destinationRoom":
                    return video with { DestinationRoom = json.GetString()! };
                default:
                    json.Skip();
                    return video;
            }
        }

        private static List<string> Sources(ref Utf8JsonReader json)
        {
            List<string> sources = [];
            if (json.TokenType != JsonTokenType.StartArray)
            {
                throw new FormatException();
            }
            while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            {
                sources.Add(json.GetString() ?? "");
            }
            return sources;
        }
    }
}
