using System;

namespace Proxy.Load;

/// <summary>Looks at received audio in steps of 20 ms: is the tone in it, how loud, and for how long was it missing.</summary>
internal sealed class ToneMeter(double hz, int payloadType)
{
    private const int FrameSamples = 160;
    private readonly short[] _frame = new short[FrameSamples];
    private readonly double _coefficient = 2 * Math.Cos(2 * Math.PI * hz / 8000);
    private int _filled;
    private int _run;

    public int Frames { get; private set; }

    public int FramesWithTone { get; private set; }

    /// <summary>Index of the first frame that held the tone, or -1.</summary>
    public int FirstToneFrame { get; private set; } = -1;

    /// <summary>Longest run of frames without the tone after the first second of tone, milliseconds.</summary>
    public int LongestGapMs { get; private set; }

    /// <summary>Frames without the tone after the first second of tone.</summary>
    public int Holes { get; private set; }

    private double _powerSum;

    /// <summary>Mean level of the frames that held the tone, dBFS of a sine's peak.</summary>
    public double LevelDb => FramesWithTone == 0 ? double.NegativeInfinity : 10 * Math.Log10(_powerSum / FramesWithTone);

    /// <summary>Called with the index of each frame in which the tone sets in after at least 60 ms without it.</summary>
    public Action<int>? Onset { get; set; }

    public void Add(ReadOnlySpan<byte> payload)
    {
        foreach (byte code in payload)
        {
            _frame[_filled++] = G711.Decode(code, payloadType);
            if (_filled == FrameSamples)
            {
                _filled = 0;
                Judge();
            }
        }
    }

    /// <summary>A packet that never came counts as a frame without the tone.</summary>
    public void AddLost()
    {
        _filled = 0;
        Array.Clear(_frame);
        Judge();
    }

    private void Judge()
    {
        double s1 = 0;
        double s2 = 0;
        double energy = 0;
        foreach (short sample in _frame)
        {
            double s0 = sample + (_coefficient * s1) - s2;
            s2 = s1;
            s1 = s0;
            energy += (double)sample * sample;
        }
        double tone = ((s1 * s1) + (s2 * s2) - (_coefficient * s1 * s2)) * 2 / FrameSamples;
        double peakPower = tone * 2 / FrameSamples / (32768.0 * 32768.0);
        bool holds = peakPower > 1e-4 && tone > energy * 0.8;
        if (holds)
        {
            if (FirstToneFrame < 0)
            {
                FirstToneFrame = Frames;
            }
            if (_run >= 3 || FramesWithTone == 0)
            {
                Onset?.Invoke(Frames);
            }
            FramesWithTone++;
            _powerSum += peakPower;
            _run = 0;
        }
        else
        {
            _run++;
            if (FirstToneFrame >= 0 && Frames - FirstToneFrame >= 50)
            {
                Holes++;
                LongestGapMs = Math.Max(LongestGapMs, _run * 20);
            }
        }
        Frames++;
    }
}
