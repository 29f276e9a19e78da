using System;
using System.IO;
using System.Linq;
using System.Text;
using Proxy.Core;
using Proxy.Sip.Parsing;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sip.Tests;

public sealed class SipEndpointTests
{
    [Fact]
    public void Options_tells_the_truth()
    {
        using var side = new Sipside(o => o with { ServerHeader = "siproom" });
        side.Receive(Sipside.Invite(method: "OPTIONS", body: ""));
        Assert.Equal([200], side.Statuses);
        Assert.Equal("INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY", Sipside.Header(side.Last, "Allow"));
        Assert.Equal("100rel, timer, replaces", Sipside.Header(side.Last, "Supported"));
        Assert.Contains("application/sdp", Sipside.Header(side.Last, "Accept"));
        Assert.Equal("siproom", Sipside.Header(side.Last, "Server"));
        Assert.Contains(";tag=", Sipside.Header(side.Last, "To"));
    }

    [Fact]
    public void Draining_answers_options_with_503_and_leaves_calls_to_the_owner()
    {
        using var side = new Sipside(o => o with { RetryAfterSeconds = 30 });
        side.Endpoint.IsDraining = true;
        side.Receive(Sipside.Invite("z9hG4bKo", "opt", method: "OPTIONS", body: ""));
        Assert.Equal([503], side.Statuses);
        Assert.Equal("30", Sipside.Header(side.Last, "Retry-After"));
        side.Receive(Sipside.Invite("z9hG4bKn", "new"));
        Assert.Equal([503, 100], side.Statuses);
        side.Endpoint.IsDraining = false;
        side.Receive(Sipside.Invite("z9hG4bKp", "opt", method: "OPTIONS", body: ""));
        Assert.Equal([503, 100, 200], side.Statuses);
    }

    [Fact]
    public void Overload_refuses_new_calls_and_options_but_not_running_calls()
    {
        using var side = new Sipside(o => o with { RetryAfterSeconds = 30 });
        var dialog = side.Establish();
        side.Endpoint.IsOverloaded = true;
        side.Receive(Sipside.Invite("z9hG4bKn", "new"));
        side.Receive(Sipside.Invite("z9hG4bKo", "opt", method: "OPTIONS", body: ""));
        Assert.Equal([503, 503], side.Statuses);
        Assert.Equal("30", Sipside.Header(side.Last, "Retry-After"));
        side.Receive(Sipside.InDialog("BYE", dialog, 2, "z9hG4bKb"));
        Assert.Equal(200, side.Statuses[^1]);
        Assert.Equal(2, side.Endpoint.Counters.Overload);
    }

    [Fact]
    public void Contact_over_tls_gives_the_name_that_the_certificate_was_made_for()
    {
        using var side = new Sipside(o => o with { Listeners = [.. o.Listeners[..2], o.Listeners[2] with { Host = "sip.carrier.example" }] });
        var flow = new SipFlow(SipTransport.Tls, 2, 9, Sipside.Peer);
        side.Receive(Sipside.Invite(transport: "TLS"), flow);
        side.Events[^1].Dialog.Ring(side.Now);
        side.Drain();
        Assert.Equal("<sip:sip.carrier.example:5061;transport=tls>", Sipside.Header(side.Last, "Contact"));
        side.Receive(Sipside.Invite("z9hG4bKudp", "udp"));
        side.Events[^1].Dialog.Ring(side.Now);
        side.Drain();
        Assert.Equal("<sip:198.51.100.1:5060>", Sipside.Header(side.Last, "Contact"));
    }

    [Fact]
    public void Invite_that_is_refused_without_a_call_is_told_of_once()
    {
        using var side = new Sipside(o => o with { Limits = new Limits { SipTransactions = 1, CallsMax = 100 } });
        side.Receive(Sipside.Invite("z9hG4bKu", "u", extra: "Require: x-rocket\r\n"));
        Assert.True(side.Endpoint.TryPollRefusal(out SipRefusal refusal));
        Assert.Equal(new SipRefusal(420, SipParseError.None, SipRefusalCause.Request), refusal);
        Assert.False(side.Endpoint.TryPollRefusal(out _));
        side.Receive(Sipside.Invite("z9hG4bKm", "m").Replace("Max-Forwards: 70", "Max-Forwards: many", StringComparison.Ordinal));
        Assert.True(side.Endpoint.TryPollRefusal(out refusal));
        Assert.Equal(new SipRefusal(400, SipParseError.BadMaxForwards, SipRefusalCause.Request), refusal);
        side.Endpoint.IsOverloaded = true;
        side.Receive(Sipside.Invite("z9hG4bKo", "o"));
        Assert.True(side.Endpoint.TryPollRefusal(out refusal));
        Assert.Equal(new SipRefusal(503, SipParseError.None, SipRefusalCause.Overload), refusal);
        side.Endpoint.IsOverloaded = false;
        side.Receive(Sipside.Invite("z9hG4bKa", "a"));
        Assert.False(side.Endpoint.TryPollRefusal(out _));
        side.Receive(Sipside.Invite("z9hG4bKb", "b"));
        Assert.True(side.Endpoint.TryPollRefusal(out refusal));
        Assert.Equal(new SipRefusal(503, SipParseError.None, SipRefusalCause.TableFull), refusal);
        side.Receive(Sipside.Invite("z9hG4bKc", "c", method: "REGISTER", body: ""));
        Assert.False(side.Endpoint.TryPollRefusal(out _));
    }

