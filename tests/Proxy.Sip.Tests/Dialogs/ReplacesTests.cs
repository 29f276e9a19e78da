using System;
using System.Linq;
using Proxy.Sip.Auth;
using Proxy.Sip.Dialogs;
using Xunit;

namespace Proxy.Sip.Tests.Dialogs;

/// <summary>RFC 3891: an INVITE that takes the place of a dialog.</summary>
public sealed class ReplacesTests
{
    private static readonly SipFlow s_stranger = new(SipTransport.Udp, 0, 0, Sipside.EndPoint("203.0.113.66:5060"));

    private static string Invite(string replaces, string branch = "z9hG4bKnew") =>
        Sipside.Invite(branch, callId: "call-2@peer", fromTag: "ft2", extra: $"Require: replaces\r\nReplaces: {replaces}\r\n");

    [Theory]
    [InlineData("call-1@peer;to-tag=OURS;from-tag=ft1", 100)]
    [InlineData("call-1@peer ;from-tag=ft1 ; to-tag=OURS;x=y", 100)]
    [InlineData("call-1@peer;to-tag=ft1;from-tag=OURS", 481)]
    [InlineData("call-1@peer;to-tag=OURS;from-tag=ft9", 481)]
    [InlineData("other@peer;to-tag=OURS;from-tag=ft1", 481)]
    [InlineData("call-1@peer;to-tag=OURS;from-tag=ft1;early-only", 486)]
    [InlineData("call-1@peer;to-tag=OURS", 400)]
    [InlineData("call-1@peer;from-tag=ft1", 400)]
    [InlineData("call-1@peer;to-tag=;from-tag=ft1", 400)]
    [InlineData(";to-tag=OURS;from-tag=ft1", 400)]
    [InlineData("call-1@peer;to-tag=OURS;from-tag=\"ft1", 400)]
    public void Invite_with_replaces_is_matched_or_refused(string replaces, int status)
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        side.Receive(Invite(replaces.Replace("OURS", dialog.LocalTag, StringComparison.Ordinal)));
        Assert.Equal([status], side.Statuses);
        Assert.Equal(status == 100 ? [SipEventKind.Invite] : Array.Empty<SipEventKind>(), side.Kinds);
        if (status == 100)
        {
            Assert.Same(dialog, side.Events[0].Dialog.Replaced);
            Assert.True(side.Events[0].Dialog.MayReplace);
        }
    }

    [Fact]
    public void Dialog_that_is_not_answered_or_is_being_hung_up_is_not_replaced()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite());
        SipDialog dialog = side.Events[0].Dialog;
        string replaces = $"call-1@peer;to-tag={dialog.LocalTag};from-tag=ft1";
        side.Receive(Invite(replaces, "z9hG4bKn1"));
        Assert.Equal(481, side.Statuses[^1]);
        side.Do(now => Assert.True(dialog.Accept("v=0\r\n"u8, default, now)));
        side.Receive(Sipside.InDialog("ACK", dialog, 1, "z9hG4bKack1"));
        side.Do(now => Assert.True(dialog.Bye(default, default, now)));
        side.Receive(Invite(replaces, "z9hG4bKn2"));
        Assert.Equal(603, side.Statuses[^1]);
    }

    [Fact]
    public void Stranger_with_all_three_ids_hears_what_it_would_hear_of_none()
    {
        using var side = new Sipside();
        SipDialog dialog = side.Establish();
        string replaces = $"call-1@peer;to-tag={dialog.LocalTag};from-tag=ft1";
        side.Receive(Invite(replaces, "z9hG4bKn1"), s_stranger);
        side.Receive(Invite("nothing@peer;to-tag=1;from-tag=2", "z9hG4bKn2"), s_stranger);
        Assert.Equal([481, 481], side.Statuses);
        Assert.Equal(1, side.Endpoint.Counters.ForeignSource);
        dialog.Login = new DigestLogin("u", "p");
        side.Receive(Invite(replaces, "z9hG4bKn3"), s_stranger);
        Assert.Equal((SipEventKind.Invite, false), (Assert.Single(side.Kinds), side.Events[0].Dialog.MayReplace));
        Assert.Same(dialog, side.Events[0].Dialog.Replaced);
        dialog.AllowedSources = [new SipSourceRange(s_stranger.Remote.Address, 32)];
        Assert.True(side.Events[0].Dialog.MayReplace);
    }
}
