using System;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Policy;
using Proxy.Policy.Deferred;
using Proxy.Server.Store;
using Xunit;

namespace Proxy.Server.Tests.Store;

public sealed class SharedRefreshTests
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(300);

    [Fact]
    public async Task Whoever_comes_while_a_reading_runs_shares_it()
    {
        var reading = new TaskCompletionSource();
        int readings = 0;
        var refresh = new SharedRefresh(_ =>
        {
            Interlocked.Increment(ref readings);
            return reading.Task;
        }, s_second, s_patience, new HandTime());
        Task first = refresh.TryJoin()!;
        Assert.Same(first, refresh.TryJoin());
        Assert.Same(first, refresh.TryJoin());
        reading.SetResult();
        await first;
        Assert.Equal((1, 1L), (readings, refresh.Count));
    }

    [Fact]
    public async Task One_begins_at_most_every_second_and_waiting_for_it_has_a_limit()
    {
        int readings = 0;
        var time = new HandTime();
        var refresh = new SharedRefresh(_ =>
        {
            Interlocked.Increment(ref readings);
            return Task.CompletedTask;
        }, s_second, s_patience, time);
        await refresh.TryJoin()!;
        Assert.Null(refresh.TryJoin());
        time.Pass(TimeSpan.FromMilliseconds(699));
        Assert.Null(refresh.TryJoin());
        time.Pass(TimeSpan.FromMilliseconds(301));
        await refresh.TryJoin()!;
        Assert.Equal(2, readings);
    }

    [Fact]
    public async Task A_call_says_what_its_reading_came_to()
    {
        string outage = "";
        var time = new HandTime();
        var answers = new PolicyAnswers(null, new SharedRefresh(_ => Task.CompletedTask, s_second, s_patience, time), () => outage);
        var deferred = new Verdict { Kind = VerdictKind.Deferred, Deferral = new Deferral(DeferralKind.Refresh, s_patience, new Verdict()) };
        Assert.True(answers.TryEnter(deferred, out _));
        DeferredAnswer read = await answers.AskAsync(new CallFacts(), deferred, default);
        Assert.True(read.IsAnswered);
        Assert.Matches("^read again in [0-9]+ ms$", read.Note);
        Assert.Equal("not read again: it was less than a second ago", (await answers.AskAsync(new CallFacts(), deferred, default)).Note);
        time.Pass(s_second);
        outage = "Redis does not answer";
        DeferredAnswer away = await answers.AskAsync(new CallFacts(), deferred, default);
        Assert.Equal((false, "not read again: Redis does not answer"), (away.IsAnswered, away.Note));
    }

    private sealed class HandTime : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _now);

        public void Pass(TimeSpan by) => Interlocked.Add(ref _now, by.Ticks);
    }
}
