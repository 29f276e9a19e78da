using System;
using System.Linq;
using Proxy.Sip.Dialogs;
using Xunit;

namespace Proxy.Sip.Tests.Dialogs;

/// <summary>RFC 3262.</summary>
public sealed class ReliableProvisionalTests
{
    [Fact]
    public void Required_180_is_repeated_until_prack()
    {
        using var side = new Sipside();
        SipDialog dialog = Ring(side, "Require: 100rel\r\n");
        Assert.Equal("100rel", Sipside.Header(side.Last, "Require"));
        side.Advance(1_600);
        Assert.Equal([100, 180, 180, 180], side.Statuses);
        side.Receive(Prack(dialog, side.Last));
        side.Advance(20_000);
        Assert.Equal([100, 180, 180, 180, 200], side.Statuses);
        side.Do(now => Assert.True(dialog.Ring(now)));
        Assert.Equal(5, side.Sent.Count);
        side.Do(now => Assert.True(dialog.Accept("v=0\r\n"u8, default, now)));
        Assert.Equal(200, side.Statuses[^1]);
        Assert.Contains(SipEventKind.Prack, side.Kinds);
    }

    [Fact]
    public void Early_media_is_reliable_by_choice_and_the_200_waits_for_its_prack()
    {
        using var side = new Sipside();
        SipDialog dialog = Ring(side, "Supported: 100rel\r\n");
        Assert.Equal("", Sipside.Header(side.Last, "RSeq"));
        side.Do(now => Assert.True(dialog.Progress("v=early\r\n"u8, now)));
        Assert.NotEqual("", Sipside.Header(side.Last, "RSeq"));
        string progress = side.Last;
        side.Do(now => Assert.True(dialog.Accept("v=0\r\n"u8, default, now)));
        Assert.Equal([100, 180, 183], side.Statuses);
        side.Receive(Prack(dialog, progress));
        Assert.Equal([100, 180, 183, 200, 200], side.Statuses);
        Assert.EndsWith("INVITE", Sipside.Header(side.Last, "CSeq"));
        Assert.Equal(SipDialogState.Confirmed, dialog.State);
    }

    [Fact]
    public void Without_prack_the_call_is_refused_after_64_t1()
    {
        using var side = new Sipside();
        Ring(side, "Require: 100rel\r\n");
        long start = side.Now.Micros / 1000;
        side.Advance(33_000);
        Assert.Equal([0L, 500, 1500, 3500, 7500, 15500, 31500, 32000], side.Sent.Skip(1).Select(s => s.At - start).Take(8));
        Assert.Contains(504, side.Statuses);
        Assert.Equal(SipEventKind.PrackTimeout, side.Kinds[^1]);
    }

    [Fact]
    public void Prack_of_another_response_gives_481()
    {
        using var side = new Sipside();
        SipDialog dialog = Ring(side, "Require: 100rel\r\n");
        side.Receive(Sipside.InDialog("PRACK", dialog, 2, "z9hG4bKp", "RAck: 77777777 1 INVITE\r\n"));
        Assert.Equal(481, side.Statuses[^1]);
    }

    [Fact]
    public void Without_100rel_nothing_is_reliable()
    {
        using var side = new Sipside();
        SipDialog dialog = Ring(side, "");
        side.Do(now => dialog.Progress("v=early\r\n"u8, now));
        side.Advance(10_000);
        Assert.Equal([100, 180, 183], side.Statuses);
        Assert.Equal("", Sipside.Header(side.Last, "Require"));
    }

    private static SipDialog Ring(Sipside side, string extra)
    {
        side.Receive(Sipside.Invite(extra: extra));
        SipDialog dialog = side.Events[0].Dialog;
        side.Do(now => Assert.True(dialog.Ring(now)));
        return dialog;
    }

    private static string Prack(SipDialog dialog, string response) =>
        Sipside.InDialog("PRACK", dialog, 2, "z9hG4bKprack", $"RAck: {Sipside.Header(response, "RSeq")} 1 INVITE\r\n");
}
