using System;
using System.Linq;
using Proxy.Participant.Tracks;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Rtcp;
using Proxy.WebRtc;
using Xunit;

namespace Proxy.Participant.Tests;

public sealed class RoomMediaTests
{
    private static readonly byte[] s_frame = Enumerable.Range(0, 160).Select(i => (byte)i).ToArray();

    [Fact]
    public void Participant_and_server_connect_and_the_call_may_be_answered()
    {
        using var pair = new MediaPair();

        pair.Connect();

        Assert.Equal(PeerState.Connected, pair.Media.State);
        Assert.Equal(pair.ServerAddress, pair.Media.Remote);
        Assert.True(pair.Media.Track.IsReady);
        Assert.Equal(RoomCodec.Pcmu, pair.Media.Track.Codec);
    }

    [Fact]
    public void Passthrough_arrives_untouched_with_the_callers_distances()
    {
        using var pair = new MediaPair();
        pair.Connect();
        byte[] buffer = new byte[400];

        Passthrough(pair, buffer, 100, 8_000, true);
        Passthrough(pair, buffer, 101, 8_160, false);
        // A hole stays a hole.
        Passthrough(pair, buffer, 103, 8_480, false);

        Assert.Equal(3, pair.ServerRtp.Count);
        Assert.True(RtpView.TryParse(pair.ServerRtp[0], out RtpView first, out _));
        Assert.True(RtpView.TryParse(pair.ServerRtp[2], out RtpView last, out _));
        Assert.Equal(new RtpHeader(0, true, 65_530, 1_000, 0x1234_5678), first.Header);
        Assert.Equal(new RtpHeader(0, false, 65_533, 1_480, 0x1234_5678), last.Header);
        Assert.True(last.Payload.SequenceEqual(s_frame));
        // The minimal answer accepts no extension.
        Assert.False(first.HasExtension);
        Assert.Equal(3, pair.Media.Track.Statistics.Packets);
        Assert.Equal(480, pair.Media.Track.Statistics.Octets);
    }

    [Fact]
    public void Frames_of_ours_follow_passthrough_without_a_gap_and_back()
    {
        using var pair = new MediaPair();
        pair.Connect();
        byte[] buffer = new byte[400];

        Passthrough(pair, buffer, 7, 70, false);
        int length = pair.Media.Track.WriteFrame(s_frame, 160, false, 127, buffer, pair.Now);
        pair.Send(buffer.AsSpan(0, length));
        pair.Media.Track.SkipTime(320);
        // Another source altogether.
        Passthrough(pair, buffer, 50_000, 123_456, false);
        // And a jump that nobody announced.
        Passthrough(pair, buffer, 10, 99, false);

        Assert.Equal([65_530, 65_531, 65_532, 65_533], pair.ServerRtp.Select(p => View(p).SequenceNumber));
        Assert.Equal([1_000u, 1_160u, 1_640u, 1_800u], pair.ServerRtp.Select(p => View(p).Timestamp));
    }

    [Fact]
    public void Late_packet_of_the_caller_keeps_its_own_place()
    {
        using var pair = new MediaPair();
        pair.Connect();
        byte[] buffer = new byte[400];

        Passthrough(pair, buffer, 20, 3_200, false);
        Passthrough(pair, buffer, 22, 3_520, false);
        Passthrough(pair, buffer, 21, 3_360, false);
        Passthrough(pair, buffer, 23, 3_680, false);

        Assert.Equal([65_530, 65_532, 65_531, 65_533], pair.ServerRtp.Select(p => View(p).SequenceNumber));
    }

    [Fact]
    public void Opus_is_sent_where_the_server_has_no_g711()
    {
        using var pair = new MediaPair();
        pair.Connect("server-without-g711.2.answer");
        byte[] buffer = new byte[400];

        int length = pair.Media.Track.WriteFrame(s_frame.AsSpan(0, 60), 960, true, 30, buffer, pair.Now);
        pair.Send(buffer.AsSpan(0, length));

        RtpView packet = View(pair.ServerRtp[0]);
        Assert.Equal(111, packet.PayloadType);
        // Its answer accepts the audio level: who speaks can be an active speaker.
        Assert.True(packet.TryGetExtension(1, out ReadOnlySpan<byte> level));
        Assert.Equal(30, level[0] & 0x7F);
    }

    [Fact]
    public void Nothing_is_written_before_the_transport_is_up_or_into_too_small_a_buffer()
    {
        using var pair = new MediaPair();
        byte[] buffer = new byte[400];
        Assert.Equal(0, pair.Media.Track.WriteFrame(s_frame, 160, false, 127, buffer, pair.Now));
        Assert.False(pair.Media.Track.IsReady);

        pair.Connect();

        Assert.Equal(0, pair.Media.Track.WriteFrame(s_frame, 160, false, 127, buffer.AsSpan(0, 100), pair.Now));
        Assert.Equal(0, pair.Media.Track.WriteFrame(s_frame, 160, false, 127, buffer.AsSpan(0, 185), pair.Now));
        Assert.Equal(0, pair.Media.Track.Statistics.Packets);
    }

