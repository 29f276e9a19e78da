using System;
using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using Proxy.Policy.Dispatch;

namespace Proxy.Policy.Deferred;

/// <summary>Any thread. What a hook may say.</summary>
public enum HookVerdict
{
    /// <summary>As the rules say.</summary>
    Local,

    Reject,

    Join,
}

/// <summary>Any thread. A hook's answer, read and bounded; what it leaves out stays as the rules have it.</summary>
public sealed record HookAnswer
{
    private const int LongestText = 512;
    private const int LongestMetadata = 16 * 1024;
    private const int MostAttributes = 64;

    public HookVerdict Kind { get; init; }

    /// <summary>SIP status of a refusal, 400–699; 0: the table's for <c>hook_rejected</c>.</summary>
    public int Status { get; init; }

    public string Reason { get; init; } = "";

    public string Sentence { get; init; } = "";

    public string Room { get; init; } = "";

    public string Identity { get; init; } = "";

    public string? Name { get; init; }

    public string? Metadata { get; init; }

    public KeyValuePair<string, string>[] Attributes { get; init; } = [];

    /// <summary>proto3 JSON of RoomConfiguration.</summary>
    public string? RoomConfigJson { get; init; }

    public string[] Agents { get; init; } = [];

    public TimeSpan RingingTimeout { get; init; }

    public TimeSpan MaxCallDuration { get; init; }

    public AnswerMode? AnswerMode { get; init; }

    /// <summary>Reads a body.</summary>
    /// <returns>False with one clause that names what is wrong.</returns>
    public static bool TryRead(ReadOnlyMemory<byte> body, out HookAnswer answer, out string error)
    {
        answer = new HookAnswer();
        try
        {
            using JsonDocument document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16 });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                error = "the answer is no JSON object";
                return false;
            }
            var reader = new Reader(document.RootElement);
            answer = reader.Read();
            error = reader.Error;
            return error.Length == 0;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is no UTF-16, such as half a surrogate pair.
            error = "the answer is no JSON";
            return false;
        }
    }

    /// <summary>One reading; the first thing that is wrong is kept.</summary>
    private sealed class Reader(JsonElement root)
    {
        public string Error { get; private set; } = "";

        public HookAnswer Read()
        {
            string verdict = Text("verdict") ?? "";
            HookVerdict? kind = verdict switch { "local" => HookVerdict.Local, "reject" => HookVerdict.Reject, "join" => HookVerdict.Join, _ => null };
            if (kind is null)
            {
                Wrong("verdict", "is none of local, reject, join");
            }
            (string? config, string[] agents) = RoomConfig();
            double status = Number("status", 699);
            if (status is > 0 and < 400)
            {
                Wrong("status", "is not from 400 to 699");
            }
            return new HookAnswer
            {
                Kind = kind ?? HookVerdict.Local,
                Status = (int)status,
                Reason = Text("reason") ?? "",
                Sentence = Text("sentence") ?? "",
                Room = Text("room") ?? "",
                Identity = Text("identity") ?? "",
                Name = Text("name"),
                Metadata = Text("metadata", LongestMetadata),
                Attributes = Attributes(),
                RoomConfigJson = config,
                Agents = agents,
                RingingTimeout = TimeSpan.FromSeconds(Number("ringing_timeout", 86_400)),
                MaxCallDuration = TimeSpan.FromSeconds(Number("max_call_duration", 31_536_000)),
                AnswerMode = Mode(),
            };
        }

        private void Wrong(string key, string what) => Error = Error.Length > 0 ? Error : $"'{key}' of the answer {what}";

        private string? Text(string key, int longest = LongestText)
        {
            if (!root.TryGetProperty(key, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
            {
                return null;
            }
            return Text(key, value, longest);
        }

        private string Text(string key, JsonElement value, int longest)
        {
            string text = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
            bool mayBreak = longest > LongestText;
            if (value.ValueKind != JsonValueKind.String || text.Length > longest || (!mayBreak && text.AsSpan().IndexOfAnyInRange('\0', '\u001F') >= 0))
            {
                Wrong(key, $"is no text of at most {longest} characters");
                return "";
            }
            return text;
        }

        private double Number(string key, double most)
        {
            if (!root.TryGetProperty(key, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
            {
                return 0;
            }
            if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= 0 && number <= most)
            {
                return number;
            }
            Wrong(key, $"is no number from 0 to {most:0}");
            return 0;
        }

        private AnswerMode? Mode()
        {
            string? mode = Text("answer_mode");
            switch (mode)
            {
                case null:
                    return null;
                case "when_agent_ready":
                    return Dispatch.AnswerMode.WhenAgentReady;
                case "at_once":
                    return Dispatch.AnswerMode.AtOnce;
                case "early_media":
                    return Dispatch.AnswerMode.EarlyMedia;
                default:
                    Wrong("answer_mode", "is none of when_agent_ready, at_once, early_media");
                    return null;
            }
        }

        private KeyValuePair<string, string>[] Attributes()
        {
            if (!root.TryGetProperty("attributes", out JsonElement given) || given.ValueKind == JsonValueKind.Null)
            {
                return [];
            }
            var attributes = new List<KeyValuePair<string, string>>();
            if (given.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty one in given.EnumerateObject())
                {
                    attributes.Add(KeyValuePair.Create(one.Name, Text("attributes", one.Value, LongestMetadata)));
                }
            }
            if (given.ValueKind != JsonValueKind.Object || attributes.Count > MostAttributes)
            {
                Wrong("attributes", $"is no object of at most {MostAttributes} texts");
                return [];
            }
            return [.. attributes];
        }

        /// <summary><c>room_config</c> as LiveKit has it, or <c>agents</c>, names alone.</summary>
        private (string? Json, string[] Agents) RoomConfig()
        {
            if (root.TryGetProperty("room_config", out JsonElement config) && config.ValueKind == JsonValueKind.Object)
            {
                return (config.GetRawText(), Names(config));
            }
            if (!root.TryGetProperty("agents", out JsonElement names) || names.ValueKind != JsonValueKind.Array)
            {
                return (null, []);
            }
            var agents = new List<string>();
            var json = new StringBuilder("{\"agents\":[");
            foreach (JsonElement name in names.EnumerateArray())
            {
                agents.Add(Text("agents", name, LongestText));
                json.Append(agents.Count > 1 ? "," : "").Append("{\"agentName\":\"").Append(JsonEncodedText.Encode(agents[^1]).ToString()).Append("\"}");
            }
            return (json.Append("]}").ToString(), [.. agents]);
        }

        private string[] Names(JsonElement config)
        {
            var names = new List<string>();
            if (config.TryGetProperty("agents", out JsonElement agents) && agents.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement agent in agents.EnumerateArray())
                {
                    if (agent.ValueKind == JsonValueKind.Object && (agent.TryGetProperty("agentName", out JsonElement name) || agent.TryGetProperty("agent_name", out name)))
                    {
                        names.Add(Text("room_config", name, LongestText));
                    }
                }
            }
            return [.. names];
        }
    }
}
