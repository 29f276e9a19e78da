using System;
using System.Text;
using Proxy.Bridge.Tests.World;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Trunks;
using Proxy.Sip;
using Proxy.Sip.Parsing;
using Xunit;

namespace Proxy.Bridge.Tests;

/// <summary>Behind an SBC: whose address counts, in the facts alone and on the whole path of a call.</summary>
public sealed class SourceRecoveryTests
{
    private static readonly SourceRecovery s_via = new([Range("192.0.2.0", 28), Range("2001:db8::", 64)], "via");
    private static readonly SourceRecovery s_header = new([Range("192.0.2.0", 28)], "header:X-Source");

    private static SipSourceRange Range(string network, int bits)
    {
        Assert.True(NetAddress.TryParse(network, out NetAddress address));
        return new SipSourceRange(address, bits);
    }

    private static NetEndPoint At(string text)
    {
        Assert.True(NetEndPoint.TryParse(text, out NetEndPoint endPoint));
        return endPoint;
    }

    private static string Invite(string headers, int number = 1, string to = "+15550100", string extra = "") =>
        $"INVITE sip:{to}@203.0.113.1 SIP/2.0\r\n{headers}Max-Forwards: 70\r\nFrom: <sip:+15550199@carrier.example>;tag=c{number}\r\nTo: <sip:{to}@203.0.113.1>\r\n"
        + $"Call-ID: call-{number}@caller\r\nCSeq: 1 INVITE\r\nContact: <sip:c@198.51.100.7>\r\n{extra}Content-Type: application/sdp\r\nContent-Length: {CallWorld.Offer().Length}\r\n\r\n{CallWorld.Offer()}";

    private static string Found(SourceRecovery sources, string packet, string headers)
    {
        Assert.True(SipMessageView.TryParse(Encoding.UTF8.GetBytes(Invite(headers)), out SipMessageView message, out SipParseError problem), problem.ToString());
        return sources.Find(message, At(packet)).ToString();
    }

    private const string ProxyVia = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKp1\r\n";

    [Theory]
    [InlineData("Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKc\r\n", "198.51.100.7:5070")]
    [InlineData("Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKc\r\n", "198.51.100.7:5060")]
    [InlineData("Via: SIP/2.0/UDP 10.0.0.1:5060;received=198.51.100.7;rport=1024;branch=z9hG4bKc\r\n", "198.51.100.7:1024")]
    [InlineData("v: SIP/2.0/TCP gw.carrier.example;branch=z9hG4bKc;received=198.51.100.7\r\n", "198.51.100.7:5060")]
    [InlineData("Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKq, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKc;received=198.51.100.7\r\n", "198.51.100.7:5060")]
    [InlineData("Via: SIP/2.0/TLS [2001:db8::5]:5061;branch=z9hG4bKq\r\nVia: SIP/2.0/UDP [2001:db8:ffff::7]:5062;branch=z9hG4bKc\r\n", "[2001:db8:ffff::7]:5062")]
    public void The_first_hop_that_is_not_trusted_is_the_source(string below, string expected) =>
        Assert.Equal(expected, Found(s_via, "192.0.2.1:5060", ProxyVia + below));

    [Theory]
    // The carrier pretends that a hop of ours stood behind it: below an untrusted hop nothing counts.
    [InlineData("Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKc\r\nVia: SIP/2.0/UDP 203.0.113.99;branch=z9hG4bKf\r\n", "198.51.100.7:5060")]
    // received twice: one of the two was there before the proxy.
    [InlineData("Via: SIP/2.0/UDP 10.0.0.1;received=203.0.113.99;branch=z9hG4bKc;received=198.51.100.7\r\n", "192.0.2.1:5060")]
    [InlineData("Via: SIP/2.0/UDP gw.carrier.example;branch=z9hG4bKc\r\n", "192.0.2.1:5060")]
    [InlineData("Via: SIP/2.0/UDP 10.0.0.1;received=nonsense;branch=z9hG4bKc\r\n", "192.0.2.1:5060")]
    [InlineData("", "192.0.2.1:5060")]
    public void What_may_be_invented_is_not_believed(string below, string expected) =>
        Assert.Equal(expected, Found(s_via, "192.0.2.1:5060", ProxyVia + below));

    [Theory]
    [InlineData("192.0.2.1:5060", "X-Source: 198.51.100.7\r\n", "198.51.100.7:5060")]
    [InlineData("192.0.2.1:5060", "x-source: [2001:db8::7]:5071\r\n", "[2001:db8::7]:5071")]
    [InlineData("192.0.2.1:5060", "X-Source: 198.51.100.7:1024\r\n", "198.51.100.7:1024")]
    [InlineData("192.0.2.1:5060", "X-Source: 203.0.113.99\r\nX-Source: 198.51.100.7\r\n", "192.0.2.1:5060")]
    [InlineData("192.0.2.1:5060", "X-Source: 203.0.113.99, 198.51.100.7\r\n", "192.0.2.1:5060")]
    [InlineData("192.0.2.1:5060", "X-Source-Two: 203.0.113.99\r\n", "192.0.2.1:5060")]
    [InlineData("198.51.100.66:5060", "X-Source: 203.0.113.99\r\n", "198.51.100.66:5060")]
    [InlineData("192.0.2.77:5060", "X-Source: 203.0.113.99\r\n", "192.0.2.77:5060")]
    public void A_header_counts_once_and_from_a_trusted_proxy_alone(string packet, string header, string expected) =>
        Assert.Equal(expected, Found(s_header, packet, ProxyVia + header));

