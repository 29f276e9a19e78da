using System;

namespace Proxy.Audio.Tones;

/// <summary>One owner. A steady tone with continuous phase.</summary>
/// <param name="hz">Frequency.</param>
/// <param name="dbfs">Level, ≤ 0; 0 dBFS is a sine that peaks at 32,767.</param>
/// <param name="rate">Samples a second.</param>
public sealed class SineWave(double hz, double dbfs, int rate = 8000)
{
    private readonly double _amplitude = 32_767 * Math.Pow(10, dbfs / 20);
    private long _at;

    /// <summary>Writes the next samples.</summary>
    public void Fill(Span<short> pcm)
    {
        for (int i = 0; i < pcm.Length; i++)
        {
            // The phase is reduced before the sine, so that an hour of tone stays exact.
            double cycles = hz * _at++ / rate;
            pcm[i] = (short)Math.Round(_amplitude * Math.Sin(2 * Math.PI * (cycles - Math.Floor(cycles))));
        }
    }
}
