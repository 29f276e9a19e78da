using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Proxy.Core;
using Proxy.Core.Memory;
using Proxy.Core.Time;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;
using Proxy.Participant;
using Proxy.Testing;
using Proxy.WebRtc;

namespace Proxy.Fuzz.Targets;

/// <summary>What the API's callers and the room server say.</summary>
internal static class RoomTargets
{
    private static readonly string[] s_messages = ["CreateSIPInboundTrunkRequest", "CreateSIPDispatchRuleRequest", "CreateRoomRequest", "UpdateParticipantRequest", "CreateSIPParticipantRequest", "Room"];
    private static readonly byte[] s_fingerprint = [.. Enumerable.Range(0, 32).Select(i => (byte)(i * 7))];

    /// <summary>JSON to a message and back; the first byte picks the message and the rules.</summary>
    public static Target Json() => new("proto-json", ReadJson, Bodies(), Words.Json) { AllocatesAtMost = 200_000, AllocatesPerByte = 400, LongestInput = 8_192 };

    /// <summary>Frames of the room server to a participant that has dialled.</summary>
    public static Target Signal() => new("room-signal", Talk, Frames(), [.. Words.Sdp, .. Words.Bytes]) { AllocatesAtMost = 2_000_000, AllocatesPerByte = 2_000, LongestInput = 16_384 };

    private static IEnumerable<byte[]> Bodies()
    {
        foreach (string file in Directory.GetFiles(TestData.Path("livekit-golden", "api"), "Create*.jsonl").Order())
        {
            foreach (string line in File.ReadLines(file).Take(20))
            {
                using JsonDocument document = JsonDocument.Parse(line);
                if (document.RootElement.TryGetProperty("request", out JsonElement request) && request.TryGetProperty("body", out JsonElement body) && body.ValueKind == JsonValueKind.String)
                {
                    byte[] text = Encoding.UTF8.GetBytes(body.GetString()!);
                    for (byte i = 0; i < s_messages.Length; i++)
                    {
                        yield return [i, .. text];
                    }
                }
            }
        }
    }

    private static void ReadJson(byte[] input)
    {
        if (input.Length == 0)
        {
            return;
        }
        string name = s_messages[input[0] % s_messages.Length];
        ProtoJsonRules[] rules = Enum.GetValues<ProtoJsonRules>();
        ProtoJsonRules rule = rules[input[0] / s_messages.Length % rules.Length];
        if (!ProtoJson.TryToWire(name, input.AsSpan(1), rule, out byte[] wire, out _))
        {
            return;
        }
        byte[]? json = ProtoJson.FromWire(name, wire, ProtoJsonStyleOf(input[0]));
        if (json is null)
        {
            throw new InvalidOperationException("what was read cannot be written");
        }
        if (!ProtoJson.TryToWire(name, json, ProtoJsonRulesOfOwn, out _, out ProtoJsonError error))
        {
            throw new InvalidOperationException("our own JSON is refused: " + error.Text);
        }
    }

    private static ProtoJsonRules ProtoJsonRulesOfOwn => Enum.GetValues<ProtoJsonRules>()[0];

    private static ProtoJsonStyle ProtoJsonStyleOf(byte choice)
    {
        ProtoJsonStyle[] styles = Enum.GetValues<ProtoJsonStyle>();
        return styles[choice % styles.Length];
    }

    private static IEnumerable<byte[]> Frames()
    {
        byte[] join = new SignalResponse
        {
            Join = new JoinResponse
            {
                Room = new Room { Sid = "RM_1", Name = "room" },
                Participant = new ParticipantInfo { Sid = "PA_us", Identity = "sip_100" },
                ServerVersion = "1.13.5",
                PingInterval = 5,
                PingTimeout = 15,
            },
        }.ToByteArray();
        byte[] published = new SignalResponse { TrackPublished = new TrackPublishedResponse { Cid = "cid-client", Track = new TrackInfo { Sid = "TR_us" } } }.ToByteArray();
        byte[] trickle = new SignalResponse { Trickle = new TrickleRequest { CandidateInit = "{\"candidate\":\"candidate:1 1 udp 2130706431 127.0.0.1 17002 typ host\"}" } }.ToByteArray();
        byte[] leave = new SignalResponse { Leave = new LeaveRequest { Reason = DisconnectReason.RoomDeleted } }.ToByteArray();
        foreach (string file in Directory.GetFiles(TestData.Path("livekit-golden", "rtc", "sdp"), "*answer.sdp").Order())
        {
            byte[] answer = new SignalResponse { Answer = new SessionDescription { Type = "answer", Id = 1, Sdp = File.ReadAllText(file) } }.ToByteArray();
            yield return Pieces.Join(join, published, answer, trickle);
        }
        yield return Pieces.Join(join, leave);
    }

    private static void Talk(byte[] input)
    {
        RoomJoin join = new()
        {
            WsUrl = "ws://127.0.0.1:7880",
            Token = "the.secret.token",
            Identity = "sip_100",
            Codec = RoomCodec.Pcmu,
            Ice = new IceCredentials("locU", "localpasswordlocalpass22"),
            Fingerprint = s_fingerprint,
            Ssrc = 0x1234_5678,
            Cid = "cid-client",
            TrackName = "mic",
        };
        RoomParticipant machine = new(join, new Limits(), new SeededRandom(1));
        MonoTime now = MonoTime.FromMillis(1_000);
        machine.Start(now);
        int socket = Drain(machine, 0);
        machine.HandleSocketOpened(socket, now);
        socket = Drain(machine, socket);
        foreach (byte[] piece in Pieces.Cut(input, 8_192).Take(16))
        {
            now = now.AddMillis(10);
            machine.HandleFrame(socket, piece, now);
            socket = Drain(machine, socket);
            if (machine.NextDeadline <= now)
            {
                machine.HandleTimeout(now);
                socket = Drain(machine, socket);
            }
        }
    }

    private static int Drain(RoomParticipant machine, int socket)
    {
        while (machine.TryPoll(out ParticipantOutput output))
        {
            socket = output.Kind == ParticipantOutputKind.OpenSocket ? output.Socket : socket;
        }
        return socket;
    }
}
