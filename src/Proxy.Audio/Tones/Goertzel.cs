using System;

namespace Proxy.Audio.Tones;

/// <summary>Any thread. How much of one frequency is in a piece of PCM.</summary>
public static class Goertzel
{
    /// <summary>Level returned for no signal at all, dBFS.</summary>
    public const double Floor = -120;

    /// <summary>Level of the tone at <paramref name="hz"/>, dBFS: 0 is a sine that peaks at 32,767.</summary>
    /// <param name="pcm">Best a whole number of periods.</param>
    public static double LevelDbfs(ReadOnlySpan<short> pcm, double hz, int rate = 8000)
    {
        if (pcm.IsEmpty)
        {
            return Floor;
        }
        double omega = 2 * Math.PI * hz / rate;
        double coefficient = 2 * Math.Cos(omega);
        double s1 = 0;
        double s2 = 0;
        foreach (short sample in pcm)
        {
            double s = sample + (coefficient * s1) - s2;
            s2 = s1;
            s1 = s;
        }
        double power = (s1 * s1) + (s2 * s2) - (coefficient * s1 * s2);
        double amplitude = 2 * Math.Sqrt(Math.Max(power, 0)) / pcm.Length;
        return amplitude < 1e-6 ? Floor : Math.Max(Floor, 20 * Math.Log10(amplitude / 32_767));
    }
}
