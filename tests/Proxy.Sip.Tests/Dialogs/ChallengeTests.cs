using System;
using System.Linq;
using System.Text;
using Proxy.Sip.Auth;
using Proxy.Sip.Dialogs;
using Xunit;

namespace Proxy.Sip.Tests.Dialogs;

/// <summary>Challenges to our own requests inside a dialog (RFC 3261 §22.2, §22.3).</summary>
public sealed class ChallengeTests
{
    private const string Md5 = "Digest realm=\"carrier\", nonce=\"n1\", qop=\"auth-int,auth\", opaque=\"o\", algorithm=MD5";

    private static SipDialog Establish(Sipside side)
    {
        SipDialog dialog = side.Establish();
        dialog.Login = new DigestLogin("user", "pass");
        return dialog;
    }

    private static void Refuse(Sipside side, string status, string challenge) => side.Receive(Sipside.Answer(side.Last, status,
        (status.StartsWith("407", StringComparison.Ordinal) ? "Proxy-Authenticate: " : "WWW-Authenticate: ") + challenge + "\r\n"));

    private static bool IsRight(string request, string field, string password = "pass")
    {
        byte[] value = Encoding.UTF8.GetBytes(Sipside.Header(request, field));
        Assert.True(DigestCredentialsView.TryParse(value, out DigestCredentialsView view));
        Assert.Equal(request.Split(' ')[1], Encoding.UTF8.GetString(view.Uri));
        Span<byte> ha1 = stackalloc byte[DigestAlgorithms.HexMax];
        int length = DigestResponse.ComputeHa1(view.Algorithm, view.Username, view.Realm, Encoding.UTF8.GetBytes(password), ha1);
        return DigestResponse.Verify(in view, ha1[..length], Encoding.UTF8.GetBytes(request.Split(' ')[0]));
    }

