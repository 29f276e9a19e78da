using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Bridge.Media;
using Proxy.Bridge.Tests.World;
using Proxy.Bridge.Transfers;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Sip;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>RFC 3891: another dialog of the caller's side takes a call over.</summary>
public sealed class ReplacesTests
{
    private readonly CallWorld _w = new();

    /// <summary>An INVITE in a dialog of its own that names the first call; its later requests are sent by <see cref="CallWorld.InDialog"/>.</summary>
    private void Replace(string? sdp = null)
    {
        string tag = _w.ToTag();
        _w.Invite(sdp ?? CallWorld.Offer(address: "198.51.100.77"), extra: $"Replaces: call-1@caller;to-tag={tag};from-tag=c1\r\n");
    }

    private int Commands(CallCommandKind kind) => _w.Media.Commands.Count(c => c.Command.Kind == kind);

    private string LastInviteResponse => _w.Sent.Last(m => m.StartsWith("SIP/2.0", StringComparison.Ordinal) && m.Contains(" INVITE\r\n", StringComparison.Ordinal));

    [Fact]
    public void New_dialog_gets_audio_and_room_and_the_old_one_a_bye()
    {
        _w.Connect();
        string tag = _w.ToTag();
        Replace();
        Assert.StartsWith("SIP/2.0 200", LastInviteResponse, StringComparison.Ordinal);
        Assert.Contains("Call-ID: call-2@caller", LastInviteResponse, StringComparison.Ordinal);
        Assert.StartsWith("BYE ", _w.LastRequest, StringComparison.Ordinal);
        Assert.Equal(("call-1@caller", true), (CallWorld.Header(_w.LastRequest, "Call-ID"), CallWorld.Header(_w.LastRequest, "From").Contains(tag, StringComparison.Ordinal)));
        _w.Answer("200 OK");
        Assert.Equal((1, 1), (Commands(CallCommandKind.StartSip), Commands(CallCommandKind.Renegotiate)));
        var audio = (SipAudio)_w.Media.Commands.Last(c => c.Command.Kind == CallCommandKind.Renegotiate).Command.Payload!;
        Assert.Equal("198.51.100.77:4000", audio.Remote.ToString());
        Assert.Equal((1, 1, 1, false), (_w.Calls.Count, _w.Rooms.Legs.Count, _w.Media.Out, _w.Room.WasLeft));
        _w.Ack();
        _w.Advance(TimeSpan.FromSeconds(40));
        Assert.Empty(_w.Records);
        _w.InDialog("INFO", 2, "f", "Signal=5\r\n", "Content-Type: application/dtmf-relay\r\n");
        Assert.Equal(['5'], _w.Room.Digits);
        _w.InDialog("BYE", 3, "b");
        _w.Farewell();
        Assert.Equal(("hangup", "caller", "call-1@caller", 0), (_w.Record.Code, _w.Record.EndedBy, _w.Record.SipCallId, _w.Calls.Count));
        Assert.Equal(("replaces", "call-2@caller", "replaced"), (_w.Record.Transfers[0].By, _w.Record.Transfers[0].Target, _w.Record.Transfers[0].Result));
    }

    [Fact]
    public void Offerless_invite_takes_over_with_its_ack()
    {
        _w.Connect();
        string tag = _w.ToTag();
        _w.Receive("INVITE sip:203.0.113.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKo\r\nMax-Forwards: 70\r\nFrom: <sip:b@x>;tag=n1\r\nTo: <sip:203.0.113.1>\r\n"
            + $"Call-ID: new@b\r\nCSeq: 1 INVITE\r\nContact: <sip:b@198.51.100.7>\r\nReplaces: call-1@caller;to-tag={tag};from-tag=c1\r\nContent-Length: 0\r\n\r\n");
        Assert.Contains("m=audio", LastInviteResponse, StringComparison.Ordinal);
        Assert.Equal(0, Commands(CallCommandKind.Renegotiate));
        string answer = CallWorld.Offer(address: "198.51.100.78");
        _w.Receive($"ACK sip:203.0.113.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKo2\r\nMax-Forwards: 70\r\nFrom: <sip:b@x>;tag=n1\r\nTo: <sip:203.0.113.1>;tag={_w.ToTag()}\r\n"
            + $"Call-ID: new@b\r\nCSeq: 1 ACK\r\nContent-Type: application/sdp\r\nContent-Length: {answer.Length}\r\n\r\n{answer}");
        var audio = (SipAudio)_w.Media.Commands.Last(c => c.Command.Kind == CallCommandKind.Renegotiate).Command.Payload!;
        Assert.Equal("198.51.100.78:4000", audio.Remote.ToString());
    }

