using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Proxy.LiveKit.ProtoJson;
using Proxy.Server.Api;
using Proxy.Testing;

namespace Proxy.Server.Tests.Api;

/// <summary>One test. The recorded pairs of a stock server's SIP API, replayed with the comparison rules of their README.</summary>
internal sealed class GoldenPairs
{
    private readonly Dictionary<(string File, string Scenario, string Name), JsonNode> _pairs = [];
    private readonly JsonArray _scenarios;
    private readonly JsonNode _tokens;

    public GoldenPairs()
    {
        foreach (string file in Directory.GetFiles(TestData.Path("livekit-golden", "api"), "*.jsonl"))
        {
            foreach (string line in File.ReadLines(file))
            {
                JsonNode pair = JsonNode.Parse(line)!;
                _pairs[(Path.GetFileName(file), (string)pair["scenario"]!, (string)pair["name"]!)] = pair;
            }
        }
        _scenarios = JsonNode.Parse(TestData.Text("livekit-golden", "api", "scenarios.json"))!.AsArray();
        _tokens = JsonNode.Parse(TestData.Text("livekit-golden", "api", "tokens.json"))!;
    }

    public IEnumerable<string> Scenarios => _scenarios.Select(s => (string)s!["name"]!);

    /// <summary>Runs one scenario; each answer that differs gives a line.</summary>
    public async Task<(int Pairs, List<(string Step, string Difference)> Differences)> RunAsync(string scenario, SipTwirp service)
    {
        var bound = new Dictionary<string, string>();
        List<(string, string)> differences = [];
        int pairs = 0;
        foreach (JsonNode? step in _scenarios.First(s => (string)s!["name"]! == scenario)!["steps"]!.AsArray())
        {
            JsonNode pair = _pairs[((string)step!["file"]!, scenario, (string)step["name"]!)];
            string path = (string)pair["request"]!["path"]!;
            if (!path.StartsWith("/twirp/livekit.SIP/", StringComparison.Ordinal))
            {
                continue;
            }
            pairs++;
            bool isJson = ((string?)pair["request"]!["headers"]!["Content-Type"] ?? "").StartsWith("application/json", StringComparison.Ordinal);
            SipReply reply = await service.HandleAsync(SipMethods.SipService, path[(path.LastIndexOf('/') + 1)..], isJson, Body(pair["request"]!, bound), Caller(pair), default);
            string? difference = Compare(pair["response"]!, reply, bound, pair["captures"] as JsonObject);
            if (difference is not null)
            {
                differences.Add(((string)pair["name"]!, difference));
            }
        }
        return (pairs, differences);
    }

    /// <summary>Sends every recorded request of one file, in its order; each answer that differs gives a line.</summary>
    public async Task<List<(string Step, string Difference)>> RunFileAsync(string file, SipTwirp service)
    {
        List<(string, string)> differences = [];
        foreach (string line in File.ReadLines(TestData.Path("livekit-golden", "api", file)))
        {
            JsonNode pair = JsonNode.Parse(line)!;
            string path = (string)pair["request"]!["path"]!;
            SipReply reply = await service.HandleAsync(SipMethods.SipService, path[(path.LastIndexOf('/') + 1)..], true, Body(pair["request"]!, []), Caller(pair), default);
            if (Compare(pair["response"]!, reply, [], null) is { } difference)
            {
                differences.Add(((string)pair["name"]!, difference));
            }
        }
        return differences;
    }

    private SipCaller Caller(JsonNode pair)
    {
        string? header = (string?)pair["request"]!["headers"]!["Authorization"];
        Match match = Regex.Match(header ?? "", "\\{token:(\\w+)\\}");
        JsonNode? claims = match.Success ? _tokens[match.Groups[1].Value]?["claims"] : null;
        bool Has(string grant) => (bool?)claims?["sip"]?[grant] ?? false;
        return claims is null ? default : new SipCaller(Has("admin"), Has("call"), (bool?)claims["video"]?["roomAdmin"] == true ? (string?)claims["video"]!["room"] : null);
    }

    private static byte[] Body(JsonNode request, Dictionary<string, string> bound)
    {
        if (request["body"] is { } body)
        {
            return Encoding.UTF8.GetBytes(Bind((string)body!, bound));
        }
        if (request["message"] is { } name && request["body_json"] is { } json)
        {
            string text = Bind(json.ToJsonString(), bound);
            return ProtoJson.TryToWire(((string)name!)["livekit.".Length..], Encoding.UTF8.GetBytes(text), ProtoJsonRules.Api, out byte[] wire, out ProtoJsonError error)
                ? wire : throw new InvalidDataException(error.ToString());
        }
        return request["body_b64"] is { } bytes ? Convert.FromBase64String((string)bytes!) : [];
    }

