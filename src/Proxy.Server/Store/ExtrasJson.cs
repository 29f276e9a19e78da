using System;
using System.Collections.Generic;
using System.Text.Json;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;

namespace Proxy.Server.Store;

/// <summary>One owner. Reads the <c>x</c> member of an object: our additions, each key known or refused.</summary>
internal sealed class ExtrasJson
{
    private readonly JsonElement _x;
    private readonly HashSet<string> _seen = [];
    private readonly List<string> _errors = [];

    private ExtrasJson(JsonElement x) => _x = x;

    /// <param name="x">The member, an object.</param>
    /// <param name="errors">One sentence for each key that is wrong.</param>
    public static TrunkExtras ReadTrunk(JsonElement x, List<string> errors)
    {
        var reader = new ExtrasJson(x);
        var extras = new TrunkExtras
        {
            CalledFrom = reader.Choice("called_from", ["to", "request_uri"], [CalledFrom.To, CalledFrom.RequestUri]),
            CallerFrom = reader.Choice("caller_from", ["from", "p_asserted_identity"], [CallerFrom.From, CallerFrom.AssertedIdentity]),
            NumberPatterns = reader.Texts("number_patterns"),
            DigestAlgorithm = reader.Choice("digest", ["MD5", "SHA-256", "SHA-512-256"], ["MD5", "SHA-256", "SHA-512-256"]),
            Passthrough = reader.Passthrough(),
            MaxCalls = reader.Number("max_calls"),
            MaxCallsPerSecond = reader.Number("max_calls_per_second"),
            MaxCallsPerNumber = reader.Number("max_calls_per_number"),
            MaxCallsPerCaller = reader.Number("max_calls_per_caller"),
        };
        reader.Finish(errors);
        return extras;
    }

    public static RuleExtras ReadRule(JsonElement x, List<string> errors)
    {
        var reader = new ExtrasJson(x);
        PinPrompt pin = PinPrompt.Default;
        var extras = new RuleExtras
        {
            AnswerMode = reader.Choice("answer_mode", ["when_agent_ready", "at_once", "early_media"],
                [AnswerMode.WhenAgentReady, AnswerMode.AtOnce, AnswerMode.EarlyMedia]),
            FallbackRoom = reader.Text("fallback_room"),
            DispatchAgentsAlways = reader.Choice("dispatch_agents", ["first_join", "every_call"], [false, true]),
            Passthrough = reader.Passthrough(),
            MaxCalls = reader.Number("max_calls"),
            MaxCallsPerSecond = reader.Number("max_calls_per_second"),
            Pin = pin with
            {
                Attempts = reader.Number("pin_attempts", pin.Attempts, 1, 10),
                InterDigit = TimeSpan.FromSeconds(reader.Number("pin_inter_digit_seconds", (int)pin.InterDigit.TotalSeconds, 1, 60)),
                Total = TimeSpan.FromSeconds(reader.Number("pin_total_seconds", (int)pin.Total.TotalSeconds, 1, 300)),
                BargeIn = reader.Flag("pin_barge_in", pin.BargeIn),
            },
        };
        reader.Finish(errors);
        return extras;
    }

    private Passthrough Passthrough() => Choice("passthrough", ["auto", "opus", "g711"],
        [Policy.Trunks.Passthrough.Auto, Policy.Trunks.Passthrough.Opus, Policy.Trunks.Passthrough.G711]);

    private bool TryGet(string key, out JsonElement value)
    {
        _seen.Add(key);
        return _x.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;
    }

    private T Choice<T>(string key, string[] names, T[] values)
    {
        if (!TryGet(key, out JsonElement value))
        {
            return values[0];
        }
        int index = value.ValueKind == JsonValueKind.String ? Array.IndexOf(names, value.GetString()) : -1;
        if (index < 0)
        {
            _errors.Add($"x.{key}: {value} is none of {string.Join(", ", names)}");
        }
        return values[Math.Max(index, 0)];
    }

    private string Text(string key)
    {
        if (!TryGet(key, out JsonElement value))
        {
            return "";
        }
        if (value.ValueKind != JsonValueKind.String)
        {
            _errors.Add($"x.{key}: {value} is no text");
            return "";
        }
        return value.GetString()!;
    }

    private string[] Texts(string key)
    {
        List<string> texts = [];
        if (!TryGet(key, out JsonElement value))
        {
            return [];
        }
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in value.EnumerateArray())
            {
                texts.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : "");
            }
        }
        if (texts.Count == 0 || texts.Contains(""))
        {
            _errors.Add($"x.{key}: {value} is no list of texts");
        }
        return [.. texts];
    }

    private int Number(string key, int otherwise = 0, int least = 0, int most = 1_000_000)
    {
        if (!TryGet(key, out JsonElement value))
        {
            return otherwise;
        }
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= least && number <= most)
        {
            return number;
        }
        _errors.Add($"x.{key}: {value} is no whole number from {least} to {most}");
        return otherwise;
    }

    private bool Flag(string key, bool otherwise)
    {
        if (!TryGet(key, out JsonElement value))
        {
            return otherwise;
        }
        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            _errors.Add($"x.{key}: {value} is neither true nor false");
            return otherwise;
        }
        return value.GetBoolean();
    }

    private void Finish(List<string> errors)
    {
        foreach (JsonProperty property in _x.EnumerateObject())
        {
            if (!_seen.Contains(property.Name))
            {
                _errors.Add($"x.{property.Name}: no such key; known are {string.Join(", ", _seen)}");
            }
        }
        errors.AddRange(_errors);
    }
}
