using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Proxy.LiveKit.ProtoJson;
using Proxy.Testing;
using Xunit;
using Json = Proxy.LiveKit.ProtoJson.ProtoJson;

namespace Proxy.LiveKit.Tests.ProtoJson;

/// <summary>The bodies recorded between HTTP clients and a stock server.</summary>
public sealed partial class ApiGoldenTests
{
    private static readonly Dictionary<string, (string Request, string Response)> s_methods = new(StringComparer.Ordinal)
    {
        ["CreateRoom"] = ("CreateRoomRequest", "Room"),
        ["ListRooms"] = ("ListRoomsRequest", "ListRoomsResponse"),
        ["DeleteRoom"] = ("DeleteRoomRequest", "DeleteRoomResponse"),
        ["ListParticipants"] = ("ListParticipantsRequest", "ListParticipantsResponse"),
        ["GetParticipant"] = ("RoomParticipantIdentity", "ParticipantInfo"),
        ["RemoveParticipant"] = ("RoomParticipantIdentity", "RemoveParticipantResponse"),
        ["MutePublishedTrack"] = ("MuteRoomTrackRequest", "MuteRoomTrackResponse"),
        ["UpdateParticipant"] = ("UpdateParticipantRequest", "ParticipantInfo"),
        ["UpdateSubscriptions"] = ("UpdateSubscriptionsRequest", "UpdateSubscriptionsResponse"),
        ["SendData"] = ("SendDataRequest", "SendDataResponse"),
        ["UpdateRoomMetadata"] = ("UpdateRoomMetadataRequest", "Room"),
        ["ForwardParticipant"] = ("ForwardParticipantRequest", "ForwardParticipantResponse"),
        ["MoveParticipant"] = ("MoveParticipantRequest", "MoveParticipantResponse"),
        ["PerformRpc"] = ("PerformRpcRequest", "PerformRpcResponse"),
        ["CreateDispatch"] = ("CreateAgentDispatchRequest", "AgentDispatch"),
        ["DeleteDispatch"] = ("DeleteAgentDispatchRequest", "AgentDispatch"),
        ["ListDispatch"] = ("ListAgentDispatchRequest", "ListAgentDispatchResponse"),
        ["CreateSIPInboundTrunk"] = ("CreateSIPInboundTrunkRequest", "SIPInboundTrunkInfo"),
        ["CreateSIPOutboundTrunk"] = ("CreateSIPOutboundTrunkRequest", "SIPOutboundTrunkInfo"),
        ["UpdateSIPInboundTrunk"] = ("UpdateSIPInboundTrunkRequest", "SIPInboundTrunkInfo"),
        ["UpdateSIPOutboundTrunk"] = ("UpdateSIPOutboundTrunkRequest", "SIPOutboundTrunkInfo"),
        ["GetSIPInboundTrunk"] = ("GetSIPInboundTrunkRequest", "GetSIPInboundTrunkResponse"),
        ["GetSIPOutboundTrunk"] = ("GetSIPOutboundTrunkRequest", "GetSIPOutboundTrunkResponse"),
        ["ListSIPTrunk"] = ("ListSIPTrunkRequest", "ListSIPTrunkResponse"),
        ["ListSIPInboundTrunk"] = ("ListSIPInboundTrunkRequest", "ListSIPInboundTrunkResponse"),
        ["ListSIPOutboundTrunk"] = ("ListSIPOutboundTrunkRequest", "ListSIPOutboundTrunkResponse"),
        ["DeleteSIPTrunk"] = ("DeleteSIPTrunkRequest", "SIPTrunkInfo"),
        ["CreateSIPDispatchRule"] = ("CreateSIPDispatchRuleRequest", "SIPDispatchRuleInfo"),
        ["UpdateSIPDispatchRule"] = ("UpdateSIPDispatchRuleRequest", "SIPDispatchRuleInfo"),
        ["ListSIPDispatchRule"] = ("ListSIPDispatchRuleRequest", "ListSIPDispatchRuleResponse"),
        ["DeleteSIPDispatchRule"] = ("DeleteSIPDispatchRuleRequest", "SIPDispatchRuleInfo"),
        ["CreateSIPParticipant"] = ("CreateSIPParticipantRequest", "SIPParticipantInfo"),
        // The recorded server answers an empty object; the fields of the response are newer.
        ["TransferSIPParticipant"] = ("TransferSIPParticipantRequest", "google.protobuf.Empty"),
    };

