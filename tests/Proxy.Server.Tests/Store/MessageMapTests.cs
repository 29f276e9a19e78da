using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Google.Protobuf;
using Proxy.Core.Memory;
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
    public void Whatever_is_set_and_removed_in_whatever_order_the_map_holds_what_a_sorted_dictionary_would()
    {
        var random = new SeededRandom(17);
        string[] ids = [.. Enumerable.Range(0, 400).Select(i => "PN_" + i), "PN_\uFFFD", "PN_\U0001F600", "PN_\uE000", "", "PN"];
        var model = new SortedDictionary<string, string>(StringComparer.Ordinal);
        MessageMap<SIPInboundTrunkInfo> map = s_empty;
        for (int step = 0; step < 12_000; step++)
        {
            string id = ids[random.Next() % (ulong)ids.Length];
            switch (random.Next() % 400)
            {
                case 0:
                    map = map.WithAll([.. ids.Where(_ => random.Next() % 8 == 0).Select(i => Stored(i, step, model))]);
                    break;
                case < 150:
                    model.Remove(id);
                    map = map.With(id, null);
                    break;
                default:
                    model[id] = step.ToString();
                    map = map.With(id, new SIPInboundTrunkInfo { SipTrunkId = id, Name = model[id] });
                    break;
            }
            Assert.Equal(model.Count, map.Count);
            Assert.Equal(model.TryGetValue(id, out string? name), map.TryGetValue(id, out SIPInboundTrunkInfo? read));
            Assert.Equal(name, read?.Name);
        }
        Assert.Equal(model.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value).Order(), map.Values.Select(info => info.Name).Order());
        Assert.Equal(model.Keys.Order(), map.Keys.Order());
        Assert.Equal(map.Keys.Select(Encoding.UTF8.GetBytes).OrderBy(Convert.ToHexString, StringComparer.Ordinal), map.Keys.Select(Encoding.UTF8.GetBytes));
    }

    private static KeyValuePair<string, ReadOnlyMemory<byte>> Stored(string id, int step, SortedDictionary<string, string> model)
    {
        model[id] = "all " + step;
        return new(id, new SIPInboundTrunkInfo { SipTrunkId = id, Name = model[id] }.ToByteArray());
    }

    [Fact]
    public void Few_changes_stand_beside_a_large_map_and_are_put_into_it_when_they_are_many()
    {
        MessageMap<SIPInboundTrunkInfo> map = s_empty.WithAll([.. Enumerable.Range(0, 20_000).Select(i => Stored("ST_" + i, 0, []))]);
        for (int i = 0; i < 10_000; i++)
        {
            map = map.With("ST_" + (i * 2), i % 2 == 0 ? null : new SIPInboundTrunkInfo { SipTrunkId = "ST_" + (i * 2), Name = "new" });
        }
        MessageMap<SIPInboundTrunkInfo> more = map.WithAll([Stored("ST_0", 1, []), Stored("ST_2", 1, []), Stored("ST_x", 1, []), Stored("ST_x", 2, [])]);
        Assert.Equal((15_000, 5_000), (map.Count, map.Values.Count(info => info.Name == "new")));
        Assert.Equal((15_002, 15_002, "all 2"), (more.Count, more.Keys.Count(), more["ST_x"].Name));
        Assert.Equal("all 1", more["ST_0"].Name);
    }

    [Fact]
    public void Fields_that_we_do_not_know_stay()
    {
        byte[] unknown = [.. new SIPInboundTrunkInfo { SipTrunkId = "ST_1" }.ToByteArray(), 0xFA, 0x3E, 0x03, (byte)'n', (byte)'e', (byte)'w'];
        MessageMap<SIPInboundTrunkInfo> map = s_empty.WithAll([new("ST_1", unknown)]);
        Assert.Equal(unknown, map["ST_1"].ToByteArray());
    }
}
