using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Core.Memory;
using Proxy.WebRtc;
using Xunit;

namespace Proxy.Participant.Tests.Golden;

/// <summary>The stock server's recorded frames, played into the machine.</summary>
public sealed class ReplayTests
{
    public static TheoryData<string> SinglePeerRecordings =>
    [
        "lean-v1", "rtcnode-v1", "chromium-v1", "gosdk-v1", "remove-lean", "remove-node", "delete-lean", "dup-lean", "resume-lean", "resume-node",
    ];

    public static TheoryData<string> AllRecordings =>
    [
        "lean-v1", "rtcnode-v1", "chromium-v1", "gosdk-v1", "rtcnode-v0", "chromium-v0", "gosdk-v0", "remove-lean", "remove-node", "remove-chrome",
        "remove-gosdk", "delete-lean", "dup-lean", "resume-lean", "resume-node", "resume-chrome", "resume-gosdk", "fullreconnect-chrome",
    ];

    [Fact]
    public void Lean_conversation_gives_the_events_of_the_scenario()
    {
        ParticipantHarness machine = Replay("lean-v1", "cid-client");

        Assert.Equal("RM_MQGJrWDtKe2g", machine.Last(RoomEventKind.Joined)!.RoomSid);
        Assert.Equal("1.13.5", machine.Last(RoomEventKind.Joined)!.Text);
        Assert.Equal(RoomCodec.Pcmu, machine.Last(RoomEventKind.PublishReady)!.Publish!.Codec);
        Assert.Equal(1, machine.Last(RoomEventKind.PublishReady)!.Publish!.AudioLevelId);
        Assert.Single(machine.Events, e => e.Kind == RoomEventKind.Active);
        Assert.Single(machine.Events, e => e.Kind == RoomEventKind.Subscribed);
        Assert.Equal(["remote", "second"], machine.Events.Where(e => e.Kind == RoomEventKind.TrackAdded).Select(e => e.Identity));
        Assert.Equal(["remote", "second"], machine.Events.Where(e => e.Kind == RoomEventKind.ParticipantLeft).Select(e => e.Identity));
        Assert.Equal("{\"k\":\"v1\"}", machine.Last(RoomEventKind.RoomMetadata)!.Text);
        Assert.Contains(machine.Events, e => e.Kind == RoomEventKind.Muted && e.IsMuted);
        Assert.Equal(RoomEnd.Left, machine.End);
        Assert.Equal(0, machine.Machine.FramesIgnored);
    }

    [Fact]
    public void Lean_conversation_maps_each_remote_track_to_its_ssrc()
    {
        ParticipantHarness machine = Replay("lean-v1", "cid-client");

        List<IReadOnlyList<DownTrack>> maps = machine.Commands.Where(c => c.Kind == MediaCommandKind.SetDownTracks).Select(c => c.DownTracks!).ToList();
        Assert.Equal(187450901u, Assert.Single(maps[0]).Ssrc);
        Assert.Equal("remote", maps[0][0].Identity);
        Assert.Equal("TR_AMhfpMxwjZYmdB", maps[0][0].TrackSid);
        Assert.Contains(maps, map => map.Count == 1 && map[0].Identity == "second");
        Assert.Empty(maps[^1]);
    }

    [Fact]
    public void Lean_conversation_sets_the_remote_once_and_its_one_candidate()
    {
        ParticipantHarness machine = Replay("lean-v1", "cid-client");

        RemoteDescription remote = Assert.Single(machine.Commands, c => c.Kind == MediaCommandKind.SetRemote).Remote!;
        Assert.Equal("NbOssSaZAlPJoSjQ", remote.Ice.Ufrag);
        Assert.Equal(SetupRole.Active, remote.Setup);
        Assert.False(remote.IsIceLite);
        Assert.Equal(0x85, remote.FingerprintSha256.Span[0]);
        Assert.Equal(0xA5, remote.FingerprintSha256.Span[31]);
        Assert.Equal("127.0.0.1:17002", Assert.Single(machine.Commands, c => c.Kind == MediaCommandKind.AddCandidate).Candidate.ToString());
    }

    [Fact]
    public void Every_requirement_of_the_lean_conversation_is_answered_by_an_offer_with_the_next_id()
    {
        ParticipantHarness machine = Replay("lean-v1", "cid-client");

        Assert.Equal([2u, 3u, 4u, 5u], machine.Offers.Select(o => o.Id));
    }

