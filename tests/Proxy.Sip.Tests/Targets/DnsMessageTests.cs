using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Proxy.Core.Memory;
using Proxy.Sip.Targets;
using Xunit;

namespace Proxy.Sip.Tests.Targets;

public sealed class DnsMessageTests
{
    private static readonly DnsQuestion s_srv = new(DnsKind.Srv, "_sip._udp.example.com");
    private static readonly DnsQuestion s_a = new(DnsKind.A, "p.example.com");

    private static byte[] Name(string name) => [.. name.Split('.', StringSplitOptions.RemoveEmptyEntries).SelectMany(l => (byte[])[(byte)l.Length, .. Encoding.ASCII.GetBytes(l)]), 0];

    private static byte[] Number(params int[] values) => [.. values.SelectMany(v => (byte[])[(byte)(v >> 8), (byte)v])];

    private static byte[] Record(byte[] owner, DnsKind kind, uint ttl, byte[] data, int @class = 1) =>
        [.. owner, .. Number((int)kind, @class, (int)(ttl >> 16), (int)(ttl & 0xFFFF), data.Length), .. data];

    private static byte[] Message(DnsQuestion question, byte[][] answers, byte[][]? authority = null, int flags = 0x8180, int id = 7) =>
        [.. Number(id, flags, 1, answers.Length, authority?.Length ?? 0, 0), .. Name(question.Name), .. Number((int)question.Kind, 1), .. answers.Concat(authority ?? []).SelectMany(a => a)];

    private static DnsAnswer Answer(DnsQuestion question, byte[] message)
    {
        Assert.Equal(DnsVerdict.Answer, DnsMessage.Read(message, 7, question, out DnsAnswer? answer));
        return answer!;
    }

    /// <summary>The name of the question, as answers point to it.</summary>
    private static byte[] Asked => [0xC0, 12];

    [Fact]
    public void Question_is_what_every_server_reads()
    {
        byte[] buffer = new byte[DnsMessage.QuestionBytesMax];
        int length = DnsMessage.Write(buffer, 0x1234, s_a);
        Assert.Equal("12340100000100000000000101700765 78616D706C6503636F6D0000010001 00002904D0000000000000".Replace(" ", "", StringComparison.Ordinal),
            Convert.ToHexString(buffer.AsSpan(0, length)));
        Assert.Equal(0, DnsMessage.Write(buffer, 1, new DnsQuestion(DnsKind.A, new string('a', 64) + ".com")));
        Assert.Equal(0, DnsMessage.Write(buffer, 1, new DnsQuestion(DnsKind.A, string.Join('.', Enumerable.Repeat("abcdefgh", 40)))));
        Assert.Equal(DnsMessage.QuestionBytesMax, DnsMessage.Write(buffer, 1, new DnsQuestion(DnsKind.A, string.Join('.', Enumerable.Repeat("a", 127)))));
    }

    [Fact]
    public void Servers_services_and_addresses_are_read()
    {
        DnsAnswer srv = Answer(s_srv, Message(s_srv,
        [
            Record(Asked, DnsKind.Srv, 300, [.. Number(10, 60, 5061), .. Name("A.Example.com")]),
            Record(Asked, DnsKind.Srv, 60, [.. Number(20, 0, 5062), 1, (byte)'b', 0xC0, 22]),
            Record(Asked, DnsKind.Srv, 60, [.. Number(0, 0, 0), 0]),
        ]));
        Assert.Equal(["10 60 5061 a.example.com", "20 0 5062 b.example.com", "0 0 0 "], srv.Records.Select(r => $"{r.Priority} {r.Weight} {r.Port} {r.Target}"));
        Assert.Equal(60, srv.Life.TotalSeconds);
        var naptr = new DnsQuestion(DnsKind.Naptr, "example.com");
        byte[] Service(string expression) => [.. Number(50, 40), 1, (byte)'s', 7, .. "SIP+D2T"u8, (byte)expression.Length, .. Encoding.ASCII.GetBytes(expression), .. Name("_sip._tcp.example.com")];
        DnsAnswer services = Answer(naptr, Message(naptr, [Record(Asked, DnsKind.Naptr, 60, Service("")), Record(Asked, DnsKind.Naptr, 60, Service("!x!y!"))]));
        Assert.Equal(["50 40 s SIP+D2T _sip._tcp.example.com", "50 40 s SIP+D2T "], services.Records.Select(r => $"{r.Priority} {r.Weight} {r.Flags} {r.Service} {r.Target}"));
        var v6 = new DnsQuestion(DnsKind.Aaaa, "p.example.com");
        Assert.Equal("2001:db8::1", Answer(v6, Message(v6, [Record(Asked, DnsKind.Aaaa, 5, Convert.FromHexString("20010db8000000000000000000000001"))])).Records[0].Address.ToString());
    }

    [Fact]
    public void Aliases_are_followed_and_a_loop_of_them_leads_nowhere()
    {
        DnsAnswer answer = Answer(s_a, Message(s_a,
        [
            Record(Name("b.example.com"), DnsKind.A, 300, [192, 0, 2, 1]),
            Record(Asked, DnsKind.Cname, 20, Name("a.example.com")),
            Record(Name("a.example.com"), DnsKind.Cname, 40, Name("b.example.com")),
            Record(Name("other.example.com"), DnsKind.A, 1, [192, 0, 2, 66]),
        ]));
        Assert.Equal(("192.0.2.1", 20.0), (Assert.Single(answer.Records).Address.ToString(), answer.Life.TotalSeconds));
        Assert.Empty(Answer(s_a, Message(s_a, [Record(Asked, DnsKind.Cname, 20, Name("a.example.com")), Record(Name("a.example.com"), DnsKind.Cname, 20, Asked)])).Records);
    }