    [Fact]
    public void Remote_track_is_told_by_its_ssrc_and_its_codec_by_payload_type()
    {
        using var pair = new MediaPair();
        pair.Connect("minimal.2.answer", ("1", "TR_AMR5WSDyQctood"));

        RoomPacket opus = pair.Receive(MediaPair.RemoteSsrc, 111, 1, s_frame, out byte[] plain);
        RoomPacket pcmu = pair.Receive(MediaPair.RemoteSsrc, 0, 2, s_frame, out _);

        Assert.Equal(new RoomPacket(RoomPacketKind.Audio, 0, 172, RoomCodec.Opus), opus);
        Assert.Equal(RoomCodec.Pcmu, pcmu.Codec);
        Assert.True(View(plain).Payload.SequenceEqual(s_frame));
        RemoteAudio remote = pair.Media.RemoteAt(0);
        Assert.Equal("agent", remote.Identity);
        Assert.Equal("TR_AMR5WSDyQctood", remote.TrackSid);
        Assert.Equal(1u, remote.Generation);
    }

    [Fact]
    public void Streams_that_no_answer_names_are_dropped_and_counted()
    {
        using var pair = new MediaPair();
        pair.Connect();

        Assert.Equal(RoomPacketKind.Dropped, pair.Receive(42, 0, 1, s_frame, out _).Kind);
        Assert.Equal(RoomPacketKind.Dropped, pair.Receive(MediaPair.RemoteSsrc, 13, 1, s_frame, out _).Kind);
        Assert.Equal(RoomPacketKind.Dropped, pair.Media.HandleDatagram(new byte[40], pair.ServerAddress, pair.Now).Kind);
        Assert.Equal(RoomPacketKind.Dropped, pair.Media.HandleDatagram([], pair.ServerAddress, pair.Now).Kind);

        Assert.Equal(1, pair.Media.Counters.UnknownSsrc);
        Assert.Equal(1, pair.Media.Counters.UnknownPayload);
    }

    [Fact]
    public void Track_that_goes_frees_its_slot_for_the_next()
    {
        using var pair = new MediaPair();
        pair.Connect();
        Handle(pair, Track(1, "TR_1"), Track(2, "TR_2"));
        Assert.Equal(1, pair.Receive(2, 0, 1, s_frame, out _).Slot);

        Handle(pair, Track(2, "TR_2"), Track(3, "TR_3"));

        Assert.Equal(RoomPacketKind.Dropped, pair.Receive(1, 0, 2, s_frame, out _).Kind);
        Assert.Equal(1, pair.Receive(2, 0, 2, s_frame, out _).Slot);
        Assert.Equal(0, pair.Receive(3, 0, 1, s_frame, out _).Slot);
        Assert.Equal("TR_3", pair.Media.RemoteAt(0).TrackSid);
        // First the captured track, then TR_1, then TR_3.
        Assert.Equal(3u, pair.Media.RemoteAt(0).Generation);
    }

    [Fact]
    public void More_tracks_than_slots_are_counted()
    {
        using var pair = new MediaPair();
        pair.Connect();

        Handle(pair, Enumerable.Range(1, 20).Select(i => Track((uint)i, "TR_" + i)).ToArray());

        Assert.Equal(4, pair.Media.Counters.SlotsFull);
        Assert.Equal(15, pair.Receive(16, 0, 1, s_frame, out _).Slot);
        Assert.Equal(RoomPacketKind.Dropped, pair.Receive(17, 0, 1, s_frame, out _).Kind);
    }

    [Fact]
    public void Reports_of_both_directions_are_sent_every_five_seconds()
    {
        using var pair = new MediaPair();
        pair.Connect();
        byte[] buffer = new byte[400];
        for (ushort i = 0; i < 500; i++)
        {
            Passthrough(pair, buffer, i, i * 160u, false);
            if (i != 250)
            {
                pair.Receive(MediaPair.RemoteSsrc, 0, i, s_frame, out _);
            }
            pair.Run(20);
        }

        Assert.InRange(pair.ServerRtcp.Count, 2, 4);
        Assert.True(RtcpView.TryParse(pair.ServerRtcp[^1], out RtcpView compound, out _));
        Assert.True(compound.TryNext(out RtcpPacket report));
        Assert.True(report.TryGetSenderInfo(out SenderInfo info));
        Assert.InRange(info.Packets, 200u, 500u);
        Assert.Equal(MediaPair.RemoteSsrc, report.Report(0).Ssrc);
        Assert.Equal(1, report.Report(0).CumulativeLost);
        Assert.True(compound.TryNext(out RtcpPacket description));
        Assert.Equal(RtcpType.SourceDescription, description.Type);
    }

    [Fact]
    public void Who_has_sent_nothing_reports_as_a_receiver()
    {
        using var pair = new MediaPair();
        pair.Connect();

        pair.Run(1_100);

        Assert.True(RtcpView.TryParse(Assert.Single(pair.ServerRtcp), out RtcpView compound, out _));
        Assert.True(compound.TryNext(out RtcpPacket report));
        Assert.Equal(RtcpType.ReceiverReport, report.Type);
    }

