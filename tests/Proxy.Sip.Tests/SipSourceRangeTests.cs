using Proxy.Core.Net;
using Proxy.Sip;
using Xunit;

namespace Proxy.Sip.Tests;

public sealed class SipSourceRangeTests
{
    [Theory]
    [InlineData("192.0.2.0", 24, "192.0.2.255", true)]
    [InlineData("192.0.2.0", 24, "192.0.3.0", false)]
    [InlineData("192.0.2.64", 26, "192.0.2.127", true)]
    [InlineData("192.0.2.64", 26, "192.0.2.128", false)]
    [InlineData("0.0.0.0", 0, "203.0.113.9", true)]
    [InlineData("2001:db8::", 32, "2001:db8:1::1", true)]
    [InlineData("2001:db8::", 32, "192.0.2.1", false)]
    public void Range_holds_the_addresses_of_its_prefix(string network, int bits, string address, bool isIn)
    {
        Assert.True(NetAddress.TryParse(network, out NetAddress n));
        Assert.True(NetAddress.TryParse(address, out NetAddress a));
        Assert.Equal(isIn, new SipSourceRange(n, bits).Contains(a));
    }
}
