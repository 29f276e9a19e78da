using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Sip.Parsing;
using Proxy.Sip.Targets;
using Xunit;

namespace Proxy.Sip.Tests.Targets;

/// <summary>RFC 3263 §4: from a URI to places, over a zone written as text.</summary>
public sealed class TargetSearchTests
{
    private readonly List<string> _asked = [];

    /// <summary>Lines of a zone: name, type, data; "?" as the type fails every question about the name.</summary>
    private TargetList Search(string uri, string zone, bool wantsV6 = false, ulong seed = 1)
    {
        Assert.True(SipUriView.TryParse(Encoding.ASCII.GetBytes(uri), out SipUriView view));
        Assert.True(TargetName.TryRead(in view, out TargetName? name));
        string[][] lines = [.. zone.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' '))];
        var search = new TargetSearch(name, wantsV6, new SeededRandom(seed));
        while (search.TryNext(out DnsQuestion? question))
        {
            _asked.Add($"{question.Kind} {question.Name}".ToLowerInvariant());
            string[][] mine = [.. lines.Where(l => l[0] == question.Name)];
            search.Take(mine.Any(l => l[1] == "?") ? new DnsAnswer([], TimeSpan.FromSeconds(10), IsFailure: true)
                : new DnsAnswer([.. mine.Where(l => l[1].Equals(question.Kind.ToString(), StringComparison.OrdinalIgnoreCase)).Select(l => Record(question.Kind, l))], TimeSpan.FromSeconds(300)));
        }
        return search.Result;
    }

    private static DnsRecord Record(DnsKind kind, string[] line) => kind switch
    {
        DnsKind.Srv => new DnsRecord { Kind = kind, Priority = ushort.Parse(line[2]), Weight = ushort.Parse(line[3]), Port = ushort.Parse(line[4]), Target = line.Length > 5 ? line[5] : "" },
        DnsKind.Naptr => new DnsRecord { Kind = kind, Priority = ushort.Parse(line[2]), Weight = ushort.Parse(line[3]), Flags = line[4], Service = line[5], Target = line[6] },
        _ => new DnsRecord { Kind = kind, Address = NetAddress.TryParse(line[2], out NetAddress a) ? a : throw new ArgumentException(line[2]) },
    };

    private static string Text(TargetList list) => string.Join(' ', list.Targets.Select(t => $"{t.Transport}/{t.Remote}".ToLowerInvariant()));

    [Theory]
    [InlineData("sip:p.example.com:5070", "p.example.com A 192.0.2.1", "udp/192.0.2.1:5070", "a p.example.com")]
    [InlineData("sip:p.example.com:5070;transport=tcp", "p.example.com A 192.0.2.1", "tcp/192.0.2.1:5070", "a p.example.com")]
    [InlineData("sip:bob@P.Example.COM.;transport=UDP", "_sip._udp.p.example.com SRV 1 1 5071 a.example.com; a.example.com A 192.0.2.2", "udp/192.0.2.2:5071", "srv _sip._udp.p.example.com,a a.example.com")]
    [InlineData("sip:p.example.com;transport=tcp", "p.example.com A 192.0.2.1", "tcp/192.0.2.1:5060", "srv _sip._tcp.p.example.com,a p.example.com")]
    [InlineData("sip:p.example.com", "p.example.com A 192.0.2.1", "udp/192.0.2.1:5060", "naptr p.example.com,srv _sip._udp.p.example.com,srv _sip._tcp.p.example.com,a p.example.com")]
    [InlineData("sip:p.example.com", "_sip._tcp.p.example.com SRV 1 1 5072 a.example.com; a.example.com A 192.0.2.2", "tcp/192.0.2.2:5072",
        "naptr p.example.com,srv _sip._udp.p.example.com,srv _sip._tcp.p.example.com,a a.example.com")]
    public void Transport_port_and_address_are_found_as_the_rfc_says(string uri, string zone, string targets, string asked)
    {
        Assert.Equal(targets, Text(Search(uri, zone)));
        Assert.Equal(asked, string.Join(',', _asked));
    }

    [Fact]
    public void Naptr_chooses_among_the_transports_that_we_speak()
    {
        const string Zone = "p.example.com NAPTR 10 20 s SIP+D2U _sip._udp.q.example.com; p.example.com NAPTR 10 10 S sip+d2t t.q.example.com; p.example.com NAPTR 1 1 s SIPS+D2T x.example.com;"
            + "p.example.com NAPTR 1 2 u SIP+D2U y.example.com; p.example.com NAPTR 1 3 s SIP+D2S z.example.com;"
            + "_sip._udp.q.example.com SRV 1 1 5080 a.example.com; t.q.example.com SRV 1 1 5081 a.example.com; a.example.com A 192.0.2.1";
        Assert.Equal("tcp/192.0.2.1:5081 udp/192.0.2.1:5080", Text(Search("sip:p.example.com", Zone)));
    }

    [Fact]
    public void Priorities_go_in_order_and_addresses_stay_with_their_server()
    {
        const string Zone = "_sip._udp.p.example.com SRV 20 0 5062 b.example.com; _sip._udp.p.example.com SRV 10 0 5061 a.example.com;"
            + "a.example.com A 192.0.2.1; a.example.com A 192.0.2.2; b.example.com A 192.0.2.3; a.example.com AAAA 2001:db8::1; b.example.com AAAA 2001:db8::2";
        Assert.Equal("udp/192.0.2.1:5061 udp/192.0.2.2:5061 udp/[2001:db8::1]:5061 udp/192.0.2.3:5062 udp/[2001:db8::2]:5062", Text(Search("sip:p.example.com;transport=udp", Zone, wantsV6: true)));
    }

    [Fact]
    public void Weights_give_their_share_of_first_places()
    {
        const string Zone = "_sip._udp.p.example.com SRV 1 10 5060 a.example.com; _sip._udp.p.example.com SRV 1 30 5060 b.example.com; _sip._udp.p.example.com SRV 1 0 5060 c.example.com;"
            + "a.example.com A 192.0.2.1; b.example.com A 192.0.2.2; c.example.com A 192.0.2.3";
        string[] firsts = [.. Enumerable.Range(1, 2_000).Select(seed => Text(Search("sip:p.example.com;transport=udp", Zone, seed: (ulong)seed)).Split(' ')[0])];
        Assert.InRange(firsts.Count(f => f.Contains("192.0.2.2", StringComparison.Ordinal)), 1_380, 1_560);
        Assert.InRange(firsts.Count(f => f.Contains("192.0.2.1", StringComparison.Ordinal)), 400, 560);
        Assert.InRange(firsts.Count(f => f.Contains("192.0.2.3", StringComparison.Ordinal)), 10, 110);
    }

    [Fact]
    public void Service_that_says_it_is_not_here_has_no_target()
    {
        TargetList list = Search("sip:p.example.com;transport=udp", "_sip._udp.p.example.com SRV 0 0 0; p.example.com A 192.0.2.1");
        Assert.Empty(list.Targets);
        Assert.False(list.IsFailure);
        Assert.Equal(TimeSpan.FromSeconds(300), list.Life);
    }

    [Fact]
    public void Failure_is_told_apart_from_nothing_and_its_life_is_short()
    {
        TargetList failed = Search("sip:p.example.com:5060", "p.example.com ?");
        Assert.Equal((true, 10.0, 0), (failed.IsFailure, failed.Life.TotalSeconds, failed.Targets.Length));
        TargetList none = Search("sip:p.example.com:5060", "");
        Assert.False(none.IsFailure);
        TargetList half = Search("sip:p.example.com;transport=udp",
            "_sip._udp.p.example.com SRV 1 1 5060 a.example.com; _sip._udp.p.example.com SRV 2 1 5060 b.example.com; a.example.com ?; b.example.com A 192.0.2.1");
        Assert.Equal(("udp/192.0.2.1:5060", false, 10.0), (Text(half), half.IsFailure, half.Life.TotalSeconds));
    }

    [Fact]
    public void Zone_of_a_thousand_servers_costs_a_few_questions()
    {
        string zone = string.Join(';', Enumerable.Range(0, 1_000).Select(i => $"_sip._udp.p.example.com SRV 1 1 5060 h{i}.example.com; h{i}.example.com A 192.0.2.{i % 250}"))
            + ";" + string.Join(';', Enumerable.Range(0, 50).Select(i => $"p.example.com NAPTR 1 {i} s SIP+D2U _sip._udp.p.example.com"));
        TargetList list = Search("sip:p.example.com", zone);
        Assert.InRange(list.Targets.Length, 4, 12);
        Assert.True(_asked.Count <= 24);
    }

    [Theory]
    [InlineData("sip:192.0.2.1")]
    [InlineData("sip:[2001:db8::1]:5060")]
    [InlineData("sip:999.1.1.300")]
    [InlineData("sip:phone")]
    [InlineData("sip:localhost")]
    [InlineData("sip:anonymous.invalid")]
    [InlineData("sip:printer.local")]
    [InlineData("sip:a..example.com")]
    [InlineData("sip:p.example.com;transport=tls")]
    [InlineData("sip:p.example.com;transport=ws")]
    [InlineData("sips:p.example.com")]
    [InlineData("tel:+15550100")]
    public void Nothing_is_asked_about_what_is_no_name_or_cannot_be_reached(string uri)
    {
        Assert.True(SipUriView.TryParse(Encoding.ASCII.GetBytes(uri), out SipUriView view));
        Assert.False(TargetName.TryRead(in view, out _));
    }
}