    [Fact]
    public void A_stranger_with_two_Vias_is_itself() =>
        Assert.Equal("198.51.100.66:5060", Found(s_via, "198.51.100.66:5060", ProxyVia + "Via: SIP/2.0/UDP 203.0.113.99;branch=z9hG4bKc\r\n"));

    [Theory]
    [InlineData("192.0.2.1", "198.51.100.7", true)]
    [InlineData("192.0.2.1", "203.0.113.99", false)]
    // The same words from a source that is not trusted: the packet's address is checked, and it is in no trunk.
    [InlineData("203.0.113.66", "198.51.100.7", false)]
    public void The_carriers_address_is_checked_limited_and_recorded(string packet, string carrier, bool isTaken)
    {
        (CallWorld w, _) = World();
        string below = $"Via: SIP/2.0/UDP {carrier};branch=z9hG4bKc1\r\n";
        w.Receive(Invite($"Via: SIP/2.0/UDP {packet}:5060;branch=z9hG4bKp1\r\n" + below), new SipFlow(SipTransport.Udp, 0, 0, At(packet + ":5060")));
        if (isTaken)
        {
            Assert.Equal("lobby", w.Room.Request!.Room);
            Assert.Equal(1, w.Caps.Running(Proxy.Policy.Caps.CapScope.Trunk, "ST_1"));
            // In the dialog the proxies speak for the carrier, whichever of them it is.
            w.Receive(Cancel(packet), new SipFlow(SipTransport.Udp, 0, 0, At(packet + ":5060")));
            w.Farewell();
        }
        else
        {
            Assert.Equal(403, w.Record.SipStatus);
            Assert.Contains($"address {(packet == "192.0.2.1" ? carrier : packet)} is not in allowed_addresses", w.Record.Explanation);
        }
        Assert.Equal(packet == "192.0.2.1" ? carrier + ":5060" : packet + ":5060", w.Record.Source);
        Assert.Equal(packet == "192.0.2.1" ? packet + ":5060" : "", w.Record.Proxy);
    }

    [Fact]
    public void Wrong_passwords_lock_out_the_carrier_behind_the_proxy_and_nobody_else_behind_it()
    {
        (CallWorld w, string number) = World(hasAuth: true);
        int call = 0;
        string Ask(string carrier, string credentials)
        {
            call++;
            w.Receive(
                Invite($"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKp{call}\r\nVia: SIP/2.0/UDP {carrier};branch=z9hG4bKc{call}\r\n", call, number, credentials),
                new SipFlow(SipTransport.Udp, 0, 0, At("192.0.2.1:5060")));
            return w.Last;
        }
        string challenge = Ask("203.0.113.5", "");
        int at = challenge.IndexOf("nonce=\"", StringComparison.Ordinal) + 7;
        string nonce = challenge[at..challenge.IndexOf('"', at)];
        string wrong = $"Proxy-Authorization: Digest username=\"u\", realm=\"LiveKit\", nonce=\"{nonce}\", uri=\"sip:x\", response=\"00000000000000000000000000000000\", algorithm=MD5\r\n";
        for (int i = 0; i < 60; i++)
        {
            Ask("203.0.113.5", wrong);
        }
        Assert.Equal("locked_out", w.Records[^1].Code);
        Ask("203.0.113.6", wrong);
        Assert.Equal("bad_credentials", w.Records[^1].Code);
        Assert.Equal("203.0.113.6:5060", w.Records[^1].Source);
    }

    private static (CallWorld World, string Number) World(bool hasAuth = false)
    {
        const string Number = "+15550100";
        var w = new CallWorld(sources: s_via);
        var objects = new PolicyObjects
        {
            Trunks = [new Trunk
            {
                Id = "ST_1",
                Numbers = [Number],
                AllowedAddresses = hasAuth ? [] : ["198.51.100.0/24"],
                AuthUsername = hasAuth ? "u" : "",
                AuthPassword = hasAuth ? "p" : "",
            }],
            Rules = [new Proxy.Policy.Dispatch.DispatchRule { Id = "SDR_1", Kind = Proxy.Policy.Dispatch.RuleKind.Direct, Room = "lobby" }],
        };
        var policy = new RulePolicy(new Store(PolicySnapshot.Build(objects, 1)), new PolicySettings { Secret = Encoding.UTF8.GetBytes("secret of the tests, long enough") });
        w.Deciding = (facts, limits, trace) => policy.Decide(facts, limits, trace);
        return (w, Number);
    }

    private static string Cancel(string packet) =>
        $"CANCEL sip:+15550100@203.0.113.1 SIP/2.0\r\nVia: SIP/2.0/UDP {packet}:5060;branch=z9hG4bKp1\r\nMax-Forwards: 70\r\nFrom: <sip:+15550199@carrier.example>;tag=c1\r\n"
        + "To: <sip:+15550100@203.0.113.1>\r\nCall-ID: call-1@caller\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n";

    private sealed class Store(PolicySnapshot snapshot) : IRuleStore
    {
        public PolicySnapshot Current => snapshot;
    }
}
