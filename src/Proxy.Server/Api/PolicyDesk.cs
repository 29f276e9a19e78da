using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Store;

namespace Proxy.Server.Api;

/// <summary>
/// Any thread. What the verbs need beside LiveKit's own services: our additions to an object, and a stock of numbers. Bytes in and bytes out, so
/// that a route, the control socket and a folder without a node answer the same.
/// </summary>
/// <param name="store">The policy.</param>
public sealed class PolicyDesk(IObjectStore store)
{
    private static readonly JsonWriterOptions s_indented = new() { Indented = true };

    /// <summary>The additions of an object: <c>{"id": …, "x": {…}}</c>.</summary>
    public SipReply Extras(string id)
    {
        StoredObjects objects = store.Objects;
        if (KindOf(objects, id) is null)
        {
            return Fail(404, $"no trunk or rule has the id '{id}'");
        }
        using JsonDocument x = JsonDocument.Parse(objects.Extras.GetValueOrDefault(id, "{}"));
        return Reply(json =>
        {
            json.WriteString("id", id);
            json.WritePropertyName("x");
            x.RootElement.WriteTo(json);
        });
    }

    /// <summary>Sets keys of an object's additions: <c>{"id": …, "x": {key: value}}</c>; null takes a key away. All of them or none.</summary>
    public async Task<SipReply> SetExtrasAsync(ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        string error = "";
        try
        {
            using JsonDocument request = JsonDocument.Parse(body);
            JsonElement root = request.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("id", out JsonElement given) || given.ValueKind != JsonValueKind.String
                || !root.TryGetProperty("x", out JsonElement x) || x.ValueKind != JsonValueKind.Object)
            {
                return Fail(400, "an object with id and x is wanted");
            }
            string id = given.GetString()!;
            await store.ChangeAsync(objects => Merge(objects, id, x, out error), cancellation).ConfigureAwait(false);
            return error.Length > 0 ? Fail(400, error) : Extras(id);
        }
        catch (JsonException)
        {
            return Fail(400, "the body is no JSON object");
        }
        catch (ObjectStoreException e)
        {
            return Fail(412, e.Message);
        }
    }

    /// <summary>Takes a stock of numbers out of CSV; numbers that are known already stay as they are.</summary>
    public async Task<SipReply> ImportAsync(string csv, CancellationToken cancellation)
    {
        IReadOnlyList<string> errors = NumberCsv.Read(csv, out IReadOnlyList<PhoneNumber> numbers);
        if (errors.Count > 0)
        {
            return Reply(
                json =>
                {
                    json.WriteString("error", "no number was taken: " + errors[0]);
                    json.WriteStartArray("errors");
                    foreach (string wrong in errors)
                    {
                        json.WriteStringValue(wrong);
                    }
                    json.WriteEndArray();
                },
                400);
        }
        try
        {
            int added = await store.ImportAsync(numbers, cancellation).ConfigureAwait(false);
            return Reply(json =>
            {
                json.WriteNumber("added", added);
                json.WriteNumber("known", numbers.Count - added);
            });
        }
        catch (ObjectStoreException e)
        {
            return Fail(412, e.Message);
        }
    }

    private static ObjectKind? KindOf(StoredObjects objects, string id) => objects.Inbound.ContainsKey(id) ? ObjectKind.InboundTrunk
        : objects.Rules.ContainsKey(id) ? ObjectKind.Rule : null;

    private static ObjectChange? Merge(StoredObjects objects, string id, JsonElement changes, out string error)
    {
        error = KindOf(objects, id) is null ? $"no trunk or rule has the id '{id}'" : "";
        if (error.Length > 0)
        {
            return null;
        }
        ObjectKind kind = KindOf(objects, id)!.Value;
        using JsonDocument old = JsonDocument.Parse(objects.Extras.GetValueOrDefault(id, "{}"));
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, s_indented))
        {
            json.WriteStartObject();
            foreach (JsonProperty key in old.RootElement.EnumerateObject())
            {
                if (!changes.TryGetProperty(key.Name, out _))
                {
                    key.WriteTo(json);
                }
            }
            foreach (JsonProperty key in changes.EnumerateObject())
            {
                if (key.Value.ValueKind != JsonValueKind.Null)
                {
                    key.WriteTo(json);
                }
            }
            json.WriteEndObject();
        }
        using JsonDocument merged = JsonDocument.Parse(buffer.WrittenMemory);
        IReadOnlyList<string> errors = ExtrasJson.Check(kind, merged.RootElement);
        error = string.Join("; ", errors);
        IMessage message = kind == ObjectKind.Rule ? objects.Rules[id] : objects.Inbound[id];
        return errors.Count > 0 ? null : new ObjectChange(kind, id, message) { Extras = Encoding.UTF8.GetString(buffer.WrittenSpan) };
    }

    private static SipReply Fail(int status, string sentence) => Reply(json => json.WriteString("error", sentence), status);

    private static SipReply Reply(Action<Utf8JsonWriter> write, int status = 200)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return new SipReply(status, "application/json", body.WrittenSpan.ToArray());
    }
}
