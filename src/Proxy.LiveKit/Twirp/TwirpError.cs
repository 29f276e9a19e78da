using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text.Json;

namespace Proxy.LiveKit.Twirp;

/// <summary>Twirp's error codes.</summary>
/// <remarks>twitchtv.github.io/twirp, protocol spec v7, error codes.</remarks>
public enum TwirpCode : byte
{
    Canceled,
    Unknown,
    InvalidArgument,
    Malformed,
    DeadlineExceeded,
    NotFound,
    BadRoute,
    AlreadyExists,
    PermissionDenied,
    Unauthenticated,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
}

/// <summary>Any thread. An error of the HTTP API: always JSON, also for protobuf requests.</summary>
/// <param name="Code">Decides the HTTP status.</param>
/// <param name="Message">For people; no secrets.</param>
/// <param name="Meta">Text pairs such as <c>sip_status_code</c>, or null.</param>
public sealed record TwirpError(TwirpCode Code, string Message, IReadOnlyDictionary<string, string>? Meta = null)
{
    /// <summary>The body's content type.</summary>
    public const string ContentType = "application/json";

    private static readonly string[] s_names =
    [
        "canceled", "unknown", "invalid_argument", "malformed", "deadline_exceeded", "not_found", "bad_route", "already_exists", "permission_denied",
        "unauthenticated", "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented", "internal", "unavailable", "dataloss",
    ];

    private static readonly int[] s_statuses = [408, 500, 400, 400, 408, 404, 404, 409, 403, 401, 429, 412, 409, 400, 501, 500, 503, 500];

    /// <summary>HTTP status of <see cref="Code"/>.</summary>
    public int HttpStatus => s_statuses[(int)Code];

    /// <summary>The code as it stands in the body.</summary>
    public string CodeName => s_names[(int)Code];

    /// <summary>A path, method or content type without a handler.</summary>
    /// <param name="method">HTTP method.</param>
    /// <param name="path">Path as received.</param>
    public static TwirpError BadRoute(string message, string method, string path) =>
        new(TwirpCode.BadRoute, message, new Dictionary<string, string> { ["twirp_invalid_route"] = method + " " + path });

    /// <summary>A body that cannot be read.</summary>
    public static TwirpError Undecodable(bool isJson) =>
        new(TwirpCode.Malformed, isJson ? "the json request could not be decoded" : "the protobuf request could not be decoded");

    /// <summary>No token, or a grant is missing: LiveKit does not tell them apart.</summary>
    public static TwirpError Denied() => new(TwirpCode.Unauthenticated, "permissions denied");

    /// <summary>Writes the body: code, msg, and meta when there is any.</summary>
    public byte[] ToJson()
    {
        ArrayBufferWriter<byte> buffer = new(128);
        using Utf8JsonWriter json = new(buffer);
        json.WriteStartObject();
        json.WriteString("code", CodeName);
        json.WriteString("msg", Message);
        if (Meta is { Count: > 0 })
        {
            json.WriteStartObject("meta");
            foreach (KeyValuePair<string, string> pair in Meta)
            {
                json.WriteString(pair.Key, pair.Value);
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads an error body that another server sent.</summary>
    /// <returns>False when it is no Twirp error; a code that we do not know becomes Unknown.</returns>
    public static bool TryRead(ReadOnlySpan<byte> body, out TwirpError error)
    {
        string code = "";
        string message = "";
        Dictionary<string, string> meta = new(StringComparer.Ordinal);
        Utf8JsonReader json = new(body, new JsonReaderOptions { MaxDepth = 4 });
        try
        {
            bool isObject = json.Read() && json.TokenType == JsonTokenType.StartObject;
            while (isObject && json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                string name = json.GetString()!;
                json.Read();
                code = name == "code" ? json.GetString() ?? "" : code;
                message = name == "msg" ? json.GetString() ?? "" : message;
                ReadMeta(ref json, name == "meta" ? meta : null);
            }
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            code = "";
        }
        int at = Array.IndexOf(s_names, code);
        error = new TwirpError(at < 0 ? TwirpCode.Unknown : (TwirpCode)at, message, meta.Count == 0 ? null : meta);
        return code.Length != 0;
    }

    private static void ReadMeta(ref Utf8JsonReader json, Dictionary<string, string>? meta)
    {
        if (meta is null || json.TokenType != JsonTokenType.StartObject)
        {
            json.Skip();
            return;
        }
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            json.Read();
            meta[key] = json.GetString() ?? "";
        }
    }
}
