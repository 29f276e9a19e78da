using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Proxy.LiveKit.Protocol;
using Proxy.Testing;
using Xunit;

namespace Proxy.DevRoom.Tests.Agents;

/// <summary>The recorded answers of the stock server's AgentDispatchService, grants and errors included.</summary>
public sealed class DispatchApiGoldenTests
{
    [Fact]
    public void All_recorded_calls_get_the_stock_servers_answers()
    {
        RoomWorld world = new();
        world.Api("CreateRoom", new CreateRoomRequest { Name = "golden" }, "\"roomCreate\":true");
        JsonNode tokens = JsonNode.Parse(TestData.Text("livekit-golden", "api", "tokens.json"))!;
        string id = "";
        JsonNode[] pairs = [.. new[] { "CreateDispatch", "ListDispatch", "DeleteDispatch" }
            .SelectMany(name => File.ReadLines(TestData.Path("livekit-golden", "api", name + ".jsonl"))).Select(line => JsonNode.Parse(line)!).OrderBy(p => (int)p["step"]!)];
        List<string> different = [];
        foreach (JsonNode pair in pairs)
        {
            string method = ((string)pair["request"]!["path"]!).Split('/')[^1];
            string name = Regex.Match((string?)pair["request"]!["headers"]!["Authorization"] ?? "", "\\{token:(\\w+)\\}").Groups[1].Value;
            string token = RoomWorld.Sign(tokens[name]!["claims"]!.ToJsonString().Replace("\"nbf\"", "\"x\"").Replace("\"exp\"", "\"y\""));
            string body = ((string)pair["request"]!["body"]!).Replace("{d1}", id);
            RoomHttpReply reply = world.Server.CallService("AgentDispatchService", method, Encoding.UTF8.GetBytes(body), true, token, world.Now);
            JsonNode ours = JsonNode.Parse(reply.Body)!;
            id = (string)pair["name"]! == "ad.create" ? ((string)ours["id"]!)[3..] : id;
            string expected = pair["response"]!["body"]!.ToJsonString().Replace("{d1}", id);
            if (reply.Status != (int)pair["response"]!["status"]! || !Same(JsonNode.Parse(expected), ours))
            {
                different.Add($"{pair["name"]}: {reply.Status} {ours.ToJsonString()} instead of {expected}");
            }
        }
        Assert.Empty(different);
        Assert.Equal(17, pairs.Length);
    }

    /// <summary>A text in braces stands for any value that is not zero; an id ends in any; lists have no order.</summary>
    private static bool Same(JsonNode? stock, JsonNode? ours) => (stock, ours) switch
    {
        (JsonObject a, JsonObject b) => a.Count == b.Count && a.All(p => b.ContainsKey(p.Key) && Same(p.Value, b[p.Key])),
        (JsonArray a, JsonArray b) => a.Count == b.Count && a.All(x => b.Count(y => Same(x, y)) >= a.Count(y => JsonNode.DeepEquals(x, y))),
        (JsonValue a, JsonValue b) when a.ToString().Contains('{') => b.ToString().Length > 1 && b.ToString() != "0",
        _ => JsonNode.DeepEquals(stock, ours),
    };
}
