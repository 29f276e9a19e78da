using System.Net;
using Proxy.Core.Net;
using Xunit;

namespace Proxy.Core.Tests.Net;

public sealed class NetEndPointTests
{
    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("255.255.255.255", "255.255.255.255")]
    [InlineData("::", "::")]
    [InlineData("::1", "::1")]
    [InlineData("2001:db8::8:800:200C:417A", "2001:db8::8:800:200c:417a")]
    [InlineData("[2001:db8:0:0:0:0:0:1]", "2001:db8::1")]
    [InlineData("1::", "1::")]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7")]
    public void A_literal_is_read_and_written_in_its_short_form(string text, string written)
    {
        Assert.True(NetAddress.TryParse(text, out NetAddress address));
        Assert.Equal(written, address.ToString());
        Assert.Equal(address, NetAddress.From(IPAddress.Parse(written)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.256")]
    [InlineData("1.2.3.0004")]
    [InlineData("example.com")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("1::2::3")]
    [InlineData("12345::")]
    [InlineData(":1")]
    [InlineData("1:")]
    [InlineData("::1.2.3.4:5")]
    public void What_is_no_literal_is_refused(string text) => Assert.False(NetAddress.TryParse(text, out _));

    [Theory]
    [InlineData("10.1.2.3", "10.0.0.0", 8, true)]
    [InlineData("11.1.2.3", "10.0.0.0", 8, false)]
    [InlineData("10.1.2.3", "0.0.0.0", 0, true)]
    [InlineData("192.0.2.1", "192.0.2.0", 31, true)]
    [InlineData("192.0.2.2", "192.0.2.0", 31, false)]
    [InlineData("2001:db8::1", "2001:db8::", 32, true)]
    [InlineData("2001:db9::1", "2001:db8::", 32, false)]
    [InlineData("2001:db8::1", "2001:db8::", 127, true)]
    [InlineData("2001:db8::2", "2001:db8::", 127, false)]
    [InlineData("10.1.2.3", "::", 0, false)]
    public void A_network_holds_what_shares_its_prefix(string address, string network, int prefix, bool holds)
    {
        Assert.True(NetAddress.TryParse(address, out NetAddress a));
        Assert.True(NetAddress.TryParse(network, out NetAddress n));
        Assert.Equal(holds, a.IsWithin(n, prefix));
    }

    [Theory]
    [InlineData("10.0.0.1", true)]
    [InlineData("172.16.0.1", true)]
    [InlineData("172.32.0.1", false)]
    [InlineData("192.168.1.1", true)]
    [InlineData("100.64.0.1", true)]
    [InlineData("100.128.0.1", false)]
    [InlineData("169.254.1.1", true)]
    [InlineData("8.8.8.8", false)]
    [InlineData("fd00::1", true)]
    [InlineData("fe80::1", true)]
    [InlineData("2001:db8::1", false)]
    public void Private_addresses_are_known(string text, bool isPrivate)
    {
        Assert.True(NetAddress.TryParse(text, out NetAddress address));
        Assert.Equal(isPrivate, address.IsPrivate);
    }

    [Fact]
    public void An_end_point_is_written_with_its_port()
    {
        Assert.True(NetEndPoint.TryParse("[2001:db8::1]:5060", out NetEndPoint v6));
        Assert.Equal("[2001:db8::1]:5060", v6.ToString());
        Assert.True(NetEndPoint.TryParse("127.0.0.1:7", out NetEndPoint v4));
        Assert.Equal("127.0.0.1:7", v4.ToString());
        Assert.False(NetEndPoint.TryParse("127.0.0.1", out _));
        Assert.False(NetEndPoint.TryParse("::1", out _));
    }
}