    [Fact]
    public void Reports_of_the_server_become_statistics()
    {
        using var pair = new MediaPair();
        pair.Connect();
        byte[] buffer = new byte[400];
        Passthrough(pair, buffer, 1, 160, false);
        pair.Receive(MediaPair.RemoteSsrc, 0, 1, s_frame, out _);

        pair.ReceiveReport(
            new SenderInfo(0x0001_0002_0003_0004, 0, 1, 160), [new ReportBlock(0x1234_5678, 64, 7, 65_530, 80, 0, 0)], MediaPair.RemoteSsrc);

        Assert.Equal(7, pair.Media.Track.Statistics.RemoteLost);
        Assert.Equal(0.25, pair.Media.Track.Statistics.RemoteFractionLost);
        Assert.Equal(10, pair.Media.Track.Statistics.RemoteJitterMs);
        Assert.Equal(0x0002_0003u, pair.Media.RemoteAt(0).Statistics.MakeReport(pair.Now).LastSenderReport);
    }

    [Fact]
    public void Packets_cost_no_managed_memory()
    {
        using var pair = new MediaPair();
        pair.Connect();
        byte[] buffer = new byte[400];
        byte[][] downlink = Enumerable.Range(0, 1_100).Select(i => pair.Protected(MediaPair.RemoteSsrc, 111, (ushort)i, s_frame)).ToArray();
        for (ushort i = 0; i < 100; i++)
        {
            Assert.NotEqual(0, OneTurn(pair, buffer, downlink[i], i));
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (ushort i = 100; i < 1_100; i++)
        {
            OneTurn(pair, buffer, downlink[i], i);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1_100, pair.Media.RemoteAt(0).Statistics.Received);
    }

    [Fact]
    public void Digits_pass_both_ways_through_sctp()
    {
        using var pair = new MediaPair(hasData: true);
        pair.Connect();
        // Pressed before the channel is up.
        Assert.True(pair.Signal.Machine.SendDtmf('7', pair.Signal.Now));
        pair.Signal.Drain();
        pair.Run(500, () => pair.ServerEvents.Any(e => e.Kind == PeerEventKind.Data));

        PeerEvent sent = pair.ServerEvents.Single(e => e.Kind == PeerEventKind.Data);
        Assert.Equal("_reliable", sent.Label);
        Assert.Equal("MgUYByIBNw==", Convert.ToBase64String(sent.Payload!));
        Assert.Equal(["_lossy", "_reliable"], pair.ServerEvents.Where(e => e.Kind == PeerEventKind.ChannelOpen).Select(e => e.Label!).Order());

        Assert.True(pair.ServerPeer.SendData("_reliable", Convert.FromBase64String("IgZyZW1vdGWAAQKKAQ9QQV93RjJ5WHRHQ3JnUzgyBRgFIgE1"), pair.Now));
        pair.Run(500, () => pair.Signal.Last(RoomEventKind.Dtmf) is not null);

        Assert.Equal("5", pair.Signal.Last(RoomEventKind.Dtmf)!.Text);
        Assert.Equal(0, pair.Media.Counters.DataRefused);
    }

    [Fact]
    public void Closing_tells_the_server()
    {
        using var pair = new MediaPair();
        pair.Connect();

        pair.Signal.Machine.Leave(pair.Signal.Now);
        pair.Signal.Receive(Server.Leave(LiveKit.Protocol.DisconnectReason.ClientInitiated));
        pair.Run(10);

        Assert.Equal(PeerState.Closed, pair.Media.State);
        Assert.Equal(PeerState.Closed, pair.ServerPeer.State);
        Assert.True(pair.Media.NextDeadline.IsNever);
    }

    private static int OneTurn(MediaPair pair, byte[] buffer, byte[] downlink, ushort i)
    {
        RoomPacket packet = pair.Media.HandleDatagram(downlink, pair.ServerAddress, pair.Now);
        int passed = pair.Media.Track.WritePassthrough(i, i * 160u, false, s_frame, 20, buffer, pair.Now);
        return packet.Kind == RoomPacketKind.Audio ? passed : 0;
    }

    private static void Passthrough(MediaPair pair, byte[] buffer, ushort sequence, uint timestamp, bool marker)
    {
        int length = pair.Media.Track.WritePassthrough(sequence, timestamp, marker, s_frame, 20, buffer, pair.Now);
        Assert.NotEqual(0, length);
        pair.Send(buffer.AsSpan(0, length));
    }

    private static void Handle(MediaPair pair, params DownTrack[] tracks) =>
        pair.Media.Handle(new MediaCommand(MediaCommandKind.SetDownTracks) { DownTracks = tracks }, pair.Now);

    private static DownTrack Track(uint ssrc, string sid) => new(ssrc, [new PayloadCodec(0, RoomCodec.Pcmu)], sid, "PA_1", "a");

    private static RtpView View(byte[] packet) => RtpView.TryParse(packet, out RtpView view, out _) ? view : throw new InvalidOperationException("no RTP");
}
