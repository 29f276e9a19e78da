using System;
using System.Linq;
using Proxy.Bridge.Media;
using Proxy.Bridge.Tests.World;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Sip;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>Requests of a call from an address that has no part in it: the call asks the policy about the credentials of its trunk.</summary>
public sealed class ForeignRequestTests
{
    private readonly CallWorld _w = new();

    private void Connect(bool hasLogin)
    {
        Func<CallFacts, Verdict> join = _w.Decision;
        _w.Decision = f => join(f) with { Login = hasLogin ? new TrunkLogin("u", "p") : null };
        _w.Connect();
    }

    private string Send(string method, int cseq, string extra = "", string body = "", string from = "203.0.113.66")
    {
        Assert.True(NetEndPoint.TryParse(from + ":5060", out NetEndPoint stranger));
        string type = body.Length > 0 ? "Content-Type: application/sdp\r\n" : "";
        _w.Receive($"{method} sip:203.0.113.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from}:5060;branch=z9hG4bKs{cseq}\r\nMax-Forwards: 70\r\nFrom: <sip:+15550199@198.51.100.7>;tag=c1\r\n"
            + $"To: <sip:+15550100@203.0.113.1>;tag={_w.ToTag()}\r\nCall-ID: call-1@caller\r\nCSeq: {cseq} {method}\r\nContact: <sip:+15550199@{from}>\r\n"
            + $"{extra}{type}Content-Length: {body.Length}\r\n\r\n{body}", new SipFlow(SipTransport.Udp, 0, 0, stranger));
        return _w.Last;
    }

    [Fact]
    public void Without_credentials_of_the_trunk_nobody_is_asked()
    {
        Connect(hasLogin: false);
        _w.Proof = (_, _) => throw new InvalidOperationException("asked");
        Assert.StartsWith("SIP/2.0 481", Send("BYE", 9), StringComparison.Ordinal);
        Assert.Empty(_w.Records);
    }

    [Fact]
    public void Foreign_bye_is_challenged_and_ends_the_call_when_the_policy_is_satisfied()
    {
        Connect(hasLogin: true);
        var challenge = new Verdict { Kind = VerdictKind.Challenge, SipStatus = 407, Challenge = new DigestChallenge("LiveKit", "n1", "SHA-256", false) };
        _w.Proof = (facts, trunk) => (facts.Method, trunk, facts.Credentials?.UserName) == ("BYE", "ST_1", "u") ? new Verdict { Kind = VerdictKind.Join } : challenge;
        string asked = Send("BYE", 8);
        Assert.Equal("Digest realm=\"LiveKit\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"", CallWorld.Header(asked, "Proxy-Authenticate"));
        Assert.Equal("203.0.113.66:5060", _w.Facts.Source.ToString());
        Assert.StartsWith("SIP/2.0 200", Send("BYE", 9, "Proxy-Authorization: Digest username=\"u\", realm=\"LiveKit\", nonce=\"n1\", uri=\"sip:x\", response=\"00000000000000000000000000000000\"\r\n"), StringComparison.Ordinal);
        _w.Farewell();
        Assert.Equal(("hangup", "caller"), (_w.Record.Code, _w.Record.EndedBy));
    }

    [Fact]
    public void Phone_that_changed_its_network_takes_its_audio_along()
    {
        Connect(hasLogin: true);
        _w.Proof = (_, _) => new Verdict { Kind = VerdictKind.Join };
        Assert.StartsWith("SIP/2.0 200", Send("INVITE", 5, body: CallWorld.Offer(address: "203.0.113.66")), StringComparison.Ordinal);
        var audio = (SipAudio)_w.Media.Commands.Last(c => c.Command.Kind == CallCommandKind.Renegotiate).Command.Payload!;
        Assert.Equal(("203.0.113.66", "203.0.113.66:4000"), (audio.SignallingSource.ToString(), audio.Remote.ToString()));
    }
}
