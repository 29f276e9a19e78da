using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;
using Proxy.Testing;
using Xunit;

namespace Proxy.LiveKit.Tests.Protocol;

/// <summary>Every WebSocket frame recorded between real clients and a stock server.</summary>
public sealed class SignallingGoldenTests
{
    public static TheoryData<string> Recordings
    {
        get
        {
            TheoryData<string> files = [];
            foreach (string path in Directory.GetFiles(TestData.Path("livekit-golden", "rtc", "signalling"), "*.jsonl"))
            {
                if (!path.EndsWith("client-events.jsonl", StringComparison.Ordinal))
                {
                    files.Add(Path.GetFileName(path));
                }
            }
            return files;
        }
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Frames_are_read_whole_and_written_back(string file)
    {
        SortedSet<string> unknown = [];
        int frames = 0;
        foreach (string line in File.ReadLines(TestData.Path("livekit-golden", "rtc", "signalling", file)))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            if (root.TryGetProperty("joinRequestB64", out JsonElement join))
            {
                frames++;
                Golden.Check<JoinRequest>(join.GetBytesFromBase64(), root.GetProperty("joinRequest"), unknown);
            }
            if (!root.TryGetProperty("b64", out JsonElement b64))
            {
                continue;
            }
            frames++;
            byte[] bytes = b64.GetBytesFromBase64();
            if (root.GetProperty("dir").GetString() == "c->s")
            {
                Golden.Check<SignalRequest>(bytes, root.GetProperty("json"), unknown);
            }
            else
            {
                Golden.Check<SignalResponse>(bytes, root.GetProperty("json"), unknown);
            }
        }
        Assert.True(frames > 5);
        Assert.Empty(unknown);
    }

    [Fact]
    public void Fields_that_we_do_not_know_survive()
    {
        SignalRequest request = SignalRequest.Parser.ParseFrom([0xFA, 0x3E, 0x03, 0x61, 0x62, 0x63]);
        Assert.Equal([0xFA, 0x3E, 0x03, 0x61, 0x62, 0x63], request.ToByteArray());
    }
}