    [Fact]
    public void Offer_that_cannot_be_taken_leaves_the_call_as_it_was()
    {
        _w.Connect();
        Replace(CallWorld.Offer(formats: "18"));
        Assert.Contains(488, _w.InviteStatuses);
        Assert.DoesNotContain(_w.Sent, m => m.StartsWith("BYE ", StringComparison.Ordinal));
        Assert.Equal((1, "media_not_acceptable"), (_w.Calls.Count, _w.Record.Code));
    }

    [Fact]
    public void Transfer_that_was_under_way_ends_with_the_old_dialog_and_the_next_refer_goes_to_the_new_one()
    {
        _w.Connect();
        var outcomes = new List<TransferOutcome>();
        var request = new TransferRequest("tel:+1", [], false, default);
        _w.Calls.Transfer("room", "sip_1", request, outcomes.Add, _w.Now);
        _w.Poke();
        _w.Answer("202 Accepted");
        Replace();
        Assert.Equal(TransferResult.CallEnded, Assert.Single(outcomes).Result);
        _w.Answer("200 OK");
        _w.Ack();
        Assert.Equal(["call_ended", "replaced"], _w.Transfers.Select(t => t.Result));
        _w.Calls.Transfer("room", "sip_1", request, outcomes.Add, _w.Now);
        _w.Poke();
        Assert.StartsWith("REFER ", _w.LastRequest, StringComparison.Ordinal);
        Assert.Equal("call-2@caller", CallWorld.Header(_w.LastRequest, "Call-ID"));
    }

    [Theory]
    [InlineData("ask", 407)]
    [InlineData("wrong", 403)]
    [InlineData("right", 200)]
    public void Other_source_proves_the_trunks_credentials(string outcome, int status)
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        var login = new TrunkLogin("u", "p");
        _w.Decision = f => join(f) with { Login = login, Caps = [new CapClaim(CapScope.Trunk, "ST_1", 1, 0)] };
        _w.Connect();
        string tag = _w.ToTag();
        _w.Proof = (f, trunk) => outcome switch
        {
            "ask" => new Verdict { Kind = VerdictKind.Challenge, SipStatus = 407, Challenge = new DigestChallenge("LiveKit", "n1", "MD5", false) },
            "wrong" => Verdict.Refuse(RefusalCode.BadCredentials, "wrong", Refusals.Default),
            _ => new Verdict { Kind = VerdictKind.Join, TrunkId = trunk },
        };
        Assert.True(NetEndPoint.TryParse("203.0.113.66:5060", out NetEndPoint stranger));
        string offer = CallWorld.Offer();
        _w.Receive("INVITE sip:203.0.113.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.66:5060;branch=z9hG4bKs\r\nMax-Forwards: 70\r\nFrom: <sip:b@x>;tag=n1\r\nTo: <sip:203.0.113.1>\r\n"
            + $"Call-ID: new@b\r\nCSeq: 1 INVITE\r\nContact: <sip:b@203.0.113.66>\r\nReplaces: call-1@caller;to-tag={tag};from-tag=c1\r\n"
            + $"Content-Type: application/sdp\r\nContent-Length: {offer.Length}\r\n\r\n{offer}", new SipFlow(SipTransport.Udp, 0, 0, stranger));
        Assert.StartsWith($"SIP/2.0 {status}", LastInviteResponse, StringComparison.Ordinal);
        Assert.Equal(stranger, _w.Facts.Source);
        Assert.Equal(status == 200, _w.Sent.Any(m => m.StartsWith("BYE ", StringComparison.Ordinal)));
        Assert.Equal((1, 1), (_w.Calls.Count, _w.Caps.Running(CapScope.Trunk, "ST_1")));
        Assert.Equal(status == 200 ? 0 : 1, _w.Records.Count);
    }
}
