using System;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Proxy.Bridge.Records;
using Proxy.Core;
using Proxy.Server.Metrics;

namespace Proxy.Server.Records;

/// <summary>Any thread writes and asks, one task owns the <see cref="CallHistory"/>. A full queue loses the newest record and counts it.</summary>
public sealed class CallArchive : IMetricsSource, IDisposable
{
    private const int QueueLength = 8_192;
    private readonly Channel<Mail> _queue = Channel.CreateBounded<Mail>(new BoundedChannelOptions(QueueLength) { SingleReader = true });
    private readonly CallHistory _history;
    private long _lost;
    private volatile int _count;

    public CallArchive(Limits limits)
    {
        _history = new CallHistory(limits);
        _ = Task.Run(RunAsync);
    }

    /// <summary>Never blocks.</summary>
    public void Write(CallRecord record)
    {
        if (!_queue.Writer.TryWrite(new Mail(record, null)))
        {
            Interlocked.Increment(ref _lost);
        }
    }

    /// <summary>Runs the question where the history lives, after all that was written before.</summary>
    public async Task<T> AskAsync<T>(Func<CallHistory, T> question, CancellationToken cancellation)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await _queue.Writer.WriteAsync(
            new Mail(null, history =>
            {
                try
                {
                    answer.SetResult(question(history));
                }
                catch (Exception e)
                {
                    answer.SetException(e);
                }
            }),
            cancellation).ConfigureAwait(false);
        return await answer.Task.WaitAsync(cancellation).ConfigureAwait(false);
    }

    public void Write(MetricsWriter writer)
    {
        writer.Gauge("siproom_history_records", "Call attempts that are remembered.", _count);
        writer.Counter("siproom_history_lost_total", "Call attempts that are not remembered because the queue was full.", Volatile.Read(ref _lost));
    }

    /// <summary>The task ends when it has read what is queued.</summary>
    public void Dispose() => _queue.Writer.TryComplete();

    private async Task RunAsync()
    {
        await foreach (Mail mail in _queue.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            if (mail.Record is { } record)
            {
                _history.Add(record);
                _count = _history.Count;
            }
            mail.Question?.Invoke(_history);
        }
    }

    private readonly record struct Mail(CallRecord? Record, Action<CallHistory>? Question);
}
