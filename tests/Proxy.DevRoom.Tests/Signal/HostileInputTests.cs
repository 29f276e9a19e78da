using System;
using System.Linq;
using System.Text;
using Google.Protobuf;
using Proxy.Core.Memory;
using Proxy.DevRoom.Signal;
using Proxy.LiveKit.Protocol;
using Xunit;

namespace Proxy.DevRoom.Tests.Signal;

/// <summary>Bytes from clients that are broken, or that mean harm: nothing throws, nobody else's session is touched.</summary>
public sealed class HostileInputTests
{
    [Theory]
    [InlineData("rtcnode-v1")]
    [InlineData("chromium-v1")]
    [InlineData("lean-v1")]
    public void Mutated_offers_are_answered_or_refused(string client)
    {
        StockExchange exchange = StockExchange.FromSignalling(client);
        SeededRandom random = new(11);
        for (int i = 0; i < 400; i++)
        {
            RoomWorld world = new();
            RoomClient victim = world.Client("r", "a");
            victim.Join(null, 0);
            foreach ((string offer, _, _) in exchange.Steps.Take(3))
            {
                victim.Send(new SignalRequest { Offer = new SessionDescription { Type = "offer", Sdp = Mutate(offer, random) } });
            }
            Assert.Null(victim.CloseCode);
        }
    }

    [Fact]
    public void Mutated_frames_and_datagrams_change_nothing_for_the_others()
    {
        RoomWorld world = new();
        RoomClient good = world.Client("r", "good");
        good.Join();
        good.Connect();
        RoomClient bad = world.Client("r", "bad");
        bad.Join();
        bad.Connect();
        SeededRandom random = new(12);
        byte[][] frames =
        [
            new SignalRequest { AddTrack = new AddTrackRequest { Cid = "x", Name = "y", SimulcastCodecs = { new SimulcastCodec { Codec = "pcmu" } } } }.ToByteArray(),
            new SignalRequest { Mute = new MuteTrackRequest { Sid = "TR_x", Muted = true } }.ToByteArray(),
            new SignalRequest { Subscription = new UpdateSubscription { TrackSids = { "TR_x" }, Subscribe = true } }.ToByteArray(),
            new SignalRequest { UpdateMetadata = new UpdateParticipantMetadata { Name = "n", Attributes = { ["a"] = "b" } } }.ToByteArray(),
            new SignalRequest { Trickle = new TrickleRequest { CandidateInit = "{\"candidate\":\"candidate:1 1 udp 1 127.0.0.1 9 typ host\"}" } }.ToByteArray(),
            new SignalRequest { SyncState = new SyncState() }.ToByteArray(),
        ];
        for (int i = 0; i < 5_000; i++)
        {
            byte[] frame = [.. frames[random.Next(frames.Length)]];
            frame[random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
            world.Server.FrameReceived(bad.Connection, frame, random.Next(4) == 0, world.Now);
            byte[] datagram = new byte[random.Next(80)];
            random.Fill(datagram);
            world.Server.Datagram(datagram, bad.Address, world.Now);
            world.Drain();
        }
        Assert.Null(good.CloseCode);
        world.Datagrams.Clear();
        good.Send(new SignalRequest { PingReq = new Ping { Timestamp = 9 } });
        Assert.Equal(9, good.Last(SignalResponse.MessageOneofCase.PongResp).PongResp.LastPingTimestamp);
    }

    [Fact]
    public void Join_request_that_unpacks_without_end_is_refused()
    {
        using System.IO.MemoryStream packed = new();
        using (System.IO.Compression.GZipStream gzip = new(packed, System.IO.Compression.CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(new byte[8 << 20]);
        }
        WrappedJoinRequest wrapped = new() { Compression = WrappedJoinRequest.Types.Compression.Gzip, JoinRequest = ByteString.CopyFrom(packed.ToArray()) };
        string text = Convert.ToBase64String(wrapped.ToByteArray()).Replace('+', '-').Replace('/', '_');
        Assert.False(JoinRequestReader.TryRead(text, out _, out string refusal));
        Assert.Equal("cannot unmarshal wrapped join request", refusal);
    }

    [Fact]
    public void Text_frames_are_answered_as_text()
    {
        RoomWorld world = new();
        RoomClient client = world.Client("r", "a");
        client.Join();
        world.Server.FrameReceived(client.Connection, "{\"pingReq\":{\"timestamp\":\"5\"}}"u8, true, world.Now);
        Assert.True(world.Server.TryPollSignal(out SignalOutput output));
        Assert.True(output.IsText);
        Assert.Contains("\"lastPingTimestamp\":\"5\"", Encoding.UTF8.GetString(output.Frame).Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private static string Mutate(string text, SeededRandom random)
    {
        StringBuilder mutated = new(text);
        for (int i = 0; i < 1 + random.Next(6); i++)
        {
            int at = random.Next(mutated.Length);
            switch (random.Next(4))
            {
                case 0:
                    mutated[at] = (char)(32 + random.Next(95));
                    break;
                case 1:
                    mutated.Remove(at, Math.Min(mutated.Length - at, 1 + random.Next(40)));
                    break;
                case 2:
                    mutated.Insert(at, "\r\na=mid:0\r\n");
                    break;
                default:
                    mutated.Insert(at, text.AsSpan(random.Next(text.Length / 2), random.Next(200)));
                    break;
            }
        }
        return mutated.ToString();
    }
}
