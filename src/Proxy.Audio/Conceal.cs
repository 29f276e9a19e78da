using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Audio;

/// <summary>Shard. Makes up lost samples by repeating the last pitch period, and lets them fade within 100 ms.</summary>
/// <remarks>The idea of ITU-T G.711 appendix I, without its delay: 20 ms at full level, then a straight fade to nothing. Slower than its 60 ms: what starves us is more often a stall than a loss.</remarks>
internal sealed class Conceal
{
    private const int HistorySamples = 240;
    private const int ShortestPeriod = 40;
    private const int LongestPeriod = 120;
    private const int TemplateSamples = 80;
    private const int FullSamples = 160;
    private const int FadedSamples = 800;
    private const int JoinSamples = 32;

    private readonly short[] _history = new short[HistorySamples];
    private readonly short[] _period = new short[LongestPeriod];
    private int _periodSamples;
    private int _at;
    private int _run;

    /// <summary>Nothing is left of the made-up signal.</summary>
    public bool HasFaded => _run >= FadedSamples;

    /// <summary>Made-up samples are the last that were played.</summary>
    public bool IsRunning => _run > 0;

    /// <summary>Takes note of real samples that follow what was played.</summary>
    [NoAlloc]
    public void Note(ReadOnlySpan<short> pcm)
    {
        if (pcm.Length >= HistorySamples)
        {
            pcm[^HistorySamples..].CopyTo(_history);
            return;
        }
        _history.AsSpan(pcm.Length).CopyTo(_history);
        pcm.CopyTo(_history.AsSpan(HistorySamples - pcm.Length));
    }

    /// <summary>Writes made-up samples that continue what was played.</summary>
    [NoAlloc]
    public void Fill(Span<short> pcm)
    {
        if (_run == 0)
        {
            TakePeriod();
        }
        for (int i = 0; i < pcm.Length; i++)
        {
            pcm[i] = Next();
        }
    }

    /// <summary>Lets real samples that follow made-up ones begin softly; ends the concealment.</summary>
    [NoAlloc]
    public void Join(Span<short> pcm)
    {
        int length = Math.Min(JoinSamples, pcm.Length);
        for (int i = 0; _run > 0 && i < length; i++)
        {
            pcm[i] = (short)(((pcm[i] * (i + 1)) + (Next() * (length - i - 1))) / length);
        }
        _run = 0;
    }

    private short Next()
    {
        int run = _run;
        if (run >= FadedSamples)
        {
            return 0;
        }
        _run++;
        short sample = _period[_at];
        _at = _at + 1 == _periodSamples ? 0 : _at + 1;
        return run < FullSamples ? sample : (short)(sample * (FadedSamples - run) / (FadedSamples - FullSamples));
    }

    private void TakePeriod()
    {
        _periodSamples = FindPeriod();
        _at = 0;
        ReadOnlySpan<short> last = _history.AsSpan(HistorySamples - _periodSamples);
        last.CopyTo(_period);
        // The end of the period glides into what stood before its start, so that the repetition has no seam.
        int seam = _periodSamples / 4;
        ReadOnlySpan<short> before = _history.AsSpan(HistorySamples - _periodSamples - seam, seam);
        for (int i = 0; i < seam; i++)
        {
            int at = _periodSamples - seam + i;
            _period[at] = (short)(((_period[at] * (seam - i - 1)) + (before[i] * (i + 1))) / seam);
        }
    }

    /// <summary>The distance at which the newest 10 ms look most like what was before.</summary>
    private int FindPeriod()
    {
        ReadOnlySpan<short> history = _history;
        ReadOnlySpan<short> template = history[^TemplateSamples..];
        int best = ShortestPeriod;
        double bestScore = double.MinValue;
        for (int lag = ShortestPeriod; lag <= LongestPeriod; lag++)
        {
            ReadOnlySpan<short> candidate = history.Slice(HistorySamples - TemplateSamples - lag, TemplateSamples);
            double score = Correlation.Of(template, candidate);
            if (score > bestScore)
            {
                bestScore = score;
                best = lag;
            }
        }
        return best;
    }
}
