using System;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Server.Dns;
using Xunit;

namespace Proxy.Server.Tests.Dns;

public sealed class DnsCacheTests
{
    [Fact]
    public async Task Many_dials_of_one_host_ask_once()
    {
        int asked = 0;
        TaskCompletionSource<IPAddress[]> answer = new();
        DnsCache cache = new(lookUp: _ =>
        {
            Interlocked.Increment(ref asked);
            return answer.Task;
        });
        Task<IPAddress[]>[] dials = new Task<IPAddress[]>[50];
        for (int i = 0; i < dials.Length; i++)
        {
            dials[i] = cache.ResolveAsync(i % 2 == 0 ? "Room.example" : "room.example", CancellationToken.None);
        }
        answer.SetResult([IPAddress.Loopback]);
        foreach (Task<IPAddress[]> dial in dials)
        {
            Assert.Equal(IPAddress.Loopback, Assert.Single(await dial));
        }
        await cache.ResolveAsync("room.example", CancellationToken.None);
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task Stale_answer_is_used_when_the_resolver_fails_and_an_unknown_name_is_an_error()
    {
        Clock time = new();
        bool isBroken = false;
        DnsCache cache = new(time, host => isBroken ? throw new SocketException(11001) : Task.FromResult<IPAddress[]>([IPAddress.Parse("192.0.2.1")]));
        await cache.ResolveAsync("a.example", CancellationToken.None);
        isBroken = true;
        time.Seconds = 60;
        Assert.Equal("192.0.2.1", (await cache.ResolveAsync("a.example", CancellationToken.None))[0].ToString());
        await Assert.ThrowsAsync<SocketException>(() => cache.ResolveAsync("b.example", CancellationToken.None));
        time.Seconds = 1000;
        await Assert.ThrowsAsync<SocketException>(() => cache.ResolveAsync("a.example", CancellationToken.None));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    public async Task Literal_is_not_looked_up(string literal)
    {
        DnsCache cache = new(lookUp: _ => throw new InvalidOperationException("asked"));
        Assert.True(IPAddress.IsLoopback(Assert.Single(await cache.ResolveAsync(literal, CancellationToken.None))));
    }

    private sealed class Clock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
