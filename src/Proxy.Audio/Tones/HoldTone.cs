using System;

namespace Proxy.Audio.Tones;

/// <summary>Any thread. Says softly that the line is alive: two notes, a fifth apart, that swell and fade, then quiet.</summary>
public static class HoldTone
{
    private const int Rate = 8_000;
    private const int NoteSamples = Rate * 3 / 4;
    private const double FirstHz = 440;
    private const double SecondHz = 660;
    private const double Peak = 0.05;

    /// <returns>Four seconds at 8 kHz, to be repeated.</returns>
    public static short[] Make()
    {
        short[] samples = new short[4 * Rate];
        Write(samples.AsSpan(0, NoteSamples), FirstHz);
        Write(samples.AsSpan(NoteSamples, NoteSamples), SecondHz);
        return samples;
    }

    private static void Write(Span<short> note, double hz)
    {
        for (int i = 0; i < note.Length; i++)
        {
            double swell = Math.Sin(Math.PI * i / note.Length);
            note[i] = (short)(short.MaxValue * Peak * swell * Math.Sin(2 * Math.PI * hz * i / Rate));
        }
    }
}
