using System;
using System.Text;
using Proxy.Sip.Parsing;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sip.Tests;

/// <summary>The IPv6 torture messages of RFC 5118.</summary>
public sealed class Rfc5118Tests
{
    [Theory]
    [InlineData("ipv6-good", 405, "2001:db8::10")]
    [InlineData("ipv6-bad", 400, "")]
    [InlineData("port-ambiguous", 405, "2001:db8::10:5070")]
    [InlineData("port-unambiguous", 405, "2001:db8::10")]
    [InlineData("via-received-param-with-delim", 481, "")]
    [InlineData("via-received-param-no-delim", 200, "")]
    [InlineData("ipv6-in-sdp", 100, "2001:db8::10")]
    [InlineData("mult-ip-in-header", 481, "")]
    [InlineData("mult-ip-in-sdp", 100, "2001:db8::10")]
    [InlineData("ipv4-mapped-ipv6", 100, "")]
    [InlineData("ipv6-bug-abnf-3-colons", 200, "")]
    [InlineData("ipv6-correct-abnf-2-colons", 200, "")]
    public void Message_gets_its_verdict(string name, int status, string host)
    {
        byte[] message = TestData.Bytes("rfc5118", "wire", name + ".dat");
        using var side = new Sipside();
        side.Receive(message);
        Assert.Equal([status], side.Statuses);
        if (host.Length > 0)
        {
            Assert.True(SipMessageView.TryParse(message, out SipMessageView view, out _));
            Assert.True(SipUriView.TryParse(view.RequestUri, out SipUriView uri));
            Assert.Equal("[" + host + "]", Encoding.Latin1.GetString(uri.Host));
            Assert.Equal(name == "port-unambiguous" ? 5070 : 0, uri.Port);
        }
    }

    [Theory]
    [InlineData("with-delim", "[2001:db8::9:255]")]
    [InlineData("no-delim", "2001:db8::9:255")]
    public void Received_is_read_with_and_without_brackets(string name, string received)
    {
        Assert.True(SipMessageView.TryParse(TestData.Bytes("rfc5118", "wire", "via-received-param-" + name + ".dat"), out SipMessageView view, out _));
        Assert.Equal(received, Encoding.Latin1.GetString(view.TopVia.Received));
    }

    [Fact]
    public void Archive_form_with_bare_line_feeds_is_refused()
    {
        Assert.False(SipMessageView.TryParse(TestData.Bytes("rfc5118", "archive", "ipv6-good.dat"), out _, out SipParseError error));
        Assert.Equal(SipParseError.BareLineFeed, error);
    }
}
