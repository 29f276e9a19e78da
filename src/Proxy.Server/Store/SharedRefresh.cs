using System;
using System.Threading;
using System.Threading.Tasks;

namespace Proxy.Server.Store;

/// <summary>
/// Any thread. Reads a store again for calls that would be refused: whoever comes while one reading runs shares it, and one
/// begins at most every second. Who comes too early for the next one waits for it where that is soon enough.
/// </summary>
/// <param name="refresh">Reads; its failures are its own matter.</param>
/// <param name="interval">From one beginning to the next.</param>
/// <param name="patience">Longest wait for a beginning.</param>
public sealed class SharedRefresh(Func<CancellationToken, Task> refresh, TimeSpan interval, TimeSpan patience, TimeProvider? time = null)
{
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _gate = new();
    private Task _running = Task.CompletedTask;
    private long _begunAt;
    private bool _hasBegun;

    /// <summary>Readings that calls asked for.</summary>
    public long Count { get; private set; }

    /// <returns>The reading; null when the last one began too short a time ago to wait for the next.</returns>
    public Task? TryJoin()
    {
        lock (_gate)
        {
            if (!_running.IsCompleted)
            {
                return _running;
            }
            TimeSpan rest = _hasBegun ? interval - _time.GetElapsedTime(_begunAt) : TimeSpan.Zero;
            if (rest > patience)
            {
                return null;
            }
            _hasBegun = true;
            _begunAt = _time.GetTimestamp() + (rest > TimeSpan.Zero ? (long)(rest.TotalSeconds * _time.TimestampFrequency) : 0);
            Count++;
            return _running = Task.Run(() => RunAsync(rest));
        }
    }

    private async Task RunAsync(TimeSpan rest)
    {
        if (rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, _time).ConfigureAwait(false);
        }
        await refresh(CancellationToken.None).ConfigureAwait(false);
    }
}
