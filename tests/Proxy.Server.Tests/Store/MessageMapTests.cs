using System.Linq;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Store;
using Xunit;

namespace Proxy.Server.Tests.Store;

public sealed class MessageMapTests
{
    private static readonly MessageMap<SIPInboundTrunkInfo> s_empty = MessageMap<SIPInboundTrunkInfo>.Empty(SIPInboundTrunkInfo.Parser);

    [Fact]
    public void Messages_are_ordered_by_id_and_each_reader_has_its_own()
    {
        var one = new SIPInboundTrunkInfo { SipTrunkId = "ST_b", Name = "b", Numbers = { "+1" } };
        MessageMap<SIPInboundTrunkInfo> map = s_empty.With("ST_b", one).With("ST_a", new SIPInboundTrunkInfo { SipTrunkId = "ST_a" });
        one.Name = "changed later";
        Assert.Equal(["ST_a", "ST_b"], map.Keys);
        Assert.Equal("b", map["ST_b"].Name);
        map["ST_b"].Numbers.Clear();
        Assert.True(map.TryGetValue("ST_b", out SIPInboundTrunkInfo? read));
        Assert.Equal(["+1"], read.Numbers);
        Assert.Equal(["ST_a", "ST_b"], map.Values.Select(m => m.SipTrunkId));
        Assert.False(map.TryGetValue("ST_c", out _));
        MessageMap<SIPInboundTrunkInfo> without = map.With("ST_b", null);
        Assert.Equal((1, 2), (without.Count, map.Count));
    }

    [Fact]
    public void Fields_that_we_do_not_know_stay()
    {
        byte[] unknown = [.. new SIPInboundTrunkInfo { SipTrunkId = "ST_1" }.ToByteArray(), 0xFA, 0x3E, 0x03, (byte)'n', (byte)'e', (byte)'w'];
        MessageMap<SIPInboundTrunkInfo> map = s_empty.WithAll([new("ST_1", unknown)]);
        Assert.Equal(unknown, map["ST_1"].ToByteArray());
    }
}
