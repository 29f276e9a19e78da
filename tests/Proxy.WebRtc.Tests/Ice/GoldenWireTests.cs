using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.Testing;
using Proxy.WebRtc.Ice;
using Proxy.WebRtc.Stun;
using Xunit;

namespace Proxy.WebRtc.Tests.Ice;

/// <summary>The first datagrams of a call with a stock LiveKit server, as recorded.</summary>
public sealed class GoldenWireTests
{
    private static readonly IceCredentials s_client = new("RGyGLWhAEkERQPqQ", "FTNWFTpNLsbcGzpYcUYhSIazPKTLEofs");
    private static readonly IceCredentials s_server = new("YbstxKoHiNnwZJnJ", "lWNQZJLZRZRogYvNRZjspCSFlWNvdOZE");

    [Fact]
    public void Our_answers_to_the_stock_servers_checks_are_those_on_record()
    {
        NetEndPoint server = RecordedServer();
        using IceAgent agent = new(s_client, isLite: false, new SeededRandom(1), new PeerCounters());
        Dictionary<string, byte[]> answers = [];
        int compared = 0;
        foreach ((string direction, byte[] bytes) in Read())
        {
            if (!StunView.TryParse(bytes, out StunView view, out _))
            {
                continue;
            }
            string id = Convert.ToHexString(view.TransactionId);
            if (direction == "s->c" && view.Type == StunMessageType.BindingRequest)
            {
                Assert.True(agent.Handle(bytes, server, default));
                byte[] buffer = new byte[200];
                Assert.True(agent.TryPoll(buffer, default, out int length, out NetEndPoint to));
                Assert.Equal(server, to);
                answers[id] = buffer[..length];
            }
            else if (direction == "c->s" && answers.TryGetValue(id, out byte[]? ours))
            {
                Assert.Equal(bytes, ours);
                compared++;
            }
        }
        Assert.True(compared >= 3, $"{compared}");
    }

    [Fact]
    public void Every_recorded_datagram_has_the_class_that_its_first_byte_says()
    {
        int stun = 0;
        int dtls = 0;
        int media = 0;
        foreach ((_, byte[] bytes) in Read())
        {
            bool isStun = StunView.TryParse(bytes, out StunView view, out _);
            if (isStun)
            {
                stun++;
                Assert.True(view.VerifyFingerprint());
                using StunIntegrity one = new(s_client.Pwd);
                using StunIntegrity two = new(s_server.Pwd);
                Assert.True(view.VerifyIntegrity(one) || view.VerifyIntegrity(two));
            }
            dtls += PeerConnection.IsDtls(bytes) ? 1 : 0;
            media += bytes[0] is >= 128 and <= 191 ? 1 : 0;
        }
        Assert.Equal(70, stun + dtls + media);
        Assert.True(stun >= 8 && dtls >= 8 && media >= 30);
    }

    /// <summary>The server's address as the client's answers told it.</summary>
    private static NetEndPoint RecordedServer()
    {
        HashSet<string> asked = [];
        foreach ((string direction, byte[] bytes) in Read())
        {
            if (!StunView.TryParse(bytes, out StunView view, out _))
            {
                continue;
            }
            string id = Convert.ToHexString(view.TransactionId);
            if (direction == "s->c" && view.Type == StunMessageType.BindingRequest)
            {
                asked.Add(id);
            }
            else if (direction == "c->s" && asked.Contains(id))
            {
                Assert.True(view.TryGetMappedAddress(out NetEndPoint mapped));
                return mapped;
            }
        }
        throw new InvalidDataException("no answer on record");
    }

    private static IEnumerable<(string Direction, byte[] Bytes)> Read()
    {
        foreach (string line in File.ReadLines(TestData.Path("livekit-golden", "rtc", "wire", "udp-handshake.jsonl")))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            if (document.RootElement.TryGetProperty("hex", out JsonElement hex))
            {
                yield return (document.RootElement.GetProperty("dir").GetString()!, Convert.FromHexString(hex.GetString()!));
            }
        }
    }
}