    private static string Bind(string text, Dictionary<string, string> bound) => bound.Aggregate(text, (t, b) => t.Replace(b.Key, b.Value, StringComparison.Ordinal));

    private static string? Compare(JsonNode response, SipReply reply, Dictionary<string, string> bound, JsonObject? captures)
    {
        bool isProto = response["message"] is not null;
        string got = Encoding.UTF8.GetString(reply.Body);
        string want = (isProto ? response["body_json"] : response["body"])?.ToJsonString() ?? "";
        if (isProto && reply.Status == 200)
        {
            string message = ((string)response["message"]!)["livekit.".Length..];
            got = Encoding.UTF8.GetString(ProtoJson.FromWire(message, reply.Body, ProtoJsonStyle.Twirp)!);
            ProtoJson.TryToWire(message, Encoding.UTF8.GetBytes(want), ProtoJsonRules.Api, out byte[] wire, out _);
            want = Encoding.UTF8.GetString(ProtoJson.FromWire(message, wire, ProtoJsonStyle.Twirp)!);
        }
        int status = (int)response["status"]!;
        if (status != reply.Status)
        {
            return $"status {reply.Status} {got}, stock {status} {want}";
        }
        JsonNode? gotJson = JsonNode.Parse(got);
        foreach (KeyValuePair<string, JsonNode?> capture in captures ?? [])
        {
            bound[capture.Key] = Find(gotJson, (string)capture.Value!);
        }
        return Same(JsonNode.Parse(Bind(want, bound)), gotJson) ? null : $"{got}, stock {want}";
    }

    private static string Find(JsonNode? json, string path)
    {
        foreach (Match part in Regex.Matches(path, "\\.(\\w+)|\\[(\\d+)\\]"))
        {
            json = part.Groups[1].Success ? json?[part.Groups[1].Value] : json?[int.Parse(part.Groups[2].Value)];
        }
        return (string?)json ?? "";
    }

    private static bool Same(JsonNode? want, JsonNode? got)
    {
        switch (want, got)
        {
            case (null, null):
                return true;
            case (JsonObject a, JsonObject b):
                return a.Count == b.Count && a.All(m => b.ContainsKey(m.Key) && (m.Key == "items" ? SameSet(m.Value, b[m.Key]) : m.Key == "msg" ? SameText((string)m.Value!, (string)b[m.Key]!) : Same(m.Value, b[m.Key])));
            case (JsonArray a, JsonArray b):
                return a.Count == b.Count && a.Zip(b).All(p => Same(p.First, p.Second));
            case (JsonValue a, JsonValue b):
                return a.GetValueKind() == b.GetValueKind() && (a.GetValueKind() == JsonValueKind.String ? SameWord((string)a!, (string)b!) : a.ToJsonString() == b.ToJsonString());
            default:
                return false;
        }
    }

    private static bool SameSet(JsonNode? want, JsonNode? got)
    {
        if (want is not JsonArray a || got is not JsonArray b || a.Count != b.Count)
        {
            return false;
        }
        // The most definite ones first: a placeholder would take anybody's partner.
        var left = b.ToList();
        return a.OrderBy(x => x!.ToJsonString().Count(c => c == '*') + x.ToJsonString().Split("{n}").Length).All(x => left.FindIndex(y => Same(x, y)) is >= 0 and int at && RemoveAt(left, at));
    }

    private static bool RemoveAt(List<JsonNode?> list, int at)
    {
        list.RemoveAt(at);
        return true;
    }

    private static bool SameWord(string want, string got) =>
        want == got || (want.Contains('{') && Regex.IsMatch(got, "^" + Regex.Replace(Regex.Escape(want), "\\\\\\{(\\\\\\*|\\w+)\\}", ".+") + "$", RegexOptions.Singleline));

    /// <summary>Conflicts: the pair of ids and the kind of tail; a rule's conflict may quote either rule.</summary>
    private static bool SameText(string want, string got)
    {
        if (want.StartsWith("Conflicting inbound SIP Trunks", StringComparison.Ordinal))
        {
            static string Key(string text) => string.Join(' ', Regex.Matches(text, "\"(<new>|ST_\\w+)\"").Select(m => m.Value).Order()) + text.Contains("without AllowedNumbers", StringComparison.Ordinal);
            return got.StartsWith("Conflicting inbound SIP Trunks", StringComparison.Ordinal) && Key(want) == Key(got);
        }
        const string Rule = "already exists in dispatch rule ";
        int at = want.IndexOf(Rule, StringComparison.Ordinal);
        return at >= 0 ? got.StartsWith(want[..(at + Rule.Length)], StringComparison.Ordinal) : SameWord(want, got);
    }
}
