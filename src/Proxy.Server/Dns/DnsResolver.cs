using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Server.Metrics;
using Proxy.Sip.Targets;

namespace Proxy.Server.Dns;

/// <summary>
/// Any thread. Answers of the DNS, each asked for once and remembered for its TTL, "there is none" too. For names that come from callers: neither the hosts
/// file nor search domains are looked at, which would let a caller ask for what is nobody's business outside. Names of the configuration are
/// <see cref="DnsCache"/>'s.
/// </summary>
public sealed class DnsResolver : IMetricsSource, IDisposable
{
    private readonly DnsOptions _options;
    private readonly TimeProvider _time;
    private readonly Func<DnsQuestion, CancellationToken, Task<DnsAnswer>> _ask;
    private readonly Dictionary<DnsQuestion, Entry> _entries = [];
    private readonly SemaphoreSlim _turns;
    private readonly CancellationTokenSource _end = new();
    private int _waiting;
    private long _asked;
    private long _failed;
    private long _remembered;
    private long _turnedAway;

    /// <param name="time">Ages the answers.</param>
    /// <param name="ask">The wire when null.</param>
    public DnsResolver(DnsOptions options, TimeProvider? time = null, Func<DnsQuestion, CancellationToken, Task<DnsAnswer>>? ask = null)
    {
        _options = options;
        _time = time ?? TimeProvider.System;
        _ask = ask ?? new DnsExchange(options).AskAsync;
        _turns = new SemaphoreSlim(options.QuestionsAtOnce);
    }

    /// <returns>A failure when nobody could be asked; never throws.</returns>
    public Task<DnsAnswer> AskAsync(DnsQuestion question)
    {
        lock (_entries)
        {
            bool isThere = _entries.TryGetValue(question, out Entry? entry);
            if (isThere && !entry!.Answer.IsCompleted)
            {
                _remembered++;
                return entry.Answer;
            }
            if (isThere && entry!.Answer.Result is { } known && known.Life - _time.GetElapsedTime(entry.At) is { Ticks: > 0 } left)
            {
                _remembered++;
                return Task.FromResult(known with { Life = left });
            }
            if (_waiting >= _options.QuestionsWaiting)
            {
                _turnedAway++;
                return Task.FromResult(new DnsAnswer([], _options.FailureLife, IsFailure: true));
            }
            if (_entries.Count >= _options.AnswersRemembered)
            {
                _entries.Clear();
            }
            _waiting++;
            _asked++;
            entry = new Entry();
            _entries[question] = entry;
            // Not under the lock, and not on the asker's thread.
            entry.Answer = Task.Run(() => AskInTurnAsync(question, entry));
            return entry.Answer;
        }
    }

    public void Write(MetricsWriter writer)
    {
        lock (_entries)
        {
            void Count(string what, long value) => writer.Counter("siproom_dns_questions_total", "Questions about names that callers gave, and what became of them.", MetricsWriter.Label("what", what), value);
            Count("asked", _asked);
            Count("remembered", _remembered);
            Count("failed", _failed);
            Count("turned_away", _turnedAway);
            writer.Gauge("siproom_dns_answers", "Answers of the DNS that are remembered.", _entries.Count);
        }
    }

    /// <summary>Whoever waits gets a failure.</summary>
    public void Dispose() => _end.Cancel();

    private async Task<DnsAnswer> AskInTurnAsync(DnsQuestion question, Entry entry)
    {
        DnsAnswer answer = new([], TimeSpan.Zero, IsFailure: true);
        try
        {
            await _turns.WaitAsync(_end.Token).ConfigureAwait(false);
            try
            {
                answer = await _ask(question, _end.Token).ConfigureAwait(false);
            }
            finally
            {
                _turns.Release();
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
        lock (_entries)
        {
            _waiting--;
            _failed += answer.IsFailure ? 1 : 0;
            entry.At = _time.GetTimestamp();
        }
        TimeSpan life = answer.IsFailure ? _options.FailureLife
            : answer.Life < _options.LifeMin ? _options.LifeMin
            : answer.Life > _options.LifeMax ? _options.LifeMax
            : answer.Life;
        return answer with { Life = life };
    }

    private sealed class Entry
    {
        public Task<DnsAnswer> Answer { get; set; } = Task.FromResult(new DnsAnswer([], TimeSpan.Zero));

        /// <summary>When it came.</summary>
        public long At { get; set; }
    }
}
