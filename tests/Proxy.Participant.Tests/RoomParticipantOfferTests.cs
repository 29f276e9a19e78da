using System;
using System.Linq;
using Proxy.LiveKit.Protocol;
using Proxy.Participant.Signal;
using Xunit;

namespace Proxy.Participant.Tests;

public sealed class RoomParticipantOfferTests
{
    [Theory]
    [InlineData(RoomCodec.Pcmu, "0 8 111", "pcmu")]
    [InlineData(RoomCodec.Pcma, "8 0 111", "pcma")]
    [InlineData(RoomCodec.Opus, "111 0 8", "opus")]
    public void First_audio_section_lists_all_codecs_the_wanted_one_first(RoomCodec codec, string order, string name)
    {
        var machine = new ParticipantHarness(ParticipantHarness.Join(codec));
        machine.Start();
        JoinRequest join = ParticipantHarness.ReadUrl(machine.Dials[0].Url!);

        Assert.Equal("m=audio 9 UDP/TLS/RTP/SAVPF " + order, Server.Lines(join.PublisherOffer.Sdp).First(line => line.StartsWith("m=", StringComparison.Ordinal)));
        Assert.Equal(name, join.AddTrackRequests[0].SimulcastCodecs[0].Codec);
    }

    [Fact]
    public void Offer_steps_into_none_of_the_known_traps()
    {
        string sdp = Offer(RoomCodec.Pcmu);
        string[] sections = sdp.Split("m=")[1..];

        Assert.Equal(1 + Negotiation.SpareSections + 1, sections.Length);
        // FAIL-no-direction-attribute: the section would be dropped silently.
        Assert.All(sections, section => Assert.Single(Server.Lines(section), line => line is "a=sendonly" or "a=recvonly" or "a=sendrecv"));
        // D17: without a=ssrc the track never appears.
        Assert.Contains("a=ssrc:305419896 cname:phone", sections[0]);
        // D21: without BUNDLE there are no data channels.
        Assert.Contains("a=group:BUNDLE 0 1 2 3\r\n", sdp);
        // cn-and-telephone-event-offered: their numbers become holes at the receivers.
        Assert.DoesNotContain("telephone-event", sdp);
        Assert.DoesNotContain("CN/8000", sdp);
        // The server then unwraps redundancy for us, and keeps no resend buffers.
        Assert.DoesNotContain("red/48000", sdp);
        Assert.DoesNotContain("rtcp-fb", sdp);
        Assert.All(sections, section => Assert.Contains("a=setup:actpass", section));
    }

    [Fact]
    public void Stale_answer_is_ignored()
    {
        ParticipantHarness machine = Server.Joined();

        machine.Receive(Server.Answer("minimal.2.answer", 7));

        Assert.Null(machine.Machine.Publish);
        Assert.Equal(1, machine.Machine.FramesIgnored);
    }

    [Fact]
    public void Answer_of_a_server_that_does_not_count_is_taken()
    {
        ParticipantHarness machine = Server.Joined();

        machine.Receive(Server.Answer("minimal.2.answer", 0));

        Assert.NotNull(machine.Machine.Publish);
    }

    [Fact]
    public void Second_answer_to_one_offer_is_ignored()
    {
        ParticipantHarness machine = Server.Joined();
        machine.Receive(Server.Answer("minimal.2.answer", 1));

        machine.Receive(Server.Answer("server-without-g711.2.answer", 1));

        Assert.Equal(RoomCodec.Pcmu, machine.Machine.Publish!.Codec);
    }

    [Fact]
    public void Empty_requirement_is_answered_by_an_offer_with_the_same_sections()
    {
        ParticipantHarness machine = Server.Active();

        machine.Receive(Server.Require(0));

        SessionDescription offer = Assert.Single(machine.Offers);
        Assert.Equal(2u, offer.Id);
        Assert.Equal(4, offer.Sdp.Split("\r\nm=").Length - 1);
        Assert.Equal(VersionOf(Offer(RoomCodec.Pcmu)) + 1, VersionOf(offer.Sdp));
    }

    [Fact]
    public void Required_sections_are_added_behind_and_keep_their_mids()
    {
        ParticipantHarness machine = Server.Active();

        machine.Receive(Server.Require(2));

        string sdp = Assert.Single(machine.Offers).Sdp;
        Assert.Equal(["0", "1", "2", "3", "4", "5"], Server.Lines(sdp).Where(l => l.StartsWith("a=mid:", StringComparison.Ordinal)).Select(l => l[6..]));
        Assert.StartsWith("application", sdp.Split("\r\nm=")[4], StringComparison.Ordinal);
        Assert.StartsWith("audio", sdp.Split("\r\nm=")[6], StringComparison.Ordinal);
    }

