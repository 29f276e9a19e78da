using System;

namespace Proxy.Audio.Tones;

/// <summary>Any thread. The ringing tone of most of Europe: 425 Hz, one second in five.</summary>
/// <remarks>ITU-T E.180 supplement 2; ETSI TR 101 041-2.</remarks>
public static class RingingTone
{
    private const int Rate = 8_000;
    private const double Hz = 425;
    private const double Peak = 0.12;
    private const int FadeSamples = 80;

    /// <returns>Five seconds at 8 kHz, to be repeated.</returns>
    public static short[] Make()
    {
        short[] samples = new short[5 * Rate];
        for (int i = 0; i < Rate; i++)
        {
            double edge = Math.Min(1.0, Math.Min(i, Rate - i) / (double)FadeSamples);
            samples[i] = (short)(short.MaxValue * Peak * edge * Math.Sin(2 * Math.PI * Hz * i / Rate));
        }
        return samples;
    }
}
