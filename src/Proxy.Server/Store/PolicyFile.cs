using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;
using Wire = Proxy.LiveKit.Protocol;

namespace Proxy.Server.Store;

/// <summary>Any thread. One file of the policy folder, read: its objects, or why it is refused as a whole.</summary>
internal sealed record PolicyFile
{
    public IReadOnlyList<Trunk> Trunks { get; init; } = [];

    public IReadOnlyList<DispatchRule> Rules { get; init; } = [];

    public IReadOnlyList<PhoneNumber> Numbers { get; init; } = [];

    /// <summary>Each begins with <c>file:line:</c>.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>Reads a file of <c>trunks/</c>, <c>rules/</c> or <c>numbers/</c>.</summary>
    /// <param name="kind">The folder's name.</param>
    /// <param name="name">The file's name without <c>.json</c>; names an object that has no id.</param>
    /// <param name="path">As errors shall show it.</param>
    /// <param name="bytes">The file.</param>
    public static PolicyFile Read(string kind, string name, string path, byte[] bytes)
    {
        try
        {
            var options = new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 32 };
            using JsonDocument document = JsonDocument.Parse(bytes, options);
            return new Reading(kind, name, path).Read(document.RootElement);
        }
        catch (JsonException e)
        {
            return new PolicyFile { Errors = [$"{path}:{(e.LineNumber ?? 0) + 1}: not JSON: {Plain(e.Message)}"] };
        }
    }

    private static string Plain(string message)
    {
        int path = message.IndexOf(" LineNumber:", System.StringComparison.Ordinal);
        return path < 0 ? message : message[..path];
    }

    private sealed class Reading(string kind, string name, string path)
    {
        private readonly List<Trunk> _trunks = [];
        private readonly List<DispatchRule> _rules = [];
        private readonly List<PhoneNumber> _numbers = [];
        private readonly List<string> _errors = [];

        public PolicyFile Read(JsonElement root)
        {
            ReadAny(root, name);
            return _errors.Count > 0 ? new PolicyFile { Errors = _errors } : new PolicyFile { Trunks = _trunks, Rules = _rules, Numbers = _numbers };
        }

        private void ReadAny(JsonElement element, string id)
        {
            if (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("items", out JsonElement items))
            {
                element = items;
            }
            if (element.ValueKind == JsonValueKind.Array)
            {
                int index = 1;
                foreach (JsonElement item in element.EnumerateArray())
                {
                    ReadAny(item, $"{id}-{index++}");
                }
                return;
            }
            if (element.ValueKind != JsonValueKind.Object)
            {
                Fail("an object is wanted");
                return;
            }
            switch (kind)
            {
                case "trunks":
                    ReadTrunk(Inner(element, "trunk"), id);
                    break;
                case "rules":
                    ReadRule(Inner(element, "dispatch_rule", "dispatchRule"), id);
                    break;
                default:
                    ReadNumber(element, id);
                    break;
            }
        }

        /// <summary>The request form that <c>lk</c> takes wraps the object.</summary>
        private static JsonElement Inner(JsonElement element, params string[] wrappers)
        {
            foreach (string wrapper in wrappers)
            {
                if (element.TryGetProperty(wrapper, out JsonElement inner) && inner.ValueKind == JsonValueKind.Object)
                {
                    return inner;
                }
            }
            return element;
        }

        private void ReadTrunk(JsonElement element, string id)
        {
            TrunkExtras extras = element.TryGetProperty("x", out JsonElement x) ? ExtrasOf(x, ExtrasJson.ReadTrunk, TrunkExtras.None) : TrunkExtras.None;
            if (!PolicyJson.TryRead(WithoutX(element), out Wire.SIPInboundTrunkInfo? info, out string error))
            {
                Fail(error);
                return;
            }
            info.SipTrunkId = info.SipTrunkId.Length > 0 ? info.SipTrunkId : "ST_" + id;
            _trunks.Add(ObjectConversion.ToTrunk(info, extras));
        }

        private void ReadRule(JsonElement element, string id)
        {
            RuleExtras extras = element.TryGetProperty("x", out JsonElement x) ? ExtrasOf(x, ExtrasJson.ReadRule, RuleExtras.None) : RuleExtras.None;
            if (!PolicyJson.TryRead(WithoutX(element), out Wire.SIPDispatchRuleInfo? info, out string error))
            {
                Fail(error);
                return;
            }
            if (info.Rule is null || info.Rule.RuleCase == Wire.SIPDispatchRule.RuleOneofCase.None)
            {
                Fail("rule is missing: dispatchRuleDirect, dispatchRuleIndividual or dispatchRuleCallee");
                return;
            }
            info.SipDispatchRuleId = info.SipDispatchRuleId.Length > 0 ? info.SipDispatchRuleId : "SDR_" + id;
            _rules.Add(ObjectConversion.ToRule(info, extras));
        }

        private void ReadNumber(JsonElement element, string id)
        {
            if (!PolicyJson.TryRead(element.GetRawText(), out Wire.PhoneNumber? info, out string error))
            {
                Fail(error);
                return;
            }
            info.Id = info.Id.Length > 0 ? info.Id : "PN_" + id;
            _numbers.Add(ObjectConversion.ToNumber(info));
        }

        private T ExtrasOf<T>(JsonElement x, System.Func<JsonElement, List<string>, T> read, T none)
        {
            if (x.ValueKind != JsonValueKind.Object)
            {
                Fail("x: an object is wanted");
                return none;
            }
            List<string> errors = [];
            T extras = read(x, errors);
            errors.ForEach(Fail);
            return extras;
        }

        private static string WithoutX(JsonElement element)
        {
            using var stream = new System.IO.MemoryStream();
            using (var writer = new Utf8JsonWriter(stream))
            {
                writer.WriteStartObject();
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    if (property.Name != "x")
                    {
                        property.WriteTo(writer);
                    }
                }
                writer.WriteEndObject();
            }
            return Encoding.UTF8.GetString(stream.ToArray());
        }

        private void Fail(string error) => _errors.Add($"{path}:1: {error}");
    }
}
