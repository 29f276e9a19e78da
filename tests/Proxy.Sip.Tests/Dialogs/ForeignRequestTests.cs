using System;
using System.Linq;
using System.Text;
using Proxy.Core;
using Proxy.Core.Time;
using Proxy.Sip.Dialogs;
using Proxy.Sip.Guarding;
using Proxy.Sip.Parsing;
using Xunit;

namespace Proxy.Sip.Tests.Dialogs;

/// <summary>Requests inside a dialog from addresses that have no part in it, where the call's trunk has credentials (RFC 3261 §22).</summary>
public sealed class ForeignRequestTests
{
    private const string Elsewhere = "203.0.113.66:5060";
    private const string Proof = "Proxy-Authorization: Digest username=\"u\"\r\n";

    private static SipFlow From(string address) => new(SipTransport.Udp, 0, 0, Sipside.EndPoint(address));

    private static SipDialog Establish(Sipside side)
    {
        SipDialog dialog = side.Establish();
        dialog.Judge = new Judge();
        return dialog;
    }

    [Fact]
    public void Foreign_request_is_asked_for_the_trunks_credentials_and_leaves_no_state()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Receive(Sipside.InDialog("BYE", dialog, 2, "z9hG4bKf1"), From(Elsewhere));
        Assert.Equal([407], side.Statuses);
        Assert.Equal("Digest realm=\"r\", nonce=\"BYE\"", Sipside.Header(side.Last, "Proxy-Authenticate"));
        Assert.Equal(From(Elsewhere).Remote, side.Sent[^1].Flow.Remote);
        Assert.Equal((SipDialogState.Confirmed, 1L, 0L), (dialog.State, side.Endpoint.Counters.ForeignChallenged, side.Endpoint.Counters.ForeignSource));
        int transactions = side.Endpoint.Counters.ServerTransactions;
        side.Advance(64_000);
        Assert.True(side.Endpoint.Counters.ServerTransactions <= transactions);
        Assert.Single(side.Sent);
        Assert.Empty(side.Events);
    }

    [Fact]
    public void Foreign_bye_with_the_right_answer_ends_the_call()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Receive(Sipside.InDialog("BYE", dialog, 3, "z9hG4bKf2", Proof), From(Elsewhere));
        Assert.Equal([200], side.Statuses);
        Assert.Equal([SipEventKind.ByeReceived], side.Kinds);
        Assert.Equal(1, side.Endpoint.Counters.ForeignProven);
    }

    [Fact]
    public void Wrong_answer_hears_what_a_stranger_hears_of_no_dialog()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Receive(Sipside.InDialog("BYE", dialog, 2, "z9hG4bKf1", "Proxy-Authorization: Digest username=\"x\"\r\n"), From(Elsewhere));
        string wrong = side.Last.Split("\r\n")[0];
        side.Receive(Sipside.Invite("z9hG4bKf2", "no-such-call", toTag: dialog.LocalTag, cseq: 2, method: "BYE", body: ""), From(Elsewhere));
        Assert.Equal([481, 481], side.Statuses);
        Assert.Equal(wrong, side.Last.Split("\r\n")[0]);
        Assert.Equal((1L, SipDialogState.Confirmed), (side.Endpoint.Counters.ForeignSource, dialog.State));
        Assert.DoesNotContain("Authenticate", side.Last, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_who_knows_all_three_ids_is_asked()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Receive(Sipside.Invite("z9hG4bKf1", fromTag: "other", toTag: dialog.LocalTag, cseq: 2, method: "BYE", body: ""), From(Elsewhere));
        side.Receive(Sipside.Invite("z9hG4bKf2", toTag: "SCL_doesnotexist", cseq: 2, method: "BYE", body: ""), From(Elsewhere));
        Assert.Equal([481, 481], side.Statuses);
        Assert.Equal(0, side.Endpoint.Counters.ForeignChallenged);
    }

    [Fact]
    public void Ack_and_cancel_are_never_asked_for_credentials()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Receive(Sipside.InDialog("ACK", dialog, 1, "z9hG4bKf1"), From(Elsewhere));
        side.Receive(Sipside.InDialog("CANCEL", dialog, 1, "z9hG4bKf2"), From(Elsewhere));
        Assert.Equal([481], side.Statuses);
        Assert.Equal((0L, 1L), (side.Endpoint.Counters.ForeignChallenged, side.Endpoint.Counters.StrayAcks));
    }

    [Fact]
    public void Reinvite_that_proves_itself_takes_the_call_to_its_new_address()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Receive(Sipside.InDialog("INVITE", dialog, 2, "z9hG4bKf1", body: "v=0\r\n"), From(Elsewhere));
        side.Receive(Sipside.InDialog("INVITE", dialog, 3, "z9hG4bKf2", Proof, "v=0\r\n"), From(Elsewhere));
        Assert.Equal([407, 100], side.Statuses);
        Assert.Equal(Sipside.Peer, dialog.Flow.Remote);
        side.Do(now => Assert.True(dialog.Respond(side.Events[^1].Event.Request, 200, "v=0\r\n"u8, default, now)));
        Assert.Equal(From(Elsewhere).Remote, dialog.Flow.Remote);
        side.Receive(Sipside.InDialog("ACK", dialog, 3, "z9hG4bKf3"), From(Elsewhere));
        Assert.Equal([SipEventKind.ReInvite, SipEventKind.Confirmed], side.Kinds);
        side.Advance(64_000);
        Assert.DoesNotContain(SipEventKind.AckTimeout, side.Kinds);
        // The place that the caller left has no part in the call any more.
        side.Receive(Sipside.InDialog("BYE", dialog, 4, "z9hG4bKf4"));
        Assert.Equal(407, side.Statuses[^1]);
    }

    [Fact]
    public void Reinvite_that_proves_itself_and_is_refused_leaves_the_flow_where_it_was()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Receive(Sipside.InDialog("INVITE", dialog, 2, "z9hG4bKf1", Proof, "v=0\r\n"), From(Elsewhere));
        side.Do(now => dialog.Respond(side.Events[^1].Event.Request, 488, default, default, now));
        Assert.Equal((488, From(Elsewhere).Remote), (side.Statuses[^1], side.Sent[^1].Flow.Remote));
        Assert.Equal(Sipside.Peer, dialog.Flow.Remote);
    }

    [Fact]
    public void Address_that_proved_itself_is_not_asked_again_but_the_next_one_is()
    {
        using var side = new Sipside();
        SipDialog dialog = Establish(side);
        side.Receive(Sipside.InDialog("OPTIONS", dialog, 2, "z9hG4bKf1", Proof), From(Elsewhere));
        side.Receive(Sipside.InDialog("OPTIONS", dialog, 3, "z9hG4bKf2"), From(Elsewhere));
        side.Receive(Sipside.InDialog("OPTIONS", dialog, 4, "z9hG4bKf3"), From("203.0.113.67:5060"));
        Assert.Equal([200, 200, 407], side.Statuses);
    }

    [Fact]
    public void Challenge_of_a_foreign_request_is_no_longer_than_the_request()
    {
        using var side = new Sipside(o => o with { Guard = new SourceGuard(GuardOptions.From(new Limits(), a => a == Sipside.Peer.Address)) });
        SipDialog dialog = Establish(side);
        string whole = Sipside.InDialog("BYE", dialog, 2, "z9hG4bKf1");
        string terse = whole.Replace("f1;", "f2;", StringComparison.Ordinal).Replace("Contact: <sip:alice@192.0.2.10:5062>\r\n", "", StringComparison.Ordinal)
            .Replace("Max-Forwards: 70\r\n", "", StringComparison.Ordinal).Replace("\"Alice\" ", "", StringComparison.Ordinal);
        foreach (string request in new[] { whole, terse })
        {
            int before = side.Sent.Count;
            side.Receive(request, From(Elsewhere));
            Assert.True(side.Sent.Skip(before).Sum(s => s.Text.Length) <= request.Length);
        }
        Assert.Equal(407, side.Statuses[0]);
    }

    /// <summary>The password is right where the user is "u".</summary>
    private sealed class Judge : IForeignJudge
    {
        ForeignVerdict IForeignJudge.Judge(in SipMessageView request, in SipFlow flow, MonoTime now, out byte[] challenge)
        {
            challenge = Encoding.ASCII.GetBytes($"Digest realm=\"r\", nonce=\"{Encoding.ASCII.GetString(request.MethodText)}\"");
            return !request.TryGetHeader(SipHeaderId.ProxyAuthorization, out ReadOnlySpan<byte> value) ? ForeignVerdict.Ask
                : value.SequenceEqual("Digest username=\"u\""u8) ? ForeignVerdict.Take
                : ForeignVerdict.Refuse;
        }
    }
}
