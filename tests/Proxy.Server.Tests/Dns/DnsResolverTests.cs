using System;
using System.Buffers;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.Server.Dns;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;
using Proxy.Server.Signal;
using Proxy.Sip.Targets;
using Xunit;

namespace Proxy.Server.Tests.Dns;

public sealed class DnsResolverTests
{
    private static readonly DnsRecord s_record = new() { Kind = DnsKind.A, Address = NetAddress.FromV4(0xC0000201) };
    private readonly Clock _time = new();
    private readonly List<string> _asked = [];

    private DnsResolver Make(Func<DnsQuestion, DnsAnswer> answer, DnsOptions? options = null) => new(options ?? new DnsOptions(), _time, (question, _) =>
    {
        lock (_asked)
        {
            _asked.Add($"{question.Kind} {question.Name}");
        }
        return Task.FromResult(answer(question));
    });

    private static DnsQuestion A(string name) => new(DnsKind.A, name);

    [Theory]
    [InlineData(60, 60)]
    [InlineData(0, 5)]
    [InlineData(1_000_000, 3_600)]
    public async Task Answer_is_remembered_for_its_ttl_between_floor_and_cap(int ttl, int seconds)
    {
        using DnsResolver dns = Make(_ => new DnsAnswer([s_record], TimeSpan.FromSeconds(ttl)));
        Assert.Equal(seconds, (await dns.AskAsync(A("a.example"))).Life.TotalSeconds);
        _time.Seconds = seconds - 1;
        Assert.Equal(1, (await dns.AskAsync(A("a.example"))).Life.TotalSeconds);
        Assert.Single(_asked);
        _time.Seconds = seconds + 1;
        await dns.AskAsync(A("a.example"));
        Assert.Equal(2, _asked.Count);
    }

    [Fact]
    public async Task That_there_is_none_is_remembered_too_and_a_failure_for_a_moment()
    {
        using DnsResolver dns = Make(q => new DnsAnswer([], TimeSpan.FromSeconds(300), IsFailure: q.Name == "broken.example"));
        await dns.AskAsync(A("none.example"));
        await dns.AskAsync(A("broken.example"));
        _time.Seconds = 9;
        await dns.AskAsync(A("none.example"));
        Assert.True((await dns.AskAsync(A("broken.example"))).IsFailure);
        Assert.Equal(2, _asked.Count);
        _time.Seconds = 11;
        await dns.AskAsync(A("none.example"));
        await dns.AskAsync(A("broken.example"));
        Assert.Equal(["A none.example", "A broken.example", "A broken.example"], _asked);
    }

    [Fact]
    public async Task Many_who_ask_the_same_are_one_question_and_too_many_questions_are_turned_away()
    {
        var gate = new TaskCompletionSource<DnsAnswer>();
        using DnsResolver dns = new(new DnsOptions { QuestionsAtOnce = 2, QuestionsWaiting = 5 }, _time, (_, _) => gate.Task);
        Task<DnsAnswer>[] same = [.. Enumerable.Range(0, 50).Select(_ => dns.AskAsync(A("one.example")))];
        Task<DnsAnswer>[] others = [.. Enumerable.Range(0, 50).Select(i => dns.AskAsync(A($"h{i}.example")))];
        Assert.All(others[4..], task => Assert.True(task.IsCompleted && task.Result.IsFailure));
        gate.SetResult(new DnsAnswer([s_record], TimeSpan.FromSeconds(60)));
        Assert.All(await Task.WhenAll([.. same, .. others[..4]]), answer => Assert.Single(answer.Records));
    }

    [Fact]
    public async Task Memory_is_bounded()
    {
        using DnsResolver dns = Make(_ => new DnsAnswer([s_record], TimeSpan.FromSeconds(60)), new DnsOptions { AnswersRemembered = 100 });
        for (int i = 0; i < 1_000; i++)
        {
            await dns.AskAsync(A($"h{i}.example"));
        }
        await dns.AskAsync(A("h999.example"));
        Assert.Equal(1_000, _asked.Count);
        var text = new ArrayBufferWriter<byte>();
        dns.Write(new MetricsWriter(text));
        Assert.Contains("siproom_dns_answers 100\n", Encoding.UTF8.GetString(text.WrittenSpan), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Search_ends_in_the_signal_threads_mailbox()
    {
        using DnsResolver dns = Make(q => new DnsAnswer(q.Kind switch
        {
            DnsKind.Srv => [new DnsRecord { Kind = DnsKind.Srv, Port = 5070, Target = "a.example.com" }],
            _ => [s_record],
        }, TimeSpan.FromSeconds(60)));
        using var reactor = new Reactor();
        var mail = new Mailbox<TargetMail>(8, Proxy.Core.Collections.RingFull.DropNewest, reactor.Waker);
        var lookups = new TargetLookups(dns, wantsV6: false, SystemRandom.Instance, mail);
        var name = new TargetName("p.example.com", 0, Proxy.Sip.SipTransport.Udp);
        await lookups.Begin(name);
        Assert.True(mail.TryRead(out TargetMail found));
        Assert.Equal((name, "192.0.2.1:5070"), (found.Name, Assert.Single(found.Targets.Targets).Remote.ToString()));
    }

    private sealed class Clock : TimeProvider
    {
        public int Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