    [Fact]
    public void Full_transaction_table_gives_503_without_state()
    {
        using var side = new Sipside(o => o with { Limits = new Limits { SipTransactions = 3, CallsMax = 100 } });
        for (int i = 0; i < 5; i++)
        {
            side.Receive(Sipside.Invite("z9hG4bKn" + i, "call" + i));
        }
        Assert.Equal([100, 100, 100, 503, 503], side.Statuses);
        Assert.Equal(3, side.Endpoint.Counters.ServerTransactions);
        side.Receive(Sipside.Invite("z9hG4bKn4", "call4", method: "ACK", body: ""));
        Assert.Equal(1, side.Endpoint.Counters.StrayAcks);
    }

    [Theory]
    [InlineData("REGISTER", 405)]
    [InlineData("MESSAGE", 405)]
    [InlineData("SUBSCRIBE", 405)]
    [InlineData("PUBLISH", 405)]
    [InlineData("BYE", 481)]
    [InlineData("NOTIFY", 481)]
    [InlineData("INFO", 481)]
    [InlineData("UPDATE", 481)]
    [InlineData("PRACK", 481)]
    [InlineData("REFER", 481)]
    [InlineData("FOO", 501)]
    public void Requests_without_a_call_are_answered_by_method(string method, int status)
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(method: method, body: ""));
        Assert.Equal([status], side.Statuses);
        Assert.Equal(0, side.Endpoint.Counters.ServerTransactions);
        if (status == 405)
        {
            Assert.NotEqual("", Sipside.Header(side.Last, "Allow"));
        }
    }

    [Fact]
    public void Ack_is_never_answered()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(method: "ACK", body: ""));
        side.Receive(Sipside.Invite(method: "ACK", body: "", extra: "To: again\r\n"));
        Assert.Empty(side.Sent);
    }

    [Fact]
    public void Merged_request_gives_482()
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite("z9hG4bKway1"));
        side.Receive(Sipside.Invite("z9hG4bKway2"));
        Assert.Equal([100, 482], side.Statuses);
        Assert.Single(side.Events);
        side.Receive(Sipside.Invite("z9hG4bKway3", "other-call"));
        Assert.Equal(2, side.Events.Count);
    }

    [Theory]
    [InlineData("Via")]
    [InlineData("From")]
    [InlineData("To")]
    [InlineData("Call-ID")]
    [InlineData("CSeq")]
    [InlineData("Contact")]
    public void Missing_mandatory_field_gives_400_or_nothing_without_via(string name)
    {
        using var side = new Sipside();
        string message = string.Join("\r\n", Sipside.Invite().Split("\r\n").Where(l => !l.StartsWith(name + ":", StringComparison.Ordinal)));
        side.Receive(message);
        if (name == "Via")
        {
            Assert.Empty(side.Sent);
            Assert.Equal(1, side.Endpoint.Counters.DroppedMalformed);
            return;
        }
        Assert.StartsWith($"SIP/2.0 400 Missing {name}\r\n", side.Last);
    }

    [Theory]
    [InlineData("From: <sip:x@y>;tag=2\r\n")]
    [InlineData("To: <sip:x@y>\r\n")]
    [InlineData("i: other\r\n")]
    [InlineData("CSeq: 2 INVITE\r\n")]
    [InlineData("Max-Forwards: 3\r\n")]
    public void Second_singleton_gives_400(string line)
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(extra: line));
        Assert.StartsWith("SIP/2.0 400 Duplicate Header Field\r\n", side.Last);
    }

    [Theory]
    [InlineData("Max-Forwards: 70", "Max-Forwards: 256", 400)]
    [InlineData("Max-Forwards: 70", "Max-Forwards: many", 400)]
    [InlineData("Max-Forwards: 70", "Max-Forwards: 0", 100)]
    [InlineData("Max-Forwards: 70", "Subject : x", 100)]
    [InlineData("SIP/2.0\r\nVia", "SIP/3.0\r\nVia", 505)]
    [InlineData("sip:+15550100@198.51.100.1 SIP", "tel:+15550100 SIP", 100)]
    [InlineData("sip:+15550100@198.51.100.1 SIP", "mailto:a@b SIP", 416)]
    [InlineData("Call-ID: call-1@peer", "CALL-ID  \t: call-1@peer", 100)]
    [InlineData("application/sdp", "text/plain", 415)]
    [InlineData("application/sdp", "Application/SDP;charset=utf-8", 100)]
    [InlineData("Max-Forwards: 70", "Content-Encoding: gzip", 415)]
    [InlineData("Max-Forwards: 70", "Accept: */*", 100)]
    [InlineData("Max-Forwards: 70", "Require: timer, 100rel", 100)]
    [InlineData("Max-Forwards: 70", "Require: norefersub", 420)]
    public void Inspection_follows_the_rfc(string old, string with, int status)
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite().Replace(old, with, StringComparison.Ordinal));
        Assert.Equal([status], side.Statuses);
    }

    [Theory]
    [InlineData("192.0.2.10:5062;rport", "192.0.2.10:5062")]
    [InlineData("192.0.2.10:5070", "192.0.2.10:5070")]
    [InlineData("192.0.2.10", "192.0.2.10:5060")]
    [InlineData("10.1.1.1:5070", "192.0.2.10:5062")]
    [InlineData("client.example.com:5070", "192.0.2.10:5070")]
    [InlineData("255.255.255.255:5070", "192.0.2.10:5062")]
    [InlineData("192.0.2.10:5070;maddr=239.1.1.1", "192.0.2.10:5070")]
    public void Response_goes_to_the_source(string sentBy, string destination)
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(method: "OPTIONS", body: "").Replace("192.0.2.10:5062;rport", sentBy, StringComparison.Ordinal));
        Assert.Equal(destination, side.Sent[0].Flow.Remote.ToString());
    }

    [Theory]
    [InlineData("198.51.100.1:5060")]
    [InlineData("239.1.1.1:5060")]
    [InlineData("255.255.255.255:5060")]
    [InlineData("0.0.0.0:5060")]
    [InlineData("192.0.2.1:0")]
    [InlineData("[ff02::1]:5060")]
    public void Nothing_is_sent_to_ourselves_multicast_or_nowhere(string source)
    {
        using var side = new Sipside();
        side.Receive(Sipside.Invite(method: "OPTIONS", body: ""), new SipFlow(SipTransport.Udp, 0, 0, Sipside.EndPoint(source)));
        Assert.Empty(side.Sent);
        Assert.Equal(1, side.Endpoint.Counters.ForbiddenDestination);
    }

    [Fact]
    public void Large_invite_is_answered_in_full()
    {
        using var side = new Sipside();
        string vias = string.Concat(Enumerable.Range(0, 30).Select(i => $"Via: SIP/2.0/UDP proxy{i}.example.com;branch=z9hG4bK{i}{new string('x', 60)}\r\n"));
        side.Receive(Sipside.Invite(extra: vias));
        Assert.Equal([100], side.Statuses);
        Assert.Equal(31, side.Last.Split("Via:").Length - 1);
        Assert.True(side.Last.Length > 2_048);
    }

    [Fact]
    public void Parsing_and_repeating_allocate_nothing()
    {
        byte[][] messages = [.. Directory.GetFiles(TestData.Path("invites"), "*.sip").Select(File.ReadAllBytes)];
        using var side = new Sipside();
        byte[] invite = Encoding.ASCII.GetBytes(Sipside.Invite());
        byte[] buffer = new byte[65_535];
        side.Receive(invite);
        side.Do(now => side.Events[0].Dialog.Reject(486, default, default, now));
        long before = 0;
        for (int round = 0; round < 200; round++)
        {
            if (round == 100)
            {
                before = GC.GetAllocatedBytesForCurrentThread();
            }
            foreach (byte[] message in messages)
            {
                SipMessageView.TryParse(message, out SipMessageView view, out _);
                view.TryGetContact(out _);
                view.TryGetHeader(SipHeaderId.Allow, out _);
                view.TryGetSdp(out _);
            }
            SipFlow flow = Sipside.Udp;
            side.Endpoint.HandleMessage(invite, in flow, side.Now);
            side.Endpoint.TryPollSend(buffer, out _, out _);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
