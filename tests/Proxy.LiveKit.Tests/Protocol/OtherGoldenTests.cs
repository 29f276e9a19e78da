using System;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tests.ProtoJson;
using Proxy.LiveKit.Tokens;
using Proxy.Testing;
using Xunit;
using Json = Proxy.LiveKit.ProtoJson.ProtoJson;

namespace Proxy.LiveKit.Tests.Protocol;

/// <summary>Recorded agent workers, data channels and webhooks.</summary>
public sealed class OtherGoldenTests
{
    [Fact]
    public void Agent_worker_frames_are_read_whole_and_written_back()
    {
        SortedSet<string> unknown = [];
        int frames = 0;
        foreach (string path in Directory.GetFiles(TestData.Path("livekit-golden", "agents"), "*.jsonl"))
        {
            HashSet<int> agentConnections = [];
            foreach (string line in File.ReadLines(path))
            {
                using JsonDocument document = JsonDocument.Parse(line);
                JsonElement root = document.RootElement;
                if (root.TryGetProperty("path", out JsonElement url) && url.GetString()!.StartsWith("/agent", StringComparison.Ordinal))
                {
                    agentConnections.Add(root.GetProperty("conn").GetInt32());
                }
                if (root.TryGetProperty("b64", out JsonElement b64) && root.TryGetProperty("json", out JsonElement json) && json.ValueKind == JsonValueKind.Object
                    && agentConnections.Contains(root.GetProperty("conn").GetInt32()))
                {
                    frames += Frame(root.GetProperty("dir").GetString()!, b64, json, unknown) ? 1 : 0;
                }
            }
        }
        Assert.True(frames > 300, frames.ToString());
        Assert.Empty(unknown);
    }

    [Fact]
    public void Data_packets_are_read_whole_and_written_back()
    {
        SortedSet<string> unknown = [];
        int packets = 0;
        foreach (string line in File.ReadLines(TestData.Path("livekit-golden", "rtc", "signalling", "lean-v1.client-events.jsonl")))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            if (document.RootElement.TryGetProperty("v", out JsonElement value) && value.ValueKind == JsonValueKind.Object
                && value.TryGetProperty("b64", out JsonElement b64) && value.TryGetProperty("msg", out JsonElement message))
            {
                Golden.Check<DataPacket>(b64.GetBytesFromBase64(), message, unknown);
                packets++;
            }
        }
        Assert.True(packets >= 3);
        Assert.Empty(unknown);
    }

    [Fact]
    public void Webhook_is_verified_and_read()
    {
        using JsonDocument document = JsonDocument.Parse(TestData.Text("livekit-golden", "webhooks", "raw-sample.json"));
        JsonElement root = document.RootElement;
        byte[] body = root.GetProperty("body_b64").GetBytesFromBase64();
        TokenKeys keys = new([KeyValuePair.Create(root.GetProperty("api_key").GetString()!, root.GetProperty("secret").GetString()!)]);
        Assert.Equal(TokenVerdict.Ok, AccessToken.TryVerify(root.GetProperty("authorization").GetString(), keys, 1_795_360_831, out AccessClaims? claims));
        Assert.Equal(Convert.ToBase64String(SHA256.HashData(body)), claims!.Sha256);
        Assert.True(Json.TryRead(body, ProtoJsonRules.Strict, out WebhookEvent message, out ProtoJsonError error), error.ToString());
        Assert.Equal("room_started", message.Event);
        using JsonDocument expected = JsonDocument.Parse(body);
        using JsonDocument actual = JsonDocument.Parse(Json.Write(message, ProtoJsonStyle.Camel));
        Assert.Null(JsonSame.Difference(expected.RootElement, actual.RootElement));
    }

    private static bool Frame(string direction, JsonElement b64, JsonElement json, SortedSet<string> unknown)
    {
        // The recorder replaces what could not be decoded by a note.
        if (Encoding.UTF8.GetByteCount(json.GetRawText()) <= 2 || json.TryGetProperty("error", out _))
        {
            return false;
        }
        if (direction == "c->s")
        {
            Golden.Check<WorkerMessage>(b64.GetBytesFromBase64(), json, unknown);
        }
        else
        {
            Golden.Check<ServerMessage>(b64.GetBytesFromBase64(), json, unknown);
        }
        return true;
    }
}