    [Theory]
    [InlineData(0x8183, 30)]
    [InlineData(0x8180, 30)]
    public void Nothing_lives_as_long_as_the_zone_says(int flags, int seconds)
    {
        byte[] soa = Record(Name("example.com"), DnsKind.Soa, 900, [.. Name("ns.example.com"), .. Name("x.example.com"), .. Number(0, 1, 0, 2, 0, 3, 0, 4, 0, 30)]);
        DnsAnswer answer = Answer(s_a, Message(s_a, [], [soa], flags));
        Assert.Equal((0, (double)seconds, false), (answer.Records.Length, answer.Life.TotalSeconds, answer.IsFailure));
        Assert.Equal(60, Answer(s_a, Message(s_a, [], null, flags)).Life.TotalSeconds);
    }

    [Fact]
    public void What_is_no_answer_to_the_question_is_as_if_it_had_not_come()
    {
        byte[] good = Message(s_a, [Record(Asked, DnsKind.A, 60, [192, 0, 2, 1])]);
        Assert.Equal(DnsVerdict.Answer, DnsMessage.Read(good, 7, s_a, out _));
        Assert.Equal(DnsVerdict.Foreign, DnsMessage.Read(good, 8, s_a, out _));
        Assert.Equal(DnsVerdict.Foreign, DnsMessage.Read(good, 7, s_a with { Name = "q.example.com" }, out _));
        Assert.Equal(DnsVerdict.Foreign, DnsMessage.Read(good, 7, s_a with { Kind = DnsKind.Aaaa }, out _));
        Assert.Equal(DnsVerdict.Foreign, DnsMessage.Read(Message(s_a, [], flags: 0x0100), 7, s_a, out _));
        Assert.Equal(DnsVerdict.Foreign, DnsMessage.Read("hello"u8, 7, s_a, out _));
        Assert.Equal(DnsVerdict.Truncated, DnsMessage.Read(Message(s_a, [], flags: 0x8380), 7, s_a, out _));
        Assert.Equal(DnsVerdict.Failure, DnsMessage.Read(Message(s_a, [], flags: 0x8182), 7, s_a, out _));
        Assert.Equal(DnsVerdict.Failure, DnsMessage.Read(Message(s_a, [], flags: 0x8185), 7, s_a, out _));
        Assert.Equal("192.0.2.1", Answer(s_a, Message(s_a, [Record(Asked, DnsKind.A, 60, [192, 0, 2, 66], @class: 3), Record(Asked, DnsKind.A, 60, [192, 0, 2, 1])])).Records.Single().Address.ToString());
    }

    [Fact]
    public void Pointers_that_run_in_circles_or_ahead_are_garbage()
    {
        foreach (byte[] target in new byte[][] { [0xC0, 57], [0xC0, 200], [1, (byte)'a', 0xC0, 57], [0xC0], [0x40, 1], [5, (byte)'a'] })
        {
            Assert.Equal(DnsVerdict.Failure, DnsMessage.Read(Message(s_srv, [Record(Asked, DnsKind.Srv, 60, [.. Number(1, 1, 5060), .. target])]), 7, s_srv, out _));
        }
        byte[] endless = [.. Enumerable.Repeat((byte[])[63, .. Enumerable.Repeat((byte)'a', 63)], 5).SelectMany(l => l), 0];
        Assert.Equal(DnsVerdict.Failure, DnsMessage.Read(Message(s_srv, [Record(Asked, DnsKind.Srv, 60, [.. Number(1, 1, 5060), .. endless])]), 7, s_srv, out _));
    }

    [Fact]
    public void Of_thousands_of_records_a_few_are_looked_at_and_remembered()
    {
        byte[] name = [.. Enumerable.Repeat((byte[])[62, .. Enumerable.Repeat((byte)'a', 62)], 4).SelectMany(l => l), 0];
        byte[] first = Record(Asked, DnsKind.Srv, 60, [.. Number(1, 1, 5060), .. name]);
        int at = Message(s_srv, []).Length + 18;
        byte[] again = Record(Asked, DnsKind.Srv, 60, [.. Number(1, 1, 5060), (byte)(0xC0 | (at >> 8)), (byte)at]);
        byte[] message = Message(s_srv, [first, .. Enumerable.Repeat(again, 3_000)]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        DnsAnswer answer = Answer(s_srv, message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 256 * 1024);
        Assert.Equal(64, answer.Records.Length);
        Assert.All(answer.Records, record => Assert.Equal(251, record.Target.Length));
    }

    [Fact]
    public void Cut_and_changed_messages_are_read_or_refused()
    {
        byte[] good = Message(s_srv, [Record(Asked, DnsKind.Srv, 300, [.. Number(10, 60, 5061), .. Name("a.example.com")]), Record(Asked, DnsKind.Cname, 60, [0xC0, 12])]);
        for (int length = 0; length <= good.Length; length++)
        {
            DnsMessage.Read(good.AsSpan(0, length), 7, s_srv, out _);
        }
        var random = new SeededRandom(3);
        var seen = new HashSet<DnsVerdict>();
        for (int i = 0; i < 20_000; i++)
        {
            byte[] changed = [.. good];
            for (int n = random.Next(4); n >= 0; n--)
            {
                changed[2 + random.Next(changed.Length - 2)] = (byte)random.Next(256);
            }
            seen.Add(DnsMessage.Read(changed, 7, s_srv, out _));
        }
        Assert.Equal(4, seen.Count);
    }
}
