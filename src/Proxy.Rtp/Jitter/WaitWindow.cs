using System;
using Proxy.Core.Diagnostics;
using Proxy.Core.Time;

namespace Proxy.Rtp.Jitter;

/// <summary>
/// One owner. The shortest time that packets of the last ten seconds waited between arrival and playing: what is left over of it
/// could be saved, what is missing is late. It needs neither the sender's clock nor ours to be right.
/// </summary>
internal struct WaitWindow
{
    private const int Buckets = 8;
    private const long BucketMicros = 1_250_000;

    private BucketArray _least;
    private long _bucket;
    private bool _hasStarted;
    private long _startedAt;

    /// <summary>The window reaches back over its whole length.</summary>
    public readonly bool IsFull(MonoTime now) => _hasStarted && now.Micros - _startedAt >= Buckets * BucketMicros;

    /// <param name="waitMicros">Negative for a packet that came too late.</param>
    [NoAlloc]
    public void Note(long waitMicros, MonoTime now)
    {
        Turn(now);
        ref long least = ref _least[(int)(_bucket % Buckets)];
        least = Math.Min(least, waitMicros);
    }

    /// <summary>The delay changed by this much: every packet would have waited that much longer.</summary>
    [NoAlloc]
    public void Shift(long micros)
    {
        for (int i = 0; i < Buckets; i++)
        {
            if (_least[i] != long.MaxValue)
            {
                _least[i] += micros;
            }
        }
    }

    /// <summary>The shortest wait of the last <paramref name="buckets"/> buckets of 1.25 s, µs; <see cref="long.MaxValue"/> when nothing was played.</summary>
    [NoAlloc]
    public long Least(int buckets, MonoTime now)
    {
        Turn(now);
        long least = long.MaxValue;
        for (int i = 0; i < buckets; i++)
        {
            least = Math.Min(least, _least[(int)((_bucket - i + Buckets) % Buckets)]);
        }
        return least;
    }

    [NoAlloc]
    public void Clear() => _hasStarted = false;

    private void Turn(MonoTime now)
    {
        long bucket = now.Micros / BucketMicros;
        if (!_hasStarted || bucket - _bucket >= Buckets)
        {
            for (int i = 0; i < Buckets; i++)
            {
                _least[i] = long.MaxValue;
            }
            if (!_hasStarted)
            {
                _startedAt = now.Micros;
                _hasStarted = true;
            }
            _bucket = bucket;
        }
        while (_bucket < bucket)
        {
            _bucket++;
            _least[(int)(_bucket % Buckets)] = long.MaxValue;
        }
    }

    [System.Runtime.CompilerServices.InlineArray(Buckets)]
    private struct BucketArray
    {
        private long _element;
    }
}
