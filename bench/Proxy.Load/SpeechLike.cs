using System;

namespace Proxy.Load;

/// <summary>
/// Eight seconds that cost an encoder what speech costs it: voiced syllables with moving formants, hisses, pauses. Made
/// from a fixed seed, so that every run sends the same samples.
/// </summary>
internal static class SpeechLike
{
    public const int Samples = 8 * Rate;
    private const int Rate = 8000;
    private static readonly (double F1, double F2)[] s_vowels = [(730, 1090), (270, 2290), (300, 870), (530, 1840), (570, 840), (660, 1720)];

    public static short[] Make()
    {
        var random = new Random(1);
        var output = new short[Samples];
        int at = 0;
        double phase = 0;
        while (at < Samples)
        {
            int length = Math.Min(Samples - at, random.Next(Rate / 10, Rate / 4));
            int kind = random.Next(10);
            Span<short> syllable = output.AsSpan(at, length);
            if (kind < 6)
            {
                Voice(syllable, s_vowels[random.Next(s_vowels.Length)], 95 + (random.NextDouble() * 80), ref phase);
            }
            else if (kind < 8)
            {
                Hiss(syllable, random);
            }
            at += length;
        }
        return output;
    }

    /// <summary>Pulses through two resonators, swelling and fading, the pitch gliding down.</summary>
    private static void Voice(Span<short> to, (double F1, double F2) vowel, double pitchHz, ref double phase)
    {
        var low = new Resonator(vowel.F1, 80);
        var high = new Resonator(vowel.F2, 120);
        for (int i = 0; i < to.Length; i++)
        {
            double along = (double)i / to.Length;
            phase += pitchHz * (1.1 - (0.2 * along)) / Rate;
            double pulse = 0;
            if (phase >= 1)
            {
                phase -= 1;
                pulse = 1;
            }
            double swell = Math.Sin(Math.PI * along);
            to[i] = (short)Math.Clamp(swell * 9000 * (low.Step(pulse) + (0.5 * high.Step(pulse))), -20000, 20000);
        }
    }

    private static void Hiss(Span<short> to, Random random)
    {
        var band = new Resonator(2800, 900);
        for (int i = 0; i < to.Length; i++)
        {
            double swell = Math.Sin(Math.PI * i / to.Length);
            to[i] = (short)(swell * 1500 * band.Step((random.NextDouble() * 2) - 1));
        }
    }

    private struct Resonator(double hz, double widthHz)
    {
        private readonly double _r = Math.Exp(-Math.PI * widthHz / Rate);
        private readonly double _cosine = 2 * Math.Cos(2 * Math.PI * hz / Rate);
        private double _y1;
        private double _y2;

        public double Step(double x)
        {
            double y = x + (_r * _cosine * _y1) - (_r * _r * _y2);
            _y2 = _y1;
            _y1 = y;
            return y;
        }
    }
}
