using System.Collections.Generic;
using Proxy.Core.Net;
using Proxy.Policy.Trunks;
using Xunit;

namespace Proxy.Policy.Tests.Trunks;

public sealed class AddressListTests
{
    private static readonly Dictionary<string, NetAddress[]> s_none = [];

    [Theory]
    [InlineData("54.172.60.0/30", "54.172.60.3", true)]
    [InlineData("54.172.60.0/31", "54.172.60.3", false)]
    [InlineData("10.0.0.1", "10.0.0.1", true)]
    [InlineData("10.0.0.1", "10.0.0.2", false)]
    [InlineData("0.0.0.0/0", "203.0.113.9", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("2001:db8::/32", "2001:db8:1::9", true)]
    [InlineData("2001:db8::/32", "2001:db9::9", false)]
    [InlineData("[2001:db8::1]", "2001:db8::1", true)]
    [InlineData("::ffff:10.0.0.0/104", "10.9.9.9", true)]
    [InlineData("::ffff:10.0.0.7", "10.0.0.7", true)]
    public void Blocks_of_both_families_hold_their_addresses(string entry, string address, bool isIn)
    {
        Assert.True(NetAddress.TryParse(address, out NetAddress parsed));
        Assert.Equal(isIn, AddressList.Compile([entry], s_none).Contains(parsed));
    }

    [Theory]
    [InlineData("1.2.3.*")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4/33")]
    [InlineData("1.2.3.4/")]
    [InlineData("1.2.3.4/ 8")]
    [InlineData("1.2.3.4-9")]
    [InlineData("sip:carrier.example")]
    [InlineData("a b")]
    [InlineData("")]
    public void What_is_neither_address_nor_block_nor_name_is_unreadable(string entry)
    {
        AddressList list = AddressList.Compile([entry], s_none);
        Assert.Equal([entry], list.Unreadable);
        Assert.False(list.HasReadable);
        Assert.False(list.IsEmpty);
    }

    [Fact]
    public void A_host_name_holds_the_addresses_it_was_resolved_to()
    {
        NetAddress.TryParse("192.0.2.7", out NetAddress address);
        AddressList list = AddressList.Compile(["SIP.carrier.example"], new Dictionary<string, NetAddress[]> { ["sip.carrier.example"] = [address] });
        Assert.True(list.Contains(address));
        Assert.Equal(["SIP.carrier.example"], list.Hosts);
    }

    [Theory]
    [InlineData("10.0.0.0/8", "10.1.0.0/16", true)]
    [InlineData("10.0.0.0/8", "11.0.0.0/8", false)]
    [InlineData("2001:db8::/32", "2001:db8::5", true)]
    [InlineData("carrier.example", "CARRIER.example", true)]
    public void Overlap_is_seen(string a, string b, bool overlaps) =>
        Assert.Equal(overlaps, AddressList.Compile([a], s_none).Overlaps(AddressList.Compile([b], s_none)));
}
