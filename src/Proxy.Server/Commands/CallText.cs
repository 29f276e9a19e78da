using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.Json;

namespace Proxy.Server.Commands;

/// <summary>Main thread. Calls as text for people, out of the node's JSON.</summary>
internal static class CallText
{
    private static readonly string[] s_head = ["STARTED", "STATE", "TALKED", "FROM", "TO", "ROOM", "CALL"];

    /// <summary>One line a call, columns as wide as what they hold.</summary>
    public static void WriteList(TextWriter output, JsonElement calls)
    {
        List<string[]> rows = [s_head];
        foreach (JsonElement call in calls.GetProperty("live").EnumerateArray())
        {
            rows.Add(Row(call, Text(call, "state"), Seconds(call, "talked_seconds")));
        }
        foreach (JsonElement call in calls.GetProperty("ended").EnumerateArray())
        {
            rows.Add(Row(call, $"{Text(call, "status")} {Text(call, "code")}", Talked(call)));
        }
        Columns.Write(output, rows);
    }

    /// <summary>Every field of every attempt, a line each; an explanation stands below.</summary>
    public static void WriteCalls(TextWriter output, JsonElement calls)
    {
        bool isFirst = true;
        foreach (string list in (string[])["live", "ended"])
        {
            foreach (JsonElement call in calls.GetProperty(list).EnumerateArray())
            {
                if (!isFirst)
                {
                    output.WriteLine();
                }
                isFirst = false;
                WriteFields(output, call, "");
                if (Text(call, "explanation") is { Length: > 0 } explanation)
                {
                    output.WriteLine();
                    output.WriteLine(Columns.Clean(explanation.TrimEnd('\n'), keepsLines: true));
                }
            }
        }
    }

    private static void WriteFields(TextWriter output, JsonElement fields, string prefix)
    {
        foreach (JsonProperty field in fields.EnumerateObject())
        {
            switch (field.Value.ValueKind)
            {
                case JsonValueKind.Object:
                    WriteFields(output, field.Value, field.Name + ".");
                    break;
                case JsonValueKind.Array when field.Value.GetArrayLength() > 0 && field.Value[0].ValueKind == JsonValueKind.Object:
                    int number = 1;
                    foreach (JsonElement item in field.Value.EnumerateArray())
                    {
                        WriteFields(output, item, $"{field.Name}.{number++}.");
                    }
                    break;
                case JsonValueKind.Array when field.Value.GetArrayLength() == 0:
                case JsonValueKind.String when field.Value.GetString()!.Length == 0 || field.Name == "explanation":
                    break;
                default:
                    string value = field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString()! : field.Value.GetRawText();
                    output.WriteLine($"{prefix + field.Name,-24} {Columns.Clean(value)}");
                    break;
            }
        }
    }

    private static string[] Row(JsonElement call, string state, string talked)
    {
        string id = Text(call, "call_id");
        return
        [
            DateTimeOffset.TryParse(Text(call, "started_at"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset at)
                ? at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) : "",
            Columns.Cell(state), talked, Columns.Cell(Text(call, "from")), Columns.Cell(Text(call, "to")), Columns.Cell(Text(call, "room")),
            Columns.Clean(id.Length > 0 ? id : Text(call, "sip_call_id")),
        ];
    }

    private static string Talked(JsonElement call) =>
        call.TryGetProperty("answered_ms", out JsonElement answered) && call.TryGetProperty("ended_ms", out JsonElement ended)
            ? Seconds((ended.GetDouble() - answered.GetDouble()) / 1000) : "-";

    private static string Seconds(JsonElement call, string key) =>
        call.TryGetProperty(key, out JsonElement seconds) && seconds.GetDouble() > 0 ? Seconds(seconds.GetDouble()) : "-";

    private static string Seconds(double seconds) => seconds.ToString("0.0", CultureInfo.InvariantCulture) + "s";

    private static string Text(JsonElement call, string key) =>
        call.TryGetProperty(key, out JsonElement value) ? value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText() : "";
}
