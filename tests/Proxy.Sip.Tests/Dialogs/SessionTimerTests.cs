using System;
using System.Linq;
using Proxy.Sip.Dialogs;
using Xunit;

namespace Proxy.Sip.Tests.Dialogs;

/// <summary>RFC 4028.</summary>
public sealed class SessionTimerTests
{
    private const string Timer = "Supported: timer\r\nAllow: INVITE, ACK, BYE, UPDATE\r\n";

    [Fact]
    public void Too_small_interval_gives_422_with_min_se()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(extra: Timer + "Session-Expires: 30\r\n"));
        Assert.Equal([422], side.Statuses);
        Assert.Equal("90", Sipside.Header(side.Last, "Min-SE"));
    }

    [Theory]
    [InlineData(Timer + "Session-Expires: 1800;refresher=uac\r\n", "1800;refresher=uac", "timer")]
    [InlineData(Timer + "Session-Expires: 1800\r\n", "1800;refresher=uac", "timer")]
    [InlineData(Timer + "Session-Expires: 1200;refresher=uas\r\n", "1200;refresher=uas", "")]
    [InlineData("Session-Expires: 900\r\n", "900;refresher=uas", "")]
    [InlineData(Timer, "1800;refresher=uac", "timer")]
    [InlineData("x: 600;refresher=uac\r\nk: timer\r\n", "600;refresher=uac", "timer")]
    [InlineData("", "", "")]
    public void Interval_and_refresher_are_agreed_in_the_200(string extra, string sessionExpires, string require)
    {
        using var side = new Sipside();
        Accept(side, extra);
        Assert.Equal(sessionExpires, Sipside.Header(side.Last, "Session-Expires"));
        Assert.Equal(require, Sipside.Header(side.Last, "Require"));
    }

    [Fact]
    public void Refresh_of_the_peer_every_15_minutes_keeps_the_call()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side, Timer + "Session-Expires: 1800;refresher=uac\r\n");
        for (int i = 0; i < 8; i++)
        {
            side.Advance(900_000);
            side.Receive(Sipside.InDialog("UPDATE", dialog, i + 2, "z9hG4bKu" + i, Timer + "Session-Expires: 1800;refresher=uac\r\n"));
            Assert.Equal("1800;refresher=uac", Sipside.Header(side.Last, "Session-Expires"));
        }
        Assert.DoesNotContain(SipEventKind.SessionExpired, side.Kinds);
    }

    [Fact]
    public void Peer_that_stops_refreshing_expires_32_s_before_the_end()
    {
        using var side = new Sipside();
        Establish(side, Timer + "Session-Expires: 1800;refresher=uac\r\n");
        long start = side.Now.Micros / 1000;
        side.Advance(1_800_000);
        Assert.Equal((start + 1_768_000, SipEventKind.SessionExpired), (side.Events[^1].At, side.Events[^1].Kind));
    }

    [Fact]
    public void Our_refresh_goes_out_at_half_the_interval_again_and_again()
    {
        using var side = new Sipside();
        Establish(side, Timer + "Session-Expires: 1200;refresher=uas\r\n");
        for (int i = 0; i < 3; i++)
        {
            side.Sent.Clear();
            side.Advance(600_000);
            Assert.StartsWith("UPDATE ", side.Last);
            Assert.Equal("1200;refresher=uac", Sipside.Header(side.Last, "Session-Expires"));
            side.Receive(Sipside.Answer(side.Last, "200 OK", "Session-Expires: 1200;refresher=uac\r\n"));
        }
        Assert.Empty(side.Events);
    }

    [Fact]
    public void Peer_without_update_is_refreshed_by_reinvite_with_the_same_sdp()
    {
        using var side = new Sipside();
        Establish(side, "Allow: INVITE, ACK, BYE\r\nSession-Expires: 900\r\n");
        side.Advance(450_000);
        Assert.StartsWith("INVITE ", side.Last);
        Assert.EndsWith("v=ours\r\n", side.Last);
        side.Receive(Sipside.Answer(side.Last, "200 OK", "Contact: <sip:alice@192.0.2.10:5062>\r\n", "v=0\r\n"));
        Assert.StartsWith("ACK ", side.Last);
        Assert.Empty(side.Events);
        side.Advance(450_000);
        Assert.StartsWith("INVITE ", side.Last);
    }

    [Fact]
    public void Refused_update_is_followed_by_a_reinvite()
    {
        using var side = new Sipside();
        Establish(side, Timer + "Session-Expires: 1200;refresher=uas\r\n");
        side.Advance(600_000);
        side.Receive(Sipside.Answer(side.Last, "405 Method Not Allowed"));
        side.Advance(2_200);
        Assert.StartsWith("INVITE ", side.Last);
        Assert.Empty(side.Events);
    }

    [Fact]
    public void Answer_422_to_our_refresh_lengthens_the_interval()
    {
        using var side = new Sipside();
        Establish(side, Timer + "Session-Expires: 100;refresher=uas\r\n");
        side.Advance(50_000);
        side.Receive(Sipside.Answer(side.Last, "422 Session Interval Too Small", "Min-SE: 600\r\n"));
        side.Advance(1);
        Assert.Equal("600;refresher=uac", Sipside.Header(side.Last, "Session-Expires"));
        Assert.Equal("600", Sipside.Header(side.Last, "Min-SE"));
    }

    [Fact]
    public void Reinvite_of_the_owner_leaves_the_refresher_as_it_is()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side, Timer + "Session-Expires: 1800;refresher=uac\r\n");
        side.Do(now => Assert.True(dialog.Invite("v=1\r\n"u8, default, now)));
        Assert.Equal("1800;refresher=uas", Sipside.Header(side.Last, "Session-Expires"));
        Assert.Equal("timer, replaces", Sipside.Header(side.Last, "Supported"));
        side.Receive(Sipside.Answer(side.Last, "200 OK", "Session-Expires: 1800;refresher=uas\r\nContact: <sip:alice@192.0.2.10:5062>\r\n", "v=0\r\n"));
        side.Sent.Clear();
        side.Advance(1_000_000);
        Assert.Empty(side.Sent);
    }

    [Theory]
    [InlineData("481 Call Does Not Exist")]
    [InlineData("408 Request Timeout")]
    public void Refresh_that_finds_no_call_expires_it(string status)
    {
        using var side = new Sipside();
        Establish(side, Timer + "Session-Expires: 1200;refresher=uas\r\n");
        side.Advance(600_000);
        side.Receive(Sipside.Answer(side.Last, status));
        Assert.Equal([SipEventKind.SessionExpired], side.Kinds);
    }

    private static SipDialog Accept(Sipside side, string extra)
    {
        side.Receive(Sipside.Invite(extra: extra));
        SipDialog dialog = side.Events[0].Dialog;
        side.Do(now => Assert.True(dialog.Accept("v=ours\r\n"u8, default, now)));
        return dialog;
    }

    private static SipDialog Establish(Sipside side, string extra)
    {
        SipDialog dialog = Accept(side, extra);
        side.Receive(Sipside.InDialog("ACK", dialog, 1, "z9hG4bKack"));
        side.Events.Clear();
        side.Sent.Clear();
        return dialog;
    }
}
