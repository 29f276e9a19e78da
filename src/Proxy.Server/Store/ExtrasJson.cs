using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Text.RegularExpressions;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
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

    /// <returns>One sentence for each key that is wrong for this kind of object.</returns>
    public static IReadOnlyList<string> Check(ObjectKind kind, JsonElement x)
    {
        List<string> errors = [];
        switch (kind)
        {
            case ObjectKind.InboundTrunk:
                TrunkExtras trunk = ReadTrunk(x, errors);
                foreach (string text in trunk.NumberPatterns)
                {
                    if (!NumberPattern.TryParse(text, out _, out string error))
                    {
                        errors.Add("x.number_patterns: " + error);
                    }
                }
                break;
            case ObjectKind.Rule:
                ReadRule(x, errors);
                break;
            default:
                errors.Add("x: this kind of object has no additions");
                break;
        }
        return errors;
    }

    public static RuleExtras ReadRule(JsonElement x, List<string> errors)
    {
        var reader = new ExtrasJson(x);
        PinPrompt pin = PinPrompt.Default;
        var extras = new RuleExtras
        {
            AnswerMode = reader.Choice("answer_mode", ["when_agent_ready", "at_once", "early_media"],
                [AnswerMode.WhenAgentReady, AnswerMode.AtOnce, AnswerMode.EarlyMedia]),
            Match = new RuleMatch
            {
                RequestUri = reader.Pattern("match_request_uri"),
                AssertedIdentity = reader.Pattern("match_p_asserted_identity"),
                Diversion = reader.Pattern("match_diversion"),
                Headers = reader.HeaderPatterns("match_headers"),
                Windows = reader.Windows("hours"),
                Percent = reader.Number("percent", 100, 0, 100),
            },
            FallbackRoom = reader.Text("fallback_room"),
            DispatchAgentsAlways = reader.Choice("dispatch_agents", ["first_join", "every_call"], [false, true]),
            WhenAlone = reader.Choice("when_alone", ["stay", "hang_up", "dispatch"], [WhenAlone.Stay, WhenAlone.HangUp, WhenAlone.Dispatch]),
            AloneFor = TimeSpan.FromSeconds(reader.Number("alone_seconds", 10, 1, 3600)),
            Passthrough = reader.Passthrough(),
            MaxCalls = reader.Number("max_calls"),
            MaxCallsPerSecond = reader.Number("max_calls_per_second"),
            Pin = pin with
            {
                Attempts = reader.Number("pin_attempts", pin.Attempts, 1, 10),
                InterDigit = TimeSpan.FromSeconds(reader.Number("pin_inter_digit_seconds", (int)pin.InterDigit.TotalSeconds, 1, 60)),
                Total = TimeSpan.FromSeconds(reader.Number("pin_total_seconds", (int)pin.Total.TotalSeconds, 1, 300)),
                BargeIn = reader.Flag("pin_barge_in", pin.BargeIn),
                Length = reader.Number("pin_length", pin.Length, 0, 16),
            },
        };
        reader.Finish(errors);
        return extras.Match.IsEmpty ? extras with { Match = RuleMatch.None } : extras;
    }

    private Regex? Pattern(string key)
    {
        string text = Text(key);
        return text.Length == 0 ? null : PatternOf(key, text);
    }

    private Regex? PatternOf(string key, string text)
    {
        if (!RuleMatch.TryPattern(text, out Regex? pattern, out string error))
        {
            _errors.Add($"x.{key}: {error}");
        }
        return pattern;
    }

    /// <summary><c>{"X-Tenant": "^acme$"}</c>.</summary>
    private HeaderMatch[] HeaderPatterns(string key)
    {
        if (!TryGet(key, out JsonElement value))
        {
            return [];
        }
        List<HeaderMatch> matches = [];
        if (value.ValueKind != JsonValueKind.Object)
        {
            _errors.Add($"x.{key}: {value} is no object of header names and patterns");
            return [];
        }
        foreach (JsonProperty property in value.EnumerateObject())
        {
            string text = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString()! : "(";
            if (PatternOf($"{key}.{property.Name}", text) is { } pattern)
            {
                matches.Add(new HeaderMatch(property.Name, pattern));
            }
        }
        return [.. matches];
    }

    /// <summary><c>["mon-fri 08:00-18:00 Europe/Berlin"]</c>.</summary>
    private TimeWindow[] Windows(string key)
    {
        List<TimeWindow> windows = [];
        foreach (string text in Texts(key))
        {
            if (HoursText.TryParse(text, out TimeWindow? window, out string error))
            {
                windows.Add(window);
            }
            else
            {
                _errors.Add($"x.{key}: {error}");
            }
        }
        return [.. windows];
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
