using System;

namespace Proxy.Audio.Tones;

/// <summary>Any thread. Finds where a tone is missing, by samples and not by arrival.</summary>
public static class ToneGaps
{
    /// <summary>The longest run of samples without the tone.</summary>
    /// <param name="thresholdDbfs">The tone counts as present from this level on.</param>
    /// <param name="windowMs">Length of one measurement; windows advance by a quarter of it.</param>
    /// <returns>Milliseconds, to the window's step.</returns>
    public static double LongestMs(ReadOnlySpan<short> pcm, double hz, double thresholdDbfs, int rate = 8000, int windowMs = 10)
    {
        int window = rate * windowMs / 1000;
        int step = Math.Max(window / 4, 1);
        int longest = 0;
        int lastPresent = 0;
        for (int start = 0; start + window <= pcm.Length; start += step)
        {
            if (Goertzel.LevelDbfs(pcm.Slice(start, window), hz, rate) >= thresholdDbfs)
            {
                longest = Math.Max(longest, start - lastPresent);
                lastPresent = start + window;
            }
        }
        longest = Math.Max(longest, pcm.Length - lastPresent);
        return longest * 1000.0 / rate;
    }
}