    [Fact]
    public void One_offer_is_in_flight_and_the_next_follows_its_answer()
    {
        ParticipantHarness machine = Server.Active();
        machine.Receive(Server.Require(1));
        machine.Receive(Server.Require(1));
        machine.Receive(Server.Require(0));
        Assert.Single(machine.Offers);

        machine.Receive(Server.Answer("minimal.2.answer", 2));

        Assert.Equal([2u, 3u], machine.Offers.Select(o => o.Id));
        Assert.Equal(6, machine.Offers.Last().Sdp.Split("\r\nm=").Length - 1);
    }

    [Fact]
    public void Requirement_without_end_is_bounded()
    {
        ParticipantHarness machine = Server.Active();

        machine.Receive(Server.Require(uint.MaxValue));
        machine.Receive(Server.Answer("minimal.2.answer", 2));
        machine.Receive(Server.Require(100));

        Assert.Equal(Negotiation.ReceiveSectionsMax + 2, machine.Offers.Last().Sdp.Split("\r\nm=").Length - 1);
    }

    [Fact]
    public void Unanswered_reoffer_is_made_again_and_its_late_answer_is_stale()
    {
        ParticipantHarness machine = Server.Active();
        machine.Receive(Server.Require(0));

        Alive(machine, TimeSpan.FromSeconds(11));
        Assert.Equal([2u, 3u], machine.Offers.Select(o => o.Id));

        machine.Receive(Server.Answer("minimal.4.answer", 2));
        Assert.Equal(1, machine.Machine.FramesIgnored);
        machine.Receive(Server.Answer("minimal.4.answer", 3));
        Alive(machine, TimeSpan.FromSeconds(30));
        Assert.Equal(2, machine.Offers.Count());
        Assert.True(machine.Machine.IsActive);
    }

    [Fact]
    public void Server_without_g711_makes_us_send_opus()
    {
        ParticipantHarness machine = Server.Joined();

        machine.Receive(Server.Answer("server-without-g711.2.answer", 1));

        Assert.Equal(new PublishTrack(RoomCodec.Opus, 111, 1, 0x1234_5678), machine.Machine.Publish);
        Assert.Equal(machine.Machine.Publish, machine.Commands.Single(c => c.Kind == MediaCommandKind.SetPublish).Publish);
        // Its free section is sendonly without a source: that is no track.
        Assert.Empty(machine.DownTracks);
    }

    [Fact]
    public void Refused_send_section_ends_the_participant()
    {
        ParticipantHarness machine = Server.Joined();

        machine.Receive(Server.Answer("server-without-g711-pcmu-only-offer.2.answer", 1));

        Assert.Equal(RoomEnd.PublishRefused, machine.End);
    }

    [Fact]
    public void Own_section_that_lost_its_direction_is_no_reason_to_end()
    {
        // unpublish.6: after an unpublish the own section is inactive; a phone never unpublishes, a server might.
        ParticipantHarness machine = Server.Joined();

        machine.Receive(Server.Answer("unpublish.6.answer", 1));

        Assert.False(machine.Machine.IsEnded);
    }

    [Fact]
    public void Down_track_is_named_by_the_map_and_its_owner_by_the_roster()
    {
        ParticipantHarness machine = Server.Joined(null, Server.Participant("PA_hMdgAAANNYgq", "agent", 1, Server.Audio("TR_AMR5WSDyQctood")));

        machine.Receive(Server.Answer("minimal.2.answer", 1, ("1", "TR_AMR5WSDyQctood")));

        DownTrack track = Assert.Single(machine.DownTracks);
        Assert.Equal(918470551u, track.Ssrc);
        Assert.Equal("TR_AMR5WSDyQctood", track.TrackSid);
        Assert.Equal("PA_hMdgAAANNYgq", track.ParticipantSid);
        Assert.Equal("agent", track.Identity);
        Assert.Equal([new PayloadCodec(0, RoomCodec.Pcmu), new PayloadCodec(111, RoomCodec.Opus), new PayloadCodec(8, RoomCodec.Pcma)], track.Codecs);
    }

    [Fact]
    public void Down_track_without_a_map_is_named_by_its_msid()
    {
        ParticipantHarness machine = Server.Joined();

        machine.Receive(Server.Answer("minimal.2.answer", 1));

        Assert.Equal("TR_AMR5WSDyQctood", Assert.Single(machine.DownTracks).TrackSid);
        Assert.Equal("", machine.DownTracks[0].Identity);
    }

    [Fact]
    public void Owner_that_becomes_known_later_is_told_to_the_shard()
    {
        ParticipantHarness machine = Server.Joined();
        machine.Receive(Server.Answer("minimal.2.answer", 1));

        machine.Receive(Server.Update(Server.Participant("PA_hMdgAAANNYgq", "agent", 1, Server.Audio("TR_AMR5WSDyQctood"))));

        Assert.Equal("agent", Assert.Single(machine.DownTracks).Identity);
    }

