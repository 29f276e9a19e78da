using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using Proxy.Testing;

namespace Proxy.Participant.Tests.Golden;

/// <summary>One recorded WebSocket frame.</summary>
/// <param name="Ms">Since the recording's start.</param>
/// <param name="Connection">1 for the first dial, 2 for the resume.</param>
/// <param name="IsFromServer">Direction.</param>
/// <param name="Message">Name of the oneof, lower camel case.</param>
public sealed record RecordedFrame(int Ms, int Connection, bool IsFromServer, string Message, byte[] Bytes);

/// <summary>A recorded signalling conversation with the stock server.</summary>
public sealed class Recording
{
    private static readonly ConcurrentDictionary<string, Recording> s_loaded = new();

    private Recording(List<RecordedFrame> frames, List<byte[]> joinRequests)
    {
        Frames = frames;
        JoinRequests = joinRequests;
    }

    public IReadOnlyList<RecordedFrame> Frames { get; }

    /// <summary>Raw JoinRequest messages, one each dial.</summary>
    public IReadOnlyList<byte[]> JoinRequests { get; }

    /// <param name="name">File below <c>livekit-golden/rtc/signalling</c>, without its ending.</param>
    public static Recording Load(string name) => s_loaded.GetOrAdd(name, Read);

    private static Recording Read(string name)
    {
        var frames = new List<RecordedFrame>();
        var joins = new List<byte[]>();
        foreach (string line in File.ReadLines(TestData.Path("livekit-golden", "rtc", "signalling", name + ".jsonl")))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            if (root.TryGetProperty("joinRequestB64", out JsonElement join))
            {
                joins.Add(Convert.FromBase64String(join.GetString()!));
            }
            if (root.TryGetProperty("b64", out JsonElement bytes) && root.TryGetProperty("msg", out JsonElement message))
            {
                frames.Add(new RecordedFrame(
                    root.GetProperty("ms").GetInt32(),
                    root.GetProperty("conn").GetInt32(),
                    root.GetProperty("dir").GetString() == "s->c",
                    message.GetString()!,
                    Convert.FromBase64String(bytes.GetString()!)));
            }
        }
        return new Recording(frames, joins);
    }
}
