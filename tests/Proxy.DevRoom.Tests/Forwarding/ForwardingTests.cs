using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Core.Time;
using Proxy.DevRoom.Forwarding;
using Proxy.LiveKit.Protocol;
using Proxy.Rtp.Packets;
using Xunit;

namespace Proxy.DevRoom.Tests.Forwarding;

public sealed class ForwardingTests
{
    private static (RoomWorld World, RoomClient Speaker, RoomClient Listener) Two(string send = "111 0 8", string? listen = "111 0 8")
    {
        RoomWorld world = new();
        RoomClient speaker = world.Client("r", "speaker");
        speaker.Join(send);
        speaker.Connect();
        RoomClient listener = world.Client("r", "listener");
        listener.Join(listen);
        listener.Connect();
        world.Datagrams.Clear();
        return (world, speaker, listener);
    }

    private static List<RtpHeader> Received(RoomWorld world, RoomClient client)
    {
        List<RtpHeader> headers = [];
        foreach ((byte[] bytes, _) in world.Datagrams.Where(datagram => datagram.To == client.Address))
        {
            if (RtpView.TryParse(bytes, out RtpView view, out _) && view.PayloadType < 64 | view.PayloadType > 95)
            {
                Assert.False(view.HasExtension);
                headers.Add(view.Header);
            }
        }
        return headers;
    }

    [Fact]
    public void Packet_reaches_the_listener_with_the_announced_ssrc_and_without_extensions()
    {
        (RoomWorld world, RoomClient speaker, RoomClient listener) = Two();
        SessionDescription answer = listener.Last(SignalResponse.MessageOneofCase.Answer).Answer;
        Assert.Single(answer.MidToTrackId);
        string announced = answer.Sdp.Split('\n').First(line => line.StartsWith("a=ssrc:", StringComparison.Ordinal))[7..].Split(' ')[0];
        speaker.SendRtp(111, 5, 960, [1, 2, 3]);
        RtpHeader header = Received(world, listener).Single();
        Assert.Equal((uint.Parse(announced), (byte)111), (header.Ssrc, header.PayloadType));
    }

    [Fact]
    public void Packet_with_another_payload_type_than_the_first_answered_is_dropped()
    {
        (RoomWorld world, RoomClient speaker, RoomClient listener) = Two();
        speaker.SendRtp(0, 5, 960, new byte[160]);
        Assert.Empty(Received(world, listener));
        Assert.Equal(1, world.Server.Dropped);
    }

    [Fact]
    public void Payload_type_is_the_listeners_number_for_the_codec()
    {
        (RoomWorld world, RoomClient speaker, RoomClient listener) = Two("0 111 8", "111 0 8");
        speaker.SendRtp(0, 5, 160, new byte[160]);
        Assert.Equal(0, Received(world, listener).Single().PayloadType);
    }

    [Fact]
    public void Muted_track_is_silent_and_goes_on_without_a_hole()
    {
        (RoomWorld world, RoomClient speaker, RoomClient listener) = Two();
        string sid = speaker.Last(SignalResponse.MessageOneofCase.TrackPublished).TrackPublished.Track.Sid;
        speaker.SendRtp(111, 10, 9600, [1]);
        speaker.Send(new SignalRequest { Mute = new MuteTrackRequest { Sid = sid, Muted = true } });
        Assert.True(listener.Last(SignalResponse.MessageOneofCase.Update).Update.Participants.Single().Tracks.Single().Muted);
        speaker.SendRtp(111, 11, 10560, [1]);
        world.Advance(1000);
        speaker.Send(new SignalRequest { Mute = new MuteTrackRequest { Sid = sid, Muted = false } });
        speaker.SendRtp(111, 61, 58560, [1]);
        List<RtpHeader> got = Received(world, listener);
        Assert.Equal(2, got.Count);
        Assert.Equal(1, (ushort)(got[1].SequenceNumber - got[0].SequenceNumber));
        Assert.Equal(48_000u, got[1].Timestamp - got[0].Timestamp);
        Assert.True(got[1].Marker);
    }

