using System;
using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Proxy.Core.Memory;
using Proxy.LiveKit.ProtoJson;
using Wire = Proxy.LiveKit.Protocol;

namespace Proxy.Server.Store;

/// <summary>Any thread. One object of a file.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Id">Its id, from the object or from the file's name.</param>
/// <param name="Message">LiveKit's message, the id filled in; null when only additions stand there, and for phone numbers (<see cref="PolicyFile.Numbers"/>).</param>
/// <param name="Extras">The <c>x</c> member as text; null when there is none.</param>
internal sealed record FileObject(ObjectKind Kind, string Id, IMessage? Message, string? Extras);

/// <summary>Any thread. One file of the policy folder, read: its objects, or why it is refused as a whole.</summary>
internal sealed record PolicyFile(IReadOnlyList<FileObject> Objects, IReadOnlyList<string> Errors)
{
    /// <summary>Folder names and what they hold.</summary>
    public static readonly (string Folder, ObjectKind Kind)[] Folders =
    [
        ("trunks", ObjectKind.InboundTrunk), ("outbound", ObjectKind.OutboundTrunk), ("rules", ObjectKind.Rule), ("numbers", ObjectKind.Number),
    ];

    public static PolicyFile None { get; } = new([], []);

    /// <summary>Phone numbers, which may be a million; of two with one id the first.</summary>
    public MessageMap<Wire.PhoneNumber> Numbers { get; init; } = MessageMap<Wire.PhoneNumber>.Empty(Wire.PhoneNumber.Parser);

    /// <summary>Ids of phone numbers that stand in the file more than once.</summary>
    public IReadOnlyList<string> Repeated { get; init; } = [];

    /// <summary>Messages in it.</summary>
    public int Count
    {
        get
        {
            int count = Numbers.Count;
            foreach (FileObject held in Objects)
            {
                count += held.Message is null ? 0 : 1;
            }
            return count;
        }
    }

