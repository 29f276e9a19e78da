using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Server.Dns;
using Proxy.Sip.Targets;
using Xunit;

namespace Proxy.Server.Tests.Dns;

/// <summary>Real sockets against servers that answer, cut, lie, or say nothing.</summary>
public sealed class DnsExchangeTests
{
    private static readonly DnsQuestion s_question = new(DnsKind.A, "p.example.com");

    private static Task<DnsAnswer> AskAsync(params FakeDns[] servers) => new DnsExchange(new DnsOptions
    {
        Servers = [.. servers.Select(s => s.EndPoint)],
        Patience = TimeSpan.FromMilliseconds(servers.Length > 1 ? 100 : 2_000),
    }).AskAsync(s_question, CancellationToken.None);

    [Fact]
    public async Task Answer_of_a_server_is_taken()
    {
        using var server = new FakeDns(q => [FakeDns.Answer(q)]);
        DnsAnswer answer = await AskAsync(server);
        Assert.Equal(("192.0.2.1", 60.0, false), (Assert.Single(answer.Records).Address.ToString(), answer.Life.TotalSeconds, answer.IsFailure));
        Assert.Equal((1, 0), (server.Asked, server.AskedByStream));
    }

    [Fact]
    public async Task Cut_answer_is_asked_for_again_over_tcp()
    {
        using var server = new FakeDns(q => [FakeDns.Answer(q, flags: 0x8380, records: 0)], q => FakeDns.Framed(FakeDns.Answer(q, records: 40)));
        Assert.Equal(40, (await AskAsync(server)).Records.Length);
        Assert.Equal((1, 1), (server.Asked, server.AskedByStream));
    }

    [Fact]
    public async Task Silent_server_costs_its_patience_and_the_next_one_is_asked()
    {
        using var silent = new FakeDns(_ => []);
        using var server = new FakeDns(q => [FakeDns.Answer(q)]);
        Assert.Single((await AskAsync(silent, server)).Records);
    }

    [Theory]
    [InlineData(0x8182)]
    [InlineData(0x8185)]
    public async Task Server_that_will_not_say_is_passed_over(int flags)
    {
        using var lame = new FakeDns(q => [FakeDns.Answer(q, flags: flags, records: 0)]);
        using var server = new FakeDns(q => [FakeDns.Answer(q)]);
        Assert.Single((await AskAsync(lame, server)).Records);
    }

    [Fact]
    public async Task Forged_and_broken_datagrams_before_the_answer_change_nothing()
    {
        using var server = new FakeDns(q =>
        {
            byte[] otherId = FakeDns.Answer(q, "192.0.2.66");
            otherId[0] ^= 1;
            byte[] otherName = FakeDns.Answer(q, "192.0.2.66");
            otherName[13] ^= 1;
            return [[], [1, 2, 3], otherId, otherName, q, FakeDns.Answer(q)];
        });
        Assert.Equal("192.0.2.1", Assert.Single((await AskAsync(server)).Records).Address.ToString());
    }

    [Fact]
    public async Task Garbage_for_ever_and_silence_are_failures()
    {
        using var garbage = new FakeDns(_ => Enumerable.Repeat(new byte[100], 200));
        using var silent = new FakeDns(_ => []);
        using var cut = new FakeDns(q => [FakeDns.Answer(q, flags: 0x8380)], _ => [0xFF, 0xFF, 1]);
        Assert.True((await AskAsync(garbage, silent, cut)).IsFailure);
        Assert.Equal((2, 2, 2), (garbage.Asked, silent.Asked, cut.AskedByStream));
    }

    [Fact]
    public async Task Nobody_at_the_port_is_a_failure_and_a_stop_ends_the_wait()
    {
        FakeDns gone = new(_ => []);
        gone.Dispose();
        Assert.True((await AskAsync(gone)).IsFailure);
        using var silent = new FakeDns(_ => []);
        using var stop = new CancellationTokenSource();
        Task<DnsAnswer> waiting = new DnsExchange(new DnsOptions { Servers = [silent.EndPoint], Patience = TimeSpan.FromSeconds(60), PatienceInAll = TimeSpan.FromSeconds(60) })
            .AskAsync(s_question, stop.Token);
        stop.Cancel();
        Assert.True((await waiting).IsFailure);
    }

    [Fact]
    public void Servers_of_resolv_conf_are_read_and_without_any_it_is_the_machine_itself()
    {
        string file = Path.GetTempFileName();
        File.WriteAllText(file, "# comment\nsearch example.com\nnameserver 192.0.2.53\nnameserver\t2001:db8::53 \nnameserver nonsense\nnameserver 192.0.2.54\nnameserver 192.0.2.55\n");
        IPEndPoint[] servers = DnsServers.Read(file);
        File.Delete(file);
        Assert.Equal(["192.0.2.53:53", "[2001:db8::53]:53", "192.0.2.54:53"], servers.Select(s => s.ToString()));
        Assert.Equal("127.0.0.1:53", Assert.Single(DnsServers.Read(file)).ToString());
    }
}
