using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Audio;

/// <summary>Any thread. Takes one pitch period out of 20 ms of sound, or puts one in, without a seam: how delay is given back or won.</summary>
internal static class TimeScale
{
    /// <summary>Samples that are needed to work on.</summary>
    public const int WindowSamples = 160;

    /// <summary>The most that one step adds or takes away: 10 ms.</summary>
    public const int MaxStepSamples = 80;

    private const int LeastStepSamples = 20;
    private const int BlendSamples = 80;

    /// <summary>Takes a period out of the first <see cref="WindowSamples"/>.</summary>
    /// <param name="pcm">At least a window; what remains stands at the start afterwards.</param>
    /// <returns>Samples taken out.</returns>
    [NoAlloc]
    public static int Shorten(Span<short> pcm)
    {
        int step = FindPeriod(pcm);
        for (int i = 0; i < BlendSamples; i++)
        {
            pcm[i] = Blend(pcm[i], pcm[i + step], i);
        }
        pcm[(BlendSamples + step)..].CopyTo(pcm[BlendSamples..]);
        return step;
    }

    /// <summary>Puts a period into the first <see cref="WindowSamples"/>.</summary>
    /// <param name="pcm">The samples, and <see cref="MaxStepSamples"/> of room behind them.</param>
    /// <param name="count">Samples that are there.</param>
    /// <returns>Samples put in.</returns>
    [NoAlloc]
    public static int Stretch(Span<short> pcm, int count)
    {
        int step = FindPeriod(pcm);
        // First the period as it is, then a glide from its continuation back to its start.
        pcm[..count].CopyTo(pcm[step..]);
        Span<short> repeated = pcm[step..];
        Span<short> start = stackalloc short[BlendSamples];
        repeated[..BlendSamples].CopyTo(start);
        for (int i = 0; i < BlendSamples; i++)
        {
            repeated[i] = Blend(repeated[i + step], start[i], i);
        }
        return step;
    }

    private static short Blend(short from, short to, int at) =>
        (short)(((from * (BlendSamples - at)) + (to * at)) / BlendSamples);

    private static int FindPeriod(ReadOnlySpan<short> pcm)
    {
        ReadOnlySpan<short> template = pcm[..BlendSamples];
        int best = MaxStepSamples;
        double bestScore = 0;
        for (int lag = LeastStepSamples; lag <= MaxStepSamples; lag++)
        {
            double score = Correlation.Of(template, pcm.Slice(lag, BlendSamples));
            if (score > bestScore)
            {
                bestScore = score;
                best = lag;
            }
        }
        return best;
    }
}
