using System;
using System.Buffers;
using System.Collections.Generic;
using System.Text;
using Microsoft.Extensions.Logging;
using Proxy.Bridge.Records;
using Proxy.Policy;
using Proxy.Server.Metrics;
using Proxy.Server.Node;
using Xunit;

namespace Proxy.Server.Tests.Node;

public sealed class LeniencyLogTests
{
    [Fact]
    public void A_lenient_acceptance_is_counted_each_time_and_told_once_an_hour_for_each_trunk()
    {
        var lines = new Lines();
        var journal = new CallJournal(lines, _ => { });
        void Pass(string trunk, int minute) => journal.Lenient(
            new CallRecord { TrunkId = trunk, StartedAt = DateTimeOffset.UnixEpoch.AddMinutes(minute) }, CompatUse.FromHost | CompatUse.HalfCredentials);
        Pass("ST_1", 0);
        Pass("ST_1", 59);
        Pass("ST_2", 59);
        Pass("ST_1", 60);
        Assert.Equal(6, lines.Count);
        var text = new ArrayBufferWriter<byte>();
        journal.Write(new MetricsWriter(text));
        string metrics = Encoding.UTF8.GetString(text.WrittenSpan);
        Assert.Contains("siproom_compat_total{what=\"from_host\"} 4", metrics, StringComparison.Ordinal);
        Assert.Contains("siproom_compat_total{what=\"no_trunk\"} 0", metrics, StringComparison.Ordinal);
    }

    private sealed class Lines : List<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Add(formatter(state, exception));
    }
}