    /// <summary>Reads a file: one object, the request form that <c>lk</c> takes, a list of objects, or <c>{"items": […]}</c>.</summary>
    /// <param name="kind">What the folder holds.</param>
    /// <param name="name">The file's name without <c>.json</c>; names an object that has no id.</param>
    /// <param name="path">As errors shall show it.</param>
    /// <param name="bytes">The file, UTF-8.</param>
    public static PolicyFile Read(ObjectKind kind, string name, string path, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = ProtoJson.MaxDepth });
            return new Reading(kind, path, bytes).Read(document.RootElement, name);
        }
        catch (JsonException e)
        {
            return new PolicyFile([], [$"{path}:{(e.LineNumber ?? 0) + 1}: not JSON: {Plain(e.Message)}"]);
        }
    }

    private static string Plain(string message)
    {
        int position = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return position < 0 ? message : message[..position];
    }

    private sealed class Reading(ObjectKind kind, string path, ReadOnlyMemory<byte> bytes)
    {
        private readonly List<FileObject> _objects = [];
        private readonly List<KeyValuePair<string, ReadOnlyMemory<byte>>> _numbers = [];
        private readonly ByteArena _arena = new();
        private readonly List<string> _errors = [];

        public PolicyFile Read(JsonElement root, string name)
        {
            ReadAny(root, name);
            if (_errors.Count > 0)
            {
                return new PolicyFile([], _errors);
            }
            // The first of two is to count, and in a map it is the last.
            _numbers.Reverse();
            MessageMap<Wire.PhoneNumber> numbers = PolicyFile.None.Numbers.WithAll(_numbers);
            return new PolicyFile(_objects, []) { Numbers = numbers, Repeated = numbers.Count == _numbers.Count ? [] : RepeatedIds() };
        }

        private List<string> RepeatedIds()
        {
            var seen = new HashSet<string>();
            return _numbers.FindAll(number => !seen.Add(number.Key)).ConvertAll(number => number.Key);
        }

        private void AddNumber(Wire.PhoneNumber number, string? extras)
        {
            Memory<byte> bytes = _arena.Take(number.CalculateSize());
            number.WriteTo(bytes.Span);
            _numbers.Add(KeyValuePair.Create<string, ReadOnlyMemory<byte>>(number.Id, bytes));
            if (extras is not null)
            {
                _objects.Add(new FileObject(kind, number.Id, null, extras));
            }
        }

        private void ReadAny(JsonElement element, string name)
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
                    ReadAny(item, $"{name}-{index++}");
                }
                return;
            }
            if (element.ValueKind != JsonValueKind.Object)
            {
                Fail(1, "an object is wanted");
                return;
            }
            JsonElement inner = Inner(element);
            ReadObject(inner, inner.TryGetProperty("x", out _) ? inner : element, name);
        }

        /// <summary>The request form that <c>lk</c> takes wraps the object.</summary>
        private JsonElement Inner(JsonElement element)
        {
            string[] wrappers = kind == ObjectKind.Rule ? ["dispatch_rule", "dispatchRule"] : ["trunk"];
            foreach (string wrapper in wrappers)
            {
                if (element.TryGetProperty(wrapper, out JsonElement inner) && inner.ValueKind == JsonValueKind.Object)
                {
                    return inner;
                }
            }
            return element;
        }

        /// <param name="extended">Whose <c>x</c> counts: the object's own, or the one beside it in the request form.</param>
        private void ReadObject(JsonElement element, JsonElement extended, string name)
        {
            string? extras = ReadExtras(extended);
            switch (kind)
            {
                case ObjectKind.InboundTrunk when TryRead(element, out Wire.SIPInboundTrunkInfo trunk):
                    trunk.SipTrunkId = OrName(trunk.SipTrunkId, "ST_", name);
                    _objects.Add(new FileObject(kind, trunk.SipTrunkId, trunk, extras));
                    break;
                case ObjectKind.OutboundTrunk when TryRead(element, out Wire.SIPOutboundTrunkInfo trunk):
                    trunk.SipTrunkId = OrName(trunk.SipTrunkId, "ST_", name);
                    _objects.Add(new FileObject(kind, trunk.SipTrunkId, trunk, extras));
                    break;
                case ObjectKind.Rule when TryRead(element, out Wire.SIPDispatchRuleInfo rule):
                    rule.SipDispatchRuleId = OrName(rule.SipDispatchRuleId, "SDR_", name);
                    AddRule(rule, extras);
                    break;
                case ObjectKind.Number when TryRead(element, out Wire.PhoneNumber number):
                    number.Id = OrName(number.Id, "PN_", name);
                    AddNumber(number, extras);
                    break;
            }
        }

        private void AddRule(Wire.SIPDispatchRuleInfo rule, string? extras)
        {
            if (rule.Rule is null || rule.Rule.RuleCase == Wire.SIPDispatchRule.RuleOneofCase.None)
            {
                Fail(1, "rule is missing: dispatchRuleDirect, dispatchRuleIndividual or dispatchRuleCallee");
                return;
            }
            _objects.Add(new FileObject(kind, rule.SipDispatchRuleId, rule, extras));
        }

        private static string OrName(string id, string prefix, string name) => id.Length > 0 ? id : name.StartsWith(prefix, StringComparison.Ordinal) ? name : prefix + name;

        private bool TryRead<T>(JsonElement element, out T message)
            where T : IMessage<T>, new()
        {
            byte[] json = Encoding.UTF8.GetBytes(element.TryGetProperty("x", out _) ? WithoutX(element) : element.GetRawText());
            bool isRead = ProtoJson.TryRead(json, ProtoJsonRules.Strict, out message, out ProtoJsonError error);
            if (!isRead)
            {
                Fail(LineOf(element) + error.Line - 1, error.Text);
            }
            return isRead;
        }

        private string? ReadExtras(JsonElement element)
        {
            if (!element.TryGetProperty("x", out JsonElement x))
            {
                return null;
            }
            int line = LineOf(x);
            if (x.ValueKind != JsonValueKind.Object)
            {
                Fail(line, "x: an object is wanted");
                return null;
            }
            foreach (string error in ExtrasJson.Check(kind, x))
            {
                Fail(line, error);
            }
            return x.GetRawText();
        }

        /// <summary>The member is blanked, not cut, so that lines in errors stay right.</summary>
        private static string WithoutX(JsonElement element)
        {
            string text = element.GetRawText();
            string x = element.GetProperty("x").GetRawText();
            int value = text.LastIndexOf(x, StringComparison.Ordinal);
            int name = text.LastIndexOf("\"x\"", value, StringComparison.Ordinal);
            int end = value + x.Length;
            int comma = end;
            while (comma < text.Length && char.IsWhiteSpace(text[comma]))
            {
                comma++;
            }
            if (comma < text.Length && text[comma] == ',')
            {
                end = comma + 1;
            }
            else
            {
                int before = text.LastIndexOf(',', name);
                name = before >= 0 && string.IsNullOrWhiteSpace(text[(before + 1)..name]) ? before : name;
            }
            var blank = new StringBuilder(text);
            for (int i = name; i < end; i++)
            {
                blank[i] = text[i] == '\n' ? '\n' : ' ';
            }
            return blank.ToString();
        }

        /// <summary>The line in which an element begins, from 1.</summary>
        private int LineOf(JsonElement element)
        {
            int at = bytes.Span.IndexOf(Encoding.UTF8.GetBytes(element.GetRawText()));
            return at < 0 ? 1 : 1 + bytes.Span[..at].Count((byte)'\n');
        }

        private void Fail(int line, string error) => _errors.Add($"{path}:{line}: {error}");
    }
}