    [Theory]
    [InlineData("remove-lean", RoomEnd.Removed)]
    [InlineData("delete-lean", RoomEnd.RoomDeleted)]
    [InlineData("dup-lean", RoomEnd.DuplicateIdentity)]
    [InlineData("remove-node", RoomEnd.Removed)]
    public void Leave_of_the_server_ends_with_its_reason(string recording, RoomEnd end)
    {
        ParticipantHarness machine = Replay(recording, "cid-client");

        Assert.Equal(end, machine.End);
        Assert.Equal(MediaCommandKind.Close, machine.Commands[^1].Kind);
    }

    [Fact]
    public void Resume_conversation_comes_back_and_offers_again()
    {
        ParticipantHarness machine = Replay("resume-lean", "cid-client");

        Assert.Equal(2, machine.Dials.Count);
        Assert.Equal("PA_JQgnso4mPEFs", ParticipantHarness.ReadUrl(machine.Dials[1].Url!).ParticipantSid);
        Assert.True(ParticipantHarness.ReadUrl(machine.Dials[1].Url!).Reconnect);
        Assert.StartsWith("eyJ", machine.Dials[1].Token);
        Assert.Single(machine.Events, e => e.Kind == RoomEventKind.Reconnecting);
        Assert.Single(machine.Events, e => e.Kind == RoomEventKind.Resumed);
        Assert.Equal(2u, Assert.Single(machine.Offers).Id);
        // The lean client restarted ICE there; whoever hears other credentials follows.
        Assert.Equal(2, machine.Commands.Count(c => c.Kind == MediaCommandKind.SetRemote));
        Assert.Equal(RoomEnd.Left, machine.End);
    }

    [Theory]
    [MemberData(nameof(AllRecordings))]
    public void No_recording_makes_the_machine_throw(string recording)
    {
        ParticipantHarness machine = Replay(recording, "cid-client");

        Assert.NotEmpty(machine.Events);
    }

    [Theory]
    [MemberData(nameof(SinglePeerRecordings))]
    public void Damaged_frames_never_throw(string recording)
    {
        for (ulong seed = 1; seed <= 20; seed++)
        {
            var random = new SeededRandom(seed);
            Replay(recording, "cid-client", frame => Damage(frame, random));
        }
    }

    private static byte[] Damage(byte[] frame, SeededRandom random)
    {
        if (random.Next(4) != 0 || frame.Length == 0)
        {
            return frame;
        }
        byte[] damaged = random.Next(3) == 0 ? frame[..random.Next(frame.Length)] : (byte[])frame.Clone();
        for (int i = random.Next(4); i >= 0 && damaged.Length > 0; i--)
        {
            damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
        }
        return damaged;
    }

    /// <summary>Plays what the server said; says goodbye where the recorded client did.</summary>
    private static ParticipantHarness Replay(string name, string cid, Func<byte[], byte[]>? damage = null)
    {
        Recording recording = Recording.Load(name);
        var machine = new ParticipantHarness(ParticipantHarness.Join() with { Cid = cid });
        machine.Start();
        machine.Open();
        int connection = recording.Frames[0].Connection;
        int last = recording.Frames[0].Ms;
        bool isUp = false;
        foreach (RecordedFrame frame in recording.Frames)
        {
            machine.Advance(TimeSpan.FromMilliseconds(Math.Max(0, frame.Ms - last)));
            last = Math.Max(last, frame.Ms);
            if (frame.Connection != connection)
            {
                connection = frame.Connection;
                machine.CloseSocket();
                machine.Advance(TimeSpan.FromSeconds(1));
                machine.Open();
            }
            if (frame.IsFromServer)
            {
                machine.Receive(damage is null ? frame.Bytes : damage(frame.Bytes));
                if (!isUp && frame.Message == "answer")
                {
                    isUp = true;
                    machine.Peer(PeerEventKind.Connected);
                    machine.Peer(PeerEventKind.ChannelOpen, "_reliable");
                }
            }
            else if (frame.Message == "leave")
            {
                machine.Machine.Leave(machine.Now);
                machine.Drain();
            }
        }
        return machine;
    }
}