    [Fact]
    public void Listener_without_the_codec_is_told_and_its_section_falls_silent()
    {
        (RoomWorld world, RoomClient speaker, RoomClient listener) = Two("111", "0");
        Assert.Equal(SubscriptionError.SeCodecUnsupported, listener.Last(SignalResponse.MessageOneofCase.SubscriptionResponse).SubscriptionResponse.Err);
        speaker.SendRtp(111, 10, 9600, [1]);
        Assert.Empty(Received(world, listener));
        listener.SendOffer("0", 1);
        Assert.Contains("a=inactive", listener.Last(SignalResponse.MessageOneofCase.Answer).Answer.Sdp, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_section_is_asked_for_and_used_once_offered()
    {
        RoomWorld world = new();
        RoomClient listener = world.Client("r", "listener");
        listener.Join(null, 0);
        listener.Connect();
        RoomClient speaker = world.Client("r", "speaker");
        speaker.Join();
        speaker.Connect();
        Assert.Equal(1u, listener.Last(SignalResponse.MessageOneofCase.MediaSectionsRequirement).MediaSectionsRequirement.NumAudios);
        listener.SendOffer(null, 1);
        Assert.Single(listener.Last(SignalResponse.MessageOneofCase.Answer).Answer.MidToTrackId);
        Assert.NotNull(speaker.Last(SignalResponse.MessageOneofCase.TrackSubscribed));
        world.Datagrams.Clear();
        speaker.SendRtp(111, 10, 9600, [1]);
        Assert.Single(Received(world, listener));
    }

    [Fact]
    public void Speaker_is_active_after_a_window_of_loud_packets_and_silent_after_a_quiet_one()
    {
        (RoomWorld world, RoomClient speaker, RoomClient listener) = Two();
        for (ushort i = 0; i < 50; i++)
        {
            speaker.SendRtp(111, i, i * 960u, [1], level: 15);
            world.Advance(20);
        }
        SpeakerInfo active = listener.Last(SignalResponse.MessageOneofCase.SpeakersChanged).SpeakersChanged.Speakers.Single();
        Assert.True(active.Active);
        Assert.Equal(speaker.Sid, active.Sid);
        Assert.InRange(active.Level, 0.1f, 0.3f);
        world.Advance(1000);
        Assert.False(listener.Last(SignalResponse.MessageOneofCase.SpeakersChanged).SpeakersChanged.Speakers.Single().Active);
    }

    [Fact]
    public void Forwarding_allocates_nothing()
    {
        (RoomWorld world, RoomClient speaker, _) = Two();
        byte[] packet = new byte[200];
        byte[] scratch = new byte[200];
        int length = RtpWriter.Write(packet, new RtpHeader(111, false, 1, 960, speaker.Ssrc), new byte[60], 1, 15);
        long before = 0;
        for (int i = 0; i < 3000; i++)
        {
            before = i == 2000 ? GC.GetAllocatedBytesForCurrentThread() : before;
            packet.CopyTo(scratch, 0);
            RtpWriter.Patch(scratch, new RtpHeader(111, false, (ushort)i, (uint)i * 960, speaker.Ssrc));
            world.Server.Datagram(scratch.AsSpan(0, length), speaker.Address, world.Now);
            while (world.Server.TryPollDatagram(out _, out _))
            {
            }
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Numbers_stay_continuous_over_a_new_run_of_the_source()
    {
        StreamRewriter rewriter = new();
        ushort sequence = 65_535;
        uint timestamp = uint.MaxValue - 100;
        Assert.True(rewriter.Rewrite(ref sequence, ref timestamp, 8000, new MonoTime(0)));
        Assert.Equal(65_535, sequence);
        rewriter.Break();
        ushort next = 7;
        uint later = 99;
        Assert.True(rewriter.Rewrite(ref next, ref later, 8000, new MonoTime(20_000)));
        Assert.Equal(0, next);
        Assert.Equal(timestamp + 160, later);
    }

    [Fact]
    public void Datagrams_of_strangers_are_counted_and_dropped()
    {
        (RoomWorld world, RoomClient speaker, _) = Two();
        long before = world.Server.Dropped;
        world.Server.Datagram([], speaker.Address, world.Now);
        Proxy.Core.Net.NetEndPoint.TryParse("127.0.0.9:9", out Proxy.Core.Net.NetEndPoint stranger);
        world.Server.Datagram(new byte[] { 0x80, 111, 0, 1 }, stranger, world.Now);
        world.Server.Datagram(PlainTransport.Check("nobody00"), stranger, world.Now);
        Assert.True(world.Server.Dropped >= before + 2);
    }
}