    public static TheoryData<string> Recordings
    {
        get
        {
            TheoryData<string> files = [];
            foreach (string path in Directory.GetFiles(TestData.Path("livekit-golden", "api"), "*.jsonl", SearchOption.AllDirectories))
            {
                files.Add(Path.GetRelativePath(TestData.Path("livekit-golden", "api"), path));
            }
            return files;
        }
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Requests_are_judged_and_answers_come_back_as_recorded(string file)
    {
        List<string> faults = [];
        foreach (string line in File.ReadLines(TestData.Path("livekit-golden", "api", file)))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            if (!root.TryGetProperty("request", out JsonElement request) || !root.TryGetProperty("response", out JsonElement response))
            {
                continue;
            }
            string name = root.TryGetProperty("name", out JsonElement n) ? n.GetString()! : line[..60];
            string path = request.GetProperty("path").GetString()!;
            if (s_methods.TryGetValue(path[(path.LastIndexOf('/') + 1)..], out (string Request, string Response) types))
            {
                Request(request, response, types.Request, name, faults);
                Response(response, types.Response, name, faults);
            }
        }
        Assert.Empty(faults);
    }

    private static void Request(JsonElement request, JsonElement response, string type, string name, List<string> faults)
    {
        bool isJson = request.TryGetProperty("headers", out JsonElement headers) && headers.TryGetProperty("Content-Type", out JsonElement contentType)
            && contentType.GetString()!.StartsWith("application/json", StringComparison.Ordinal);
        if (request.TryGetProperty("body_json", out JsonElement proto))
        {
            RoundTrip(proto, type, ProtoJsonStyle.Camel, name, faults, isProtoNames: true);
        }
        if (!isJson || !request.TryGetProperty("body", out JsonElement body) || body.ValueKind != JsonValueKind.String)
        {
            return;
        }
        int status = response.GetProperty("status").GetInt32();
        bool isMalformed = response.TryGetProperty("body", out JsonElement answer) && answer.ValueKind == JsonValueKind.Object
            && answer.TryGetProperty("code", out JsonElement code) && code.GetString() == "malformed";
        if (status is 404 or 307 or 204 || response.TryGetProperty("body_text", out _))
        {
            return;
        }
        bool isRead = Json.TryToWire(type, Encoding.UTF8.GetBytes(body.GetString()!), ProtoJsonRules.Api, out _, out ProtoJsonError error);
        if (isRead == isMalformed)
        {
            faults.Add(name + ": " + (isMalformed ? "should be malformed" : error.ToString()));
        }
    }

    private static void Response(JsonElement response, string type, string name, List<string> faults)
    {
        if (response.TryGetProperty("body_json", out JsonElement proto))
        {
            RoundTrip(proto, response.GetProperty("message").GetString()!.Replace("livekit.", "", StringComparison.Ordinal), ProtoJsonStyle.Camel, name, faults, isProtoNames: true);
            if (response.TryGetProperty("body_b64", out JsonElement exact) && !IdPlaceholder().IsMatch(proto.GetRawText()) && Json.TryToWire(type, Encoding.UTF8.GetBytes(proto.GetRawText()), ProtoJsonRules.Strict, out byte[] wire, out _)
                && Convert.ToBase64String(wire) != exact.GetString())
            {
                faults.Add(name + ": bytes");
            }
        }
        if (response.GetProperty("status").GetInt32() == 200 && response.TryGetProperty("body", out JsonElement body) && body.ValueKind == JsonValueKind.Object)
        {
            RoundTrip(body, type, ProtoJsonStyle.Twirp, name, faults, isProtoNames: false);
        }
    }

    /// <summary>Recorded answer in, the same answer out. Placeholders in number fields become 0.</summary>
    private static void RoundTrip(JsonElement recorded, string type, ProtoJsonStyle style, string name, List<string> faults, bool isProtoNames)
    {
        string text = NumberPlaceholder().Replace(recorded.GetRawText(), "\"$1\": \"0\"")
            .Replace("\"ticks\": \"0\"", "\"ticks\": 0", StringComparison.Ordinal).Replace("\"version\": \"0\"", "\"version\": 0", StringComparison.Ordinal);
        if (text.Contains("\"metadata_length\"", StringComparison.Ordinal))
        {
            return;
        }
        if (!Json.TryToWire(type, Encoding.UTF8.GetBytes(text), ProtoJsonRules.Strict, out byte[] wire, out ProtoJsonError error))
        {
            faults.Add(name + ": " + type + " " + error);
            return;
        }
        using JsonDocument expected = JsonDocument.Parse(text);
        using JsonDocument actual = JsonDocument.Parse(Json.FromWire(type, wire, isProtoNames ? ProtoJsonStyle.Twirp : style)!);
        string? difference = JsonSame.Difference(expected.RootElement, actual.RootElement, isProtoNames);
        if (difference is not null)
        {
            faults.Add(name + ": " + difference);
        }
    }

    [GeneratedRegex("\"[^\"{]*\\{")]
    private static partial Regex IdPlaceholder();

    [GeneratedRegex("\"([a-z_]*(?:time|time_ms|joined_at|joined_at_ms|at|at_ms|unix_micro|ticks|version))\": *\"\\{[a-z_]+\\}\"")]
    private static partial Regex NumberPlaceholder();
}
