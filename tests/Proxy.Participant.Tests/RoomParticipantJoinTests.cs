using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Proxy.LiveKit.Protocol;
using Proxy.Testing;
using Proxy.WebRtc;
using Xunit;

namespace Proxy.Participant.Tests;

public sealed class RoomParticipantJoinTests
{
    public static TheoryData<string, int, string> CapturedRefusals
    {
        get
        {
            var data = new TheoryData<string, int, string>();
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(TestData.Path("livekit-golden", "rtc", "errors", "join-failures.json")));
            foreach (JsonElement entry in document.RootElement.EnumerateArray())
            {
                int status = entry.GetProperty("status").GetInt32();
                // Entries without a path are plain HTTP requests, no joins.
                if (status != 101 && entry.TryGetProperty("path", out _))
                {
                    data.Add(entry.GetProperty("name").GetString() + " " + entry.GetProperty("path").GetString(), status, entry.GetProperty("body").GetString()!);
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(CapturedRefusals))]
    public void Captured_refusal_ends_with_its_reason_and_without_the_token(string name, int status, string body)
    {
        var machine = new ParticipantHarness();
        machine.Start();

        machine.Refuse(status, body);

        Assert.NotEmpty(name);
        Assert.Equal(status switch { 401 => RoomEnd.Unauthorized, 400 => RoomEnd.BadRequest, 404 => RoomEnd.RoomNotFound, _ => RoomEnd.Refused }, machine.End);
        Assert.Contains($"HTTP {status}", machine.Last(RoomEventKind.Ended)!.Text);
        Assert.DoesNotContain("eyJ", machine.Last(RoomEventKind.Ended)!.Text);
        Assert.Equal(0, machine.Closes);
    }

    [Fact]
    public void Server_out_of_reach_ends_as_unreachable()
    {
        var machine = new ParticipantHarness();
        machine.Start();

        machine.Refuse(0, "Connection refused (127.0.0.1:7880)");

        Assert.Equal(RoomEnd.Unreachable, machine.End);
        Assert.Equal("the room server cannot be reached: Connection refused (127.0.0.1:7880)", machine.Last(RoomEventKind.Ended)!.Text);
    }

    [Fact]
    public void Refusal_with_control_bytes_becomes_one_printable_line()
    {
        var machine = new ParticipantHarness();
        machine.Start();

        machine.Refuse(502, "<html>\r\n\0\u00e9 bad gateway" + new string('x', 2000));

        Assert.All(machine.Last(RoomEventKind.Ended)!.Text, c => Assert.InRange(c, ' ', '~'));
        Assert.InRange(machine.Last(RoomEventKind.Ended)!.Text.Length, 20, 260);
    }

    [Fact]
    public void Silent_dial_ends_after_five_seconds()
    {
        var machine = new ParticipantHarness();
        machine.Start();

        machine.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(machine.Machine.IsEnded);
        machine.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal(RoomEnd.JoinTimeout, machine.End);
        Assert.Contains("dial", machine.Last(RoomEventKind.Ended)!.Text);
        Assert.Equal(1, machine.Closes);
    }

    [Fact]
    public void Unanswered_offer_ends_after_the_join_timeout()
    {
        ParticipantHarness machine = Server.Joined();
        machine.Advance(TimeSpan.FromSeconds(11));

        Assert.Equal(RoomEnd.JoinTimeout, machine.End);
        Assert.Contains("answer our offer", machine.Last(RoomEventKind.Ended)!.Text);
        Assert.Equal(1, machine.Closes);
    }

    [Fact]
    public void Media_that_does_not_come_up_ends_after_the_join_timeout()
    {
        ParticipantHarness machine = Server.Joined();
        machine.Receive(Server.Answer("minimal.2.answer", 1));
        machine.Advance(TimeSpan.FromSeconds(11));

        Assert.Equal(RoomEnd.JoinTimeout, machine.End);
        Assert.Contains("media connection", machine.Last(RoomEventKind.Ended)!.Text);
    }

    [Fact]
    public void Active_needs_both_the_answer_and_the_transport()
    {
        ParticipantHarness machine = Server.Joined();
        // The server checks us before we read its answer.
        machine.Peer(PeerEventKind.Connected);
        Assert.False(machine.Machine.IsActive);

        machine.Receive(Server.Answer("minimal.2.answer", 1));

        Assert.True(machine.Machine.IsActive);
        machine.Advance(TimeSpan.FromSeconds(12));
        Assert.False(machine.Machine.IsEnded);
    }

    [Fact]
    public void Media_failure_ends_the_participant()
    {
        ParticipantHarness machine = Server.Active();

        machine.Peer(PeerEventKind.Failed, reason: "consent lost");

        Assert.Equal(RoomEnd.MediaFailed, machine.End);
        Assert.Contains("consent lost", machine.Last(RoomEventKind.Ended)!.Text);
        Assert.Equal(1, machine.Closes);
    }

    [Fact]
    public void Leave_before_the_join_is_a_failed_join()
    {
        var machine = new ParticipantHarness();
        machine.Start();
        machine.Open();

        machine.Receive(Server.Leave(DisconnectReason.UnknownReason));

        Assert.Equal(RoomEnd.JoinFailed, machine.End);
    }

    [Fact]
    public void Socket_that_closes_before_the_join_ends_it()
    {
        var machine = new ParticipantHarness();
        machine.Start();
        machine.Open();

        machine.CloseSocket();

        Assert.Equal(RoomEnd.SignalLost, machine.End);
    }

    [Fact]
    public void Inputs_of_an_older_socket_are_ignored()
    {
        ParticipantHarness machine = Server.Active();

        machine.Machine.HandleSocketClosed(99, machine.Now);
        machine.Machine.HandleFrame(99, [1, 2, 3], machine.Now);
        machine.Drain();

        Assert.True(machine.Machine.IsActive);
        Assert.Equal(0, machine.Machine.FramesIgnored);
    }

    [Fact]
    public void Nothing_follows_the_end()
    {
        ParticipantHarness machine = Server.Active();
        machine.Receive(Server.Leave(DisconnectReason.RoomDeleted));
        int events = machine.Events.Count;

        machine.Receive(Server.Update(Server.Participant("PA_a", "a")));
        machine.Peer(PeerEventKind.Failed);
        machine.CloseSocket();
        machine.Machine.Leave(machine.Now);
        Assert.False(machine.Machine.SendDtmf('1', machine.Now));
        machine.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(events, machine.Events.Count);
        Assert.True(machine.Machine.NextDeadline.IsNever);
    }

    [Theory]
    [InlineData(DisconnectReason.DuplicateIdentity, LeaveRequest.Types.Action.Disconnect, RoomEnd.DuplicateIdentity)]
    [InlineData(DisconnectReason.ServerShutdown, LeaveRequest.Types.Action.Disconnect, RoomEnd.ServerShutdown)]
    [InlineData(DisconnectReason.ParticipantRemoved, LeaveRequest.Types.Action.Disconnect, RoomEnd.Removed)]
    [InlineData(DisconnectReason.RoomDeleted, LeaveRequest.Types.Action.Disconnect, RoomEnd.RoomDeleted)]
    [InlineData(DisconnectReason.StateMismatch, LeaveRequest.Types.Action.Reconnect, RoomEnd.StateMismatch)]
    [InlineData(DisconnectReason.JoinFailure, LeaveRequest.Types.Action.Disconnect, RoomEnd.JoinFailed)]
    [InlineData(DisconnectReason.Migration, LeaveRequest.Types.Action.Reconnect, RoomEnd.RejoinNeeded)]
    [InlineData(DisconnectReason.RoomClosed, LeaveRequest.Types.Action.Disconnect, RoomEnd.RoomClosed)]
    [InlineData(DisconnectReason.ConnectionTimeout, LeaveRequest.Types.Action.Resume, RoomEnd.ConnectionTimeout)]
    [InlineData(DisconnectReason.UnknownReason, LeaveRequest.Types.Action.Reconnect, RoomEnd.RejoinNeeded)]
    [InlineData(DisconnectReason.UserRejected, LeaveRequest.Types.Action.Disconnect, RoomEnd.Other)]
    [InlineData((DisconnectReason)99, LeaveRequest.Types.Action.Disconnect, RoomEnd.Other)]
    public void Leave_reasons_are_kept_apart(DisconnectReason reason, LeaveRequest.Types.Action action, RoomEnd end)
    {
        ParticipantHarness machine = Server.Active();

        machine.Receive(Server.Leave(reason, action));

        Assert.Equal(end, machine.End);
        Assert.NotEmpty(machine.Last(RoomEventKind.Ended)!.Text);
    }

    [Fact]
    public void Leaving_waits_for_the_echo()
    {
        ParticipantHarness machine = Server.Active();
        machine.Machine.Leave(machine.Now);
        machine.Drain();
        Assert.Equal(DisconnectReason.ClientInitiated, machine.Sent[^1].Leave.Reason);
        Assert.False(machine.Machine.IsEnded);

        machine.Receive(Server.Leave(DisconnectReason.ClientInitiated));

        Assert.Equal(RoomEnd.Left, machine.End);
        Assert.True(machine.Last(RoomEventKind.Ended)!.IsReleased);
        Assert.Equal(1, machine.Closes);
        Assert.Equal(MediaCommandKind.Close, machine.Commands[^1].Kind);
    }

    [Fact]
    public void Goodbye_that_comes_after_the_transport_closed_still_says_why()
    {
        ParticipantHarness machine = Server.Active();
        machine.Peer(PeerEventKind.Closed);
        Assert.False(machine.Machine.IsEnded);
        machine.Receive(Server.Leave(DisconnectReason.ParticipantRemoved));
        Assert.Equal(RoomEnd.Removed, machine.End);
    }

    [Fact]
    public void Transport_that_closes_without_a_goodbye_is_a_failure_after_half_a_second()
    {
        ParticipantHarness machine = Server.Active();
        machine.Peer(PeerEventKind.Closed);
        machine.Advance(TimeSpan.FromMilliseconds(499));
        Assert.False(machine.Machine.IsEnded);
        machine.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(RoomEnd.MediaFailed, machine.End);
    }

    [Fact]
    public void Transport_that_closes_while_we_leave_does_not_spoil_the_goodbye()
    {
        ParticipantHarness machine = Server.Active();
        machine.Machine.Leave(machine.Now);

        machine.Peer(PeerEventKind.Closed);
        Assert.False(machine.Machine.IsEnded);
        machine.Receive(Server.Leave(DisconnectReason.ClientInitiated));

        Assert.Equal(RoomEnd.Left, machine.End);
    }

    [Fact]
    public void Secrets_are_in_no_text_of_ours()
    {
        var machine = new ParticipantHarness();
        machine.Start();

        string text = $"{ParticipantHarness.Join()} {machine.Dials[0]}";

        Assert.DoesNotContain("secret", text);
        Assert.DoesNotContain(ParticipantHarness.Ice.Pwd, text);
        Assert.DoesNotContain("join_request", text);
    }

    [Fact]
    public void Leaving_ends_after_a_second_without_an_echo()
    {
        ParticipantHarness machine = Server.Active();
        machine.Machine.Leave(machine.Now);
        machine.Advance(TimeSpan.FromSeconds(0.9));
        Assert.False(machine.Machine.IsEnded);

        machine.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal(RoomEnd.Left, machine.End);
        Assert.Contains("goodbye", machine.Last(RoomEventKind.Ended)!.Text);
        Assert.False(machine.Last(RoomEventKind.Ended)!.IsReleased);
    }

    [Fact]
    public void Leaving_during_the_dial_ends_at_once()
    {
        var machine = new ParticipantHarness();
        machine.Start();

        machine.Machine.Leave(machine.Now);
        machine.Drain();

        Assert.Equal(RoomEnd.Left, machine.End);
        Assert.Equal(1, machine.Closes);
    }

    [Fact]
    public void Roster_of_the_join_becomes_events()
    {
        ParticipantHarness machine = Server.Joined(null, Server.Participant("PA_a", "agent", 1, Server.Audio("TR_1", isMuted: true)));

        Assert.Equal("agent", machine.Last(RoomEventKind.ParticipantJoined)!.Participant!.Identity);
        RoomEvent track = machine.Last(RoomEventKind.TrackAdded)!;
        Assert.Equal("TR_1", track.Track!.Sid);
        Assert.True(track.Track.IsMuted);

        machine.Receive(Server.Update(Server.Participant("PA_a", "agent", 2, Server.Audio("TR_1"))));
        Assert.False(machine.Last(RoomEventKind.TrackChanged)!.IsMuted);
        // An older snapshot changes nothing.
        machine.Receive(Server.Update(Server.Participant("PA_a", "agent", 1)));
        Assert.Null(machine.Last(RoomEventKind.TrackRemoved));

        machine.Receive(Server.Update(Server.Participant("PA_a", "agent", 3)));
        Assert.Equal("TR_1", machine.Last(RoomEventKind.TrackRemoved)!.Track!.Sid);
    }

    [Fact]
    public void Video_and_encrypted_tracks_are_unsubscribed_and_not_heard()
    {
        var encrypted = new TrackInfo { Sid = "TR_e", Type = TrackType.Audio, Encryption = Encryption.Types.Type.Gcm };
        var video = new TrackInfo { Sid = "TR_v", Type = TrackType.Video };

        ParticipantHarness machine = Server.Joined(null, Server.Participant("PA_a", "a", 1, encrypted, video, Server.Audio("TR_a")));

        UpdateSubscription update = Assert.Single(machine.Sent, s => s.MessageCase == SignalRequest.MessageOneofCase.Subscription).Subscription;
        Assert.False(update.Subscribe);
        Assert.Equal(["TR_e", "TR_v"], update.TrackSids);
        Assert.Equal("TR_a", Assert.Single(machine.Events, e => e.Kind == RoomEventKind.TrackAdded).Track!.Sid);
        machine.Receive(Server.Answer("minimal.2.answer", 1, ("1", "TR_e")));
        Assert.Empty(machine.DownTracks);
    }

    [Fact]
    public void Without_auto_subscription_each_audio_track_is_asked_for()
    {
        ParticipantHarness machine = Server.Joined(ParticipantHarness.Join() with { AutoSubscribe = false }, Server.Participant("PA_a", "a", 1, Server.Audio("TR_a")));

        UpdateSubscription update = Assert.Single(machine.Sent, s => s.MessageCase == SignalRequest.MessageOneofCase.Subscription).Subscription;
        Assert.True(update.Subscribe);
        Assert.Equal(["TR_a"], update.TrackSids);
    }

    [Fact]
    public void Attributes_set_early_are_sent_with_the_join_and_again_until_acknowledged()
    {
        var machine = new ParticipantHarness();
        machine.Machine.SetAttributes(new Dictionary<string, string> { ["sip.callStatus"] = "ringing" }, machine.Now);
        machine.Start();
        machine.Open();
        Assert.Empty(machine.Sent);

        machine.Receive(Server.Join());
        Assert.Equal("ringing", machine.Sent[^1].UpdateMetadata.Attributes["sip.callStatus"]);
        machine.Machine.SetAttributes(new Dictionary<string, string> { ["sip.callStatus"] = "active" }, machine.Now);
        machine.Drain();
        UpdateParticipantMetadata last = machine.Sent[^1].UpdateMetadata;
        Assert.Equal("active", last.Attributes["sip.callStatus"]);

        // The answer to the older request leaves the newer one pending.
        machine.Receive(new SignalResponse { RequestResponse = new RequestResponse { RequestId = last.RequestId - 1 } });
        Reopen(machine);
        Assert.Equal("active", machine.Sent.Last(s => s.MessageCase == SignalRequest.MessageOneofCase.UpdateMetadata).UpdateMetadata.Attributes["sip.callStatus"]);
        uint again = machine.Sent.Last(s => s.MessageCase == SignalRequest.MessageOneofCase.UpdateMetadata).UpdateMetadata.RequestId;
        Assert.NotEqual(last.RequestId, again);

        machine.Receive(new SignalResponse { RequestResponse = new RequestResponse { RequestId = again } });
        int sent = machine.Sent.Count(s => s.MessageCase == SignalRequest.MessageOneofCase.UpdateMetadata);
        Reopen(machine);
        Assert.Equal(sent, machine.Sent.Count(s => s.MessageCase == SignalRequest.MessageOneofCase.UpdateMetadata));
    }

    [Fact]
    public void Mute_of_the_room_is_told_once()
    {
        ParticipantHarness machine = Server.Active();

        machine.Receive(new SignalResponse { Mute = new MuteTrackRequest { Sid = Server.OurTrack, Muted = true } });
        machine.Receive(Server.Update(Server.Participant(Server.OurSid, "sip_100", 9, Server.Audio(Server.OurTrack, isMuted: true))));

        Assert.True(Assert.Single(machine.Events, e => e.Kind == RoomEventKind.Muted).IsMuted);
        Assert.DoesNotContain(machine.Sent, s => s.MessageCase == SignalRequest.MessageOneofCase.Mute);
    }

    [Fact]
    public void Attributes_that_the_room_changed_are_told_once_and_old_news_not_at_all()
    {
        ParticipantHarness machine = Server.Active();
        ParticipantInfo self = Server.Participant(Server.OurSid, "sip_100", 9, Server.Audio(Server.OurTrack));
        self.Attributes["foo"] = "changed";
        machine.Receive(Server.Update(self));
        machine.Receive(Server.Update(self));
        ParticipantInfo old = Server.Participant(Server.OurSid, "sip_100", 8, Server.Audio(Server.OurTrack));
        old.Attributes["foo"] = "older";
        machine.Receive(Server.Update(old));
        Assert.Equal("changed", Assert.Single(machine.Events, e => e.Kind == RoomEventKind.OwnAttributes).Attributes!["foo"]);
    }

    [Fact]
    public void Mute_of_ours_before_the_track_has_a_sid_is_sent_when_it_has()
    {
        var machine = new ParticipantHarness();
        machine.Start();
        machine.Open();
        machine.Receive(Server.Join());
        machine.Machine.SetMuted(true, machine.Now);
        machine.Drain();
        Assert.Empty(machine.Sent);

        machine.Receive(Server.Published());

        Assert.True(Assert.Single(machine.Sent).Mute.Muted);
    }

    private static void Reopen(ParticipantHarness machine)
    {
        if (!machine.Machine.IsActive)
        {
            machine.Receive(Server.Answer("minimal.2.answer", 1));
            machine.Peer(PeerEventKind.Connected);
        }
        machine.CloseSocket();
        machine.Advance(TimeSpan.FromSeconds(0.5));
        machine.Open();
        machine.Receive(new SignalResponse { Reconnect = new ReconnectResponse() });
    }
}