    [Theory]
    [InlineData("407 Proxy Authentication Required", "Proxy-Authorization", Md5)]
    [InlineData("401 Unauthorized", "Authorization", Md5)]
    [InlineData("401 Unauthorized", "Authorization", "Digest realm=\"r\",nonce=\"n\"")]
    [InlineData("407 x", "Proxy-Authorization", "Digest realm=\"r\",nonce=\"n\",algorithm=SHA-256,qop=\"auth\"")]
    [InlineData("407 x", "Proxy-Authorization", "Digest realm=\"r\",nonce=\"n\",algorithm=SHA-512-256")]
    public void Challenged_request_goes_out_again_with_the_right_sum(string status, string field, string challenge)
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Do(now => Assert.True(dialog.Refer("tel:+15550177"u8, "X-Ref: 1\r\n"u8, now)));
        string first = side.Last;
        Refuse(side, status, challenge);
        string second = side.Last;
        Assert.Equal(2, side.Sent.Count);
        Assert.True(IsRight(second, field));
        Assert.False(IsRight(second, field, "other"));
        Assert.Equal(("1 REFER", "2 REFER"), (Sipside.Header(first, "CSeq"), Sipside.Header(second, "CSeq")));
        Assert.NotEqual(Sipside.Header(first, "Via"), Sipside.Header(second, "Via"));
        foreach (string same in new[] { "From", "To", "Call-ID", "Refer-To", "X-Ref", "Contact", "Max-Forwards", "Content-Length" })
        {
            Assert.Equal(Sipside.Header(first, same), Sipside.Header(second, same));
        }
        Assert.Empty(side.Events);
        side.Receive(Sipside.Answer(second, "202 Accepted"));
        Assert.Equal([SipEventKind.RequestSucceeded], side.Kinds);
    }

    [Fact]
    public void Wrong_password_is_told_after_one_attempt_and_a_stale_nonce_is_tried_once_more()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Do(now => dialog.Refer("tel:+1"u8, default, now));
        Refuse(side, "407 x", Md5);
        Refuse(side, "407 x", Md5);
        Assert.Equal((2, 407), (side.Sent.Count, Assert.Single(side.Events).Event.Status));
        side.Do(now => dialog.Refer("tel:+2"u8, default, now));
        Refuse(side, "407 x", Md5);
        Refuse(side, "407 x", "Digest realm=\"carrier\", nonce=\"n2\", qop=\"auth\", stale=TRUE");
        Assert.True(IsRight(side.Last, "Proxy-Authorization"));
        Refuse(side, "407 x", "Digest realm=\"carrier\", nonce=\"n3\", qop=\"auth\", stale=true");
        Assert.Equal((5, 2), (side.Sent.Count, side.Events.Count));
    }

    [Fact]
    public void Proxy_and_peer_may_both_ask()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Do(now => dialog.Info("text/plain"u8, "hello"u8, default, now));
        Refuse(side, "407 x", Md5);
        Refuse(side, "401 x", "Digest realm=\"phone\", nonce=\"n9\"");
        Assert.True(IsRight(side.Last, "Proxy-Authorization") && IsRight(side.Last, "Authorization"));
        Assert.EndsWith("Content-Length: 5\r\n\r\nhello", side.Last, StringComparison.Ordinal);
    }

    [Fact]
    public void Nonce_that_is_used_again_is_counted()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        foreach (string count in new[] { "00000001", "00000002", "00000003" })
        {
            side.Do(now => dialog.Info("text/plain"u8, "x"u8, default, now));
            Refuse(side, "407 x", Md5);
            Assert.Contains($"nc={count},cnonce=", Sipside.Header(side.Last, "Proxy-Authorization"), StringComparison.Ordinal);
            side.Receive(Sipside.Answer(side.Last, "200 OK"));
        }
    }

    [Fact]
    public void First_challenge_that_can_be_answered_is()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Do(now => dialog.Info("text/plain"u8, "x"u8, default, now));
        Refuse(side, "401 x", "Digest realm=\"r\",nonce=\"a\",algorithm=SHA-3\r\nWWW-Authenticate: Basic realm=\"r\"\r\n"
            + "WWW-Authenticate: Digest realm=\"r\",nonce=\"b\",qop=\"auth-int\"\r\nWWW-Authenticate: Digest realm=\"r\",nonce=\"c\",algorithm=SHA-256\r\nWWW-Authenticate: Digest realm=\"r\",nonce=\"d\"");
        Assert.Contains("nonce=\"c\"", Sipside.Header(side.Last, "Authorization"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Basic realm=\"r\"")]
    [InlineData("Digest realm=\"r\"")]
    [InlineData("Digest nonce=\"n\"")]
    [InlineData("Digest realm=\"r\",nonce=\"n\",algorithm=MD5-sess")]
    [InlineData("Digest realm=\"r\",nonce=\"n\",qop=\"auth-int\"")]
    [InlineData("Digest realm=\"r,nonce=\"n\"")]
    [InlineData("Digest")]
    [InlineData("")]
    public void Challenge_that_cannot_be_answered_is_a_refusal(string challenge)
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Do(now => dialog.Refer("tel:+1"u8, default, now));
        Refuse(side, "407 x", challenge);
        Assert.Equal((1, 407), (side.Sent.Count, Assert.Single(side.Events).Event.Status));
    }

    [Fact]
    public void Nonce_of_eight_thousand_bytes_is_a_refusal()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Do(now => dialog.Refer("tel:+1"u8, default, now));
        Refuse(side, "407 x", $"Digest realm=\"r\",nonce=\"{new string('n', 8_000)}\"");
        Assert.Equal((1, 407), (side.Sent.Count, Assert.Single(side.Events).Event.Status));
    }

    [Fact]
    public void Challenged_reinvite_is_acknowledged_and_offered_again()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Do(now => Assert.True(dialog.Invite("v=0\r\ns=ours\r\n"u8, default, now)));
        Refuse(side, "407 x", Md5);
        Assert.Equal(["INVITE", "ACK", "INVITE"], side.Sent.Select(s => s.Text.Split(' ')[0]));
        Assert.True(IsRight(side.Last, "Proxy-Authorization"));
        Assert.EndsWith("v=0\r\ns=ours\r\n", side.Last, StringComparison.Ordinal);
        side.Receive(Sipside.Answer(side.Last, "200 OK", "Contact: <sip:alice@192.0.2.10:5062>\r\nContent-Type: application/sdp\r\n", "v=0\r\n"));
        Assert.Equal("2 ACK", Sipside.Header(side.Last, "CSeq"));
        Assert.Equal([SipEventKind.RequestSucceeded], side.Kinds);
    }

    [Fact]
    public void Challenged_bye_is_sent_again_and_nothing_is_left_behind()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Do(now => Assert.True(dialog.Bye("Q.850;cause=16"u8, default, now)));
        Refuse(side, "407 x", Md5);
        Assert.StartsWith("BYE ", side.Last, StringComparison.Ordinal);
        Assert.True(IsRight(side.Last, "Proxy-Authorization"));
        side.Receive(Sipside.Answer(side.Last, "200 OK"));
        Assert.Equal([SipEventKind.ByeFinished], side.Kinds);
        side.Advance(120_000);
        Assert.Equal((0, 0, 0, 0), (side.Endpoint.Counters.Dialogs, side.Endpoint.Counters.ClientTransactions, side.Endpoint.Counters.ServerTransactions, side.Endpoint.Counters.Buffers));
    }

    [Fact]
    public void Without_a_login_a_challenge_is_a_refusal()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Do(now => dialog.Refer("tel:+1"u8, default, now));
        Refuse(side, "407 x", Md5);
        Assert.Equal((1, 407), (side.Sent.Count, Assert.Single(side.Events).Event.Status));
        Assert.DoesNotContain("pass", new DigestLogin("user", "pass").ToString(), StringComparison.OrdinalIgnoreCase);
    }
}