    [Fact]
    public void Track_that_went_is_silent_before_the_next_answer()
    {
        ParticipantHarness machine = Server.Joined(null, Server.Participant("PA_hMdgAAANNYgq", "agent", 1, Server.Audio("TR_AMR5WSDyQctood")));
        machine.Receive(Server.Answer("minimal.2.answer", 1));

        machine.Receive(Server.Update(Server.Participant("PA_hMdgAAANNYgq", "agent", 2)));

        Assert.Empty(machine.DownTracks);
    }

    [Fact]
    public void Unchanged_answer_disturbs_nothing_on_the_shard()
    {
        ParticipantHarness machine = Server.Active();
        int commands = machine.Commands.Count;
        machine.Receive(Server.Require(0));

        machine.Receive(Server.Answer("minimal.4.answer", 2));

        // The second answer brings the candidate that was trickled before.
        MediaCommand only = Assert.Single(machine.Commands.Skip(commands));
        Assert.Equal(MediaCommandKind.AddCandidate, only.Kind);
        Assert.Equal("127.0.0.1:17002", only.Candidate.ToString());
    }

    [Fact]
    public void Candidate_that_comes_before_the_answer_waits_for_it()
    {
        ParticipantHarness machine = Server.Joined();
        machine.Receive(Server.Trickle("candidate:1 1 udp 2130706431 127.0.0.1 17002 typ host ufrag X"));
        Assert.Empty(machine.Commands);

        machine.Receive(Server.Answer("minimal.2.answer", 1));

        Assert.Equal([MediaCommandKind.SetRemote, MediaCommandKind.AddCandidate], machine.Commands.Take(2).Select(c => c.Kind));
    }

    [Theory]
    [InlineData("candidate:1 1 tcp 1 127.0.0.1 7881 typ host tcptype passive")]
    [InlineData("candidate:1 2 udp 1 127.0.0.1 7881 typ host")]
    [InlineData("candidate:1 1 udp 1 0c5d4d2e-1111-2222-3333-444455556666.local 7881 typ host")]
    [InlineData("candidate:1 1 udp 1 0.0.0.0 7881 typ host")]
    [InlineData("candidate:1 1 udp 1 127.0.0.1 0 typ host")]
    [InlineData("candidate:1 1 udp 1 127.0.0.1 99999 typ host")]
    [InlineData("candidate:")]
    [InlineData("")]
    public void Candidates_that_are_of_no_use_are_left_out(string candidate)
    {
        ParticipantHarness machine = Server.Active();
        int commands = machine.Commands.Count;

        machine.Receive(Server.Trickle(candidate));

        Assert.Equal(commands, machine.Commands.Count);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"candidate\":5}")]
    [InlineData("{\"candidate\":\"\\ud800\"}")]
    [InlineData("null")]
    public void Trickle_that_is_no_candidate_never_throws(string json)
    {
        ParticipantHarness machine = Server.Active();

        machine.Receive(new SignalResponse { Trickle = new TrickleRequest { CandidateInit = json } });

        Assert.True(machine.Machine.IsActive);
    }

    [Fact]
    public void New_ice_credentials_of_the_server_reach_the_transport()
    {
        ParticipantHarness machine = Server.Active();
        machine.Receive(Server.Require(0));
        string restarted = Server.Sdp("minimal.4.answer").Replace("FSQEvOwuoyJxcGDt", "NewUfragNewUfrag");

        machine.Receive(Server.AnswerText(restarted, 2));

        Assert.Equal(["FSQEvOwuoyJxcGDt", "NewUfragNewUfrag"], machine.Commands.Where(c => c.Kind == MediaCommandKind.SetRemote).Select(c => c.Remote!.Ice.Ufrag));
    }

    /// <summary>Lets time pass while the server answers pings.</summary>
    internal static void Alive(ParticipantHarness machine, TimeSpan span)
    {
        for (double second = 0; second < span.TotalSeconds; second++)
        {
            machine.Advance(TimeSpan.FromSeconds(1));
            machine.Receive(new SignalResponse { PongResp = new Pong() });
        }
    }

    private static string Offer(RoomCodec codec)
    {
        var machine = new ParticipantHarness(ParticipantHarness.Join(codec));
        machine.Start();
        return ParticipantHarness.ReadUrl(machine.Dials[0].Url!).PublisherOffer.Sdp;
    }

    private static int VersionOf(string sdp) => int.Parse(Server.Lines(sdp).First(l => l.StartsWith("o=", StringComparison.Ordinal)).Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture);
}
