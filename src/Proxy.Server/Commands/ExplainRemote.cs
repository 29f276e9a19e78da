using System;
using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Proxy.Server.Commands;

/// <summary>Main thread. <c>siproom explain</c> where a running node answers: what it would decide now, or what it decided about a call.</summary>
internal static class ExplainRemote
{
    /// <summary>Asks the node's policy.</summary>
    /// <param name="question">The object that <c>POST /policy/explain</c> takes.</param>
    public static int Decide(ControlClient node, string question, bool isJson)
    {
        (int status, string text) = node.Send("POST", "policy/explain", question, isJson ? "application/json" : "text/plain");
        if (status != 200)
        {
            return Terminal.Fail(status == 400 ? ExitCode.BadInput : ExitCode.Failed, node.Sentence(status, text));
        }
        System.Console.Out.WriteLine(text.TrimEnd('\n'));
        // The text's last words are the verdict; the JSON names it.
        bool isRefused = isJson ? IsReject(text) : text.Contains("\nrefused: ", StringComparison.Ordinal);
        return isRefused ? ExitCode.Refused : ExitCode.Done;
    }

    /// <summary>Tells what was decided when the call came.</summary>
    public static int Tell(ControlClient node, string id, bool isJson)
    {
        (int status, string text) = node.Send("GET", "node/calls/show?id=" + Uri.EscapeDataString(id));
        if (status != 200)
        {
            return Terminal.Fail(ExitCode.Failed, node.Sentence(status, text));
        }
        using JsonDocument document = JsonDocument.Parse(text);
        JsonElement call = Decided(document.RootElement);
        string verdict = Verdict(call);
        System.Console.Out.WriteLine(isJson ? Json(call, verdict) : Sentences(call, verdict));
        return verdict == "reject" ? ExitCode.Refused : ExitCode.Done;
    }

    /// <summary>The newest attempt that is more than a question for credentials.</summary>
    private static JsonElement Decided(JsonElement calls)
    {
        JsonElement found = default;
        foreach (string list in (string[])["live", "ended"])
        {
            foreach (JsonElement call in calls.GetProperty(list).EnumerateArray())
            {
                if (found.ValueKind == JsonValueKind.Undefined || Text(found, "code") == "challenged")
                {
                    found = call;
                }
            }
        }
        return found;
    }

    private static string Verdict(JsonElement call) => Text(call, "code") == "challenged" ? "challenge"
        : Text(call, "room").Length > 0 && Text(call, "explanation").Length == 0 ? "join" : "reject";

    private static string Sentences(JsonElement call, string verdict)
    {
        if (Text(call, "explanation") is { Length: > 0 } explanation)
        {
            return explanation.TrimEnd('\n');
        }
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"call from {Text(call, "from")} to {Text(call, "to")}, by {Text(call, "transport")} from {Text(call, "source")}\n");
        if (verdict == "join")
        {
            text.Append(CultureInfo.InvariantCulture, $"  + trunk {Text(call, "trunk_id")}\n  + rule {Text(call, "rule_id")}\n");
            text.Append(CultureInfo.InvariantCulture, $"joined room {Text(call, "room")} as {Text(call, "identity")}");
            if (Text(call, "sentence") is { Length: > 0 } end)
            {
                text.Append(CultureInfo.InvariantCulture, $"\nended: {Text(call, "status")} ({Text(call, "code")}): {end}");
            }
        }
        else
        {
            text.Append(CultureInfo.InvariantCulture, $"{(verdict == "reject" ? "refused" : "challenged")}: {Text(call, "status")} ({Text(call, "code")}): {Text(call, "sentence")}");
        }
        return Text(call, "policy_version") is { Length: > 0 } version ? text.Append("\npolicy version ").Append(version).ToString() : text.ToString();
    }

    /// <summary>The keys of <c>explain --json</c> as far as a record has them; the steps stand in <c>explanation</c>.</summary>
    private static string Json(JsonElement call, string verdict)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("verdict", verdict);
            json.WriteStartObject("sip");
            json.WriteNumber("status", call.TryGetProperty("status", out JsonElement status) ? status.GetInt32() : 0);
            json.WriteEndObject();
            foreach (string key in (string[])["call_id", "sip_call_id", "code", "sentence", "trunk_id", "rule_id", "room", "identity", "explanation"])
            {
                json.WriteString(key, Text(call, key));
            }
            if (call.TryGetProperty("policy_version", out JsonElement version))
            {
                json.WriteNumber("policy_version", version.GetInt64());
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static bool IsReject(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        return Text(document.RootElement, "verdict") == "reject";
    }

    private static string Text(JsonElement call, string key) =>
        call.TryGetProperty(key, out JsonElement value) ? value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText() : "";
}
