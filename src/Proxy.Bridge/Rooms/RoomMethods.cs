using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Proxy.Participant;
using Proxy.Policy;

namespace Proxy.Bridge.Rooms;

/// <summary>
/// Any thread. Methods that participants of the room may call on a caller's participant (LiveKit RPC), as livekit/sip offers them:
/// <c>lk.sip.GetRemoteHeaders</c> <c>{"include": [], "exclude": []}</c> → <c>{"headers": {}}</c>, and <c>lk.sip.EndCall</c> <c>{"headers": {}}</c> → <c>{}</c>.
/// </summary>
internal static class RoomMethods
{
    public const string GetRemoteHeaders = "lk.sip.GetRemoteHeaders";
    public const string EndCall = "lk.sip.EndCall";
    private const int NamesMax = 64;

    /// <summary>How the message came, and what its sides agreed on: not the caller's words. Credentials never.</summary>
    private static readonly HashSet<string> s_untold = new(StringComparer.OrdinalIgnoreCase)
    {
        "Via", "Route", "Record-Route", "Path", "Max-Forwards", "CSeq", "Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "MIME-Version",
        "Allow", "Allow-Events", "Supported", "Require", "Proxy-Require", "Accept", "Accept-Encoding", "Accept-Language", "Session-Expires", "Min-SE", "RAck", "RSeq",
        "Authorization", "Proxy-Authorization",
    };

    /// <summary>The INVITE's header fields; of several with one name the last.</summary>
    /// <param name="toTag">Our tag: what the caller's side reads in our answers.</param>
    public static RpcAnswer TellHeaders(RoomEvent call, in CallFacts facts, string toTag, bool hidesNumber)
    {
        HashSet<string> include = [];
        HashSet<string> exclude = [];
        bool isRead = TryRead(call.Payload, root =>
        {
            include = Names(root, "include");
            exclude = Names(root, "exclude");
        });
        if (!isRead)
        {
            return NotUnderstood(call);
        }
        var headers = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (FactHeader header in facts.Headers)
        {
            bool isWanted = (include.Count == 0 || include.Contains(header.Name)) && !exclude.Contains(header.Name);
            if (isWanted && !s_untold.Contains(header.Name) && !(hidesNumber && CallerHeaders.Tell(header.Name)))
            {
                headers[header.Name] = header.Name.Equals("To", StringComparison.OrdinalIgnoreCase) ? $"{header.Value};tag={toTag}" : header.Value;
            }
        }
        return new RpcAnswer(call.RequestId, call.Identity, Write(headers));
    }

    /// <summary>What the BYE shall carry.</summary>
    /// <returns>False where the payload cannot be understood; the call goes on.</returns>
    public static bool TryReadEnd(RoomEvent call, List<KeyValuePair<string, string>> headers, out RpcAnswer answer)
    {
        bool isRead = TryRead(call.Payload, root =>
        {
            if (!root.TryGetProperty("headers", out JsonElement wanted) || wanted.ValueKind != JsonValueKind.Object)
            {
                return;
            }
            foreach (JsonProperty header in wanted.EnumerateObject())
            {
                if (headers.Count < NamesMax && header.Value.ValueKind == JsonValueKind.String)
                {
                    headers.Add(KeyValuePair.Create(header.Name, header.Value.GetString()!));
                }
            }
        });
        answer = isRead ? new RpcAnswer(call.RequestId, call.Identity, "{}") : NotUnderstood(call);
        return isRead;
    }

    /// <summary>LiveKit's words for a method that nobody registered.</summary>
    public static RpcAnswer Unknown(RoomEvent call) =>
        new(call.RequestId, call.Identity, "Method not supported at destination", RpcError.UnsupportedMethod);

    private static RpcAnswer NotUnderstood(RoomEvent call) => new(call.RequestId, call.Identity, "the payload is no JSON object that can be read", RpcError.Application);

    /// <param name="read">Gets the object; may meet text that is none.</param>
    private static bool TryRead(ReadOnlyMemory<byte> payload, Action<JsonElement> read)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(payload.IsEmpty ? "{}"u8.ToArray() : payload, new JsonDocumentOptions { MaxDepth = 8 });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return false;
            }
            read(document.RootElement);
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is no UTF-16, such as half a surrogate pair.
            return false;
        }
    }

    private static HashSet<string> Names(JsonElement root, string key)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (!root.TryGetProperty(key, out JsonElement list) || list.ValueKind != JsonValueKind.Array)
        {
            return names;
        }
        foreach (JsonElement name in list.EnumerateArray())
        {
            if (name.ValueKind == JsonValueKind.String && names.Count < NamesMax)
            {
                names.Add(name.GetString()!);
            }
        }
        return names;
    }

    private static string Write(SortedDictionary<string, string> headers)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteStartObject("headers");
            foreach ((string name, string value) in headers)
            {
                json.WriteString(name, value);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
