using System;
using System.Linq;
using Proxy.LiveKit.Protocol;
using Proxy.WebRtc;
using Xunit;

namespace Proxy.Participant.Tests;

public sealed class RoomParticipantResumeTests
{
    [Fact]
    public void Lost_socket_is_dialled_again_with_the_latest_token()
    {
        ParticipantHarness machine = Server.Active();
        machine.Receive(new SignalResponse { RefreshToken = "the.second.token" });

        machine.CloseSocket();
        machine.Advance(TimeSpan.FromSeconds(0.3));

        Assert.Equal(2, machine.Dials.Count);
        Assert.Equal("the.second.token", machine.Dials[1].Token);
        Assert.Equal(Server.OurSid, ParticipantHarness.ReadUrl(machine.Dials[1].Url!).ParticipantSid);
        Assert.True(machine.Machine.IsActive);
    }

    [Fact]
    public void Resumed_session_says_what_it_believes_and_offers_again()
    {
        ParticipantHarness machine = Server.Active();
        machine.Receive(Server.Require(0));
        machine.CloseSocket();
        machine.Advance(TimeSpan.FromSeconds(0.3));
        machine.Open();
        int sent = machine.Sent.Count;

        machine.Receive(new SignalResponse { Reconnect = new ReconnectResponse() });

        Assert.Equal([SignalRequest.MessageOneofCase.SyncState, SignalRequest.MessageOneofCase.Offer], machine.Sent.Skip(sent).Select(s => s.MessageCase));
        // The offer that was in flight when the socket died is dead; its successor has its own id.
        Assert.Equal(3u, machine.Sent[^1].Offer.Id);
        Assert.NotNull(machine.Last(RoomEventKind.Resumed));
    }

    [Fact]
    public void Silent_server_is_taken_for_lost()
    {
        ParticipantHarness machine = Server.Active();
        int closes = machine.Closes;

        machine.Advance(TimeSpan.FromSeconds(15.5));

        Assert.Equal(closes + 1, machine.Closes);
        Assert.Equal(2, machine.Dials.Count);
        Assert.NotNull(machine.Last(RoomEventKind.Reconnecting));
    }

    [Fact]
    public void Pings_keep_their_interval()
    {
        ParticipantHarness machine = Server.Active();

        RoomParticipantOfferTests.Alive(machine, TimeSpan.FromSeconds(21));

        Assert.Equal(4, machine.Sent.Count(s => s.MessageCase == SignalRequest.MessageOneofCase.PingReq));
    }

    [Fact]
    public void Dials_back_off_and_stop_when_the_server_has_forgotten_us()
    {
        ParticipantHarness machine = Server.Active();
        machine.CloseSocket();
        double start = Seconds(machine);
        while (!machine.Machine.IsEnded && Seconds(machine) - start < 60)
        {
            int dials = machine.Dials.Count;
            machine.Advance(TimeSpan.FromSeconds(0.05));
            if (machine.Dials.Count > dials)
            {
                machine.Refuse(503, "");
            }
        }

        Assert.Equal(RoomEnd.SignalLost, machine.End);
        Assert.InRange(Seconds(machine) - start, 8, 16);
        Assert.InRange(machine.Dials.Count - 1, 6, 12);
        Assert.Single(machine.Events, e => e.Kind == RoomEventKind.Reconnecting);
    }

    [Fact]
    public void Dial_that_hangs_is_given_up_and_made_again()
    {
        ParticipantHarness machine = Server.Active();
        machine.CloseSocket();

        machine.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(3, machine.Dials.Count);
        Assert.Equal(1, machine.Closes);
    }

    [Fact]
    public void Token_that_is_no_longer_good_ends_the_session()
    {
        ParticipantHarness machine = Server.Active();
        machine.CloseSocket();
        machine.Advance(TimeSpan.FromSeconds(0.3));

        machine.Refuse(401, "invalid token");

        Assert.Equal(RoomEnd.Unauthorized, machine.End);
    }

    [Fact]
    public void Server_that_lost_our_state_ends_the_session()
    {
        ParticipantHarness machine = Server.Active();
        machine.CloseSocket();
        machine.Advance(TimeSpan.FromSeconds(0.3));
        machine.Open();

        machine.Receive(Server.Leave(DisconnectReason.StateMismatch, LeaveRequest.Types.Action.Reconnect));

        Assert.Equal(RoomEnd.StateMismatch, machine.End);
    }

    [Fact]
    public void Media_that_fails_while_the_socket_is_away_ends_the_session()
    {
        ParticipantHarness machine = Server.Active();
        machine.CloseSocket();

        machine.Peer(PeerEventKind.Failed, reason: "consent lost");

        Assert.Equal(RoomEnd.MediaFailed, machine.End);
    }

    [Fact]
    public void Leaving_while_the_socket_is_away_ends_at_once()
    {
        ParticipantHarness machine = Server.Active();
        machine.CloseSocket();

        machine.Machine.Leave(machine.Now);
        machine.Drain();

        Assert.Equal(RoomEnd.Left, machine.End);
    }

    [Fact]
    public void Second_loss_gets_a_new_window()
    {
        ParticipantHarness machine = Server.Active();
        for (int i = 0; i < 5; i++)
        {
            machine.CloseSocket();
            machine.Advance(TimeSpan.FromSeconds(0.3));
            machine.Open();
            machine.Receive(new SignalResponse { Reconnect = new ReconnectResponse() });
            machine.Receive(Server.Answer("minimal.4.answer", (uint)(i + 2)));
            RoomParticipantOfferTests.Alive(machine, TimeSpan.FromSeconds(10));
        }

        Assert.True(machine.Machine.IsActive);
        Assert.Equal(5, machine.Events.Count(e => e.Kind == RoomEventKind.Resumed));
    }

    private static double Seconds(ParticipantHarness machine) => machine.Now.Micros / 1e6;
}
