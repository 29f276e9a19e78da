using System;

namespace Proxy.DevRoom.Forwarding;

/// <summary>Room loop. Who speaks: the audio levels of a track over windows of 400 ms.</summary>
/// <remarks>Levels come from the RFC 6464 extension. Active: louder than −35 dBov in 40 % of the window, as the stock server has it.</remarks>
internal sealed class SpeechMeter
{
    /// <summary>Length of a window, milliseconds.</summary>
    public const int WindowMs = 400;

    private const int ThresholdDb = 35;
    private const int FrameMs = 20;
    private int _activeFrames;
    private int _loudestDb = 127;
    private double _smoothed;

    /// <summary>0–1 in steps of 1/8; 0 while silent.</summary>
    public float Level { get; private set; }

    public bool IsActive { get; private set; }

    /// <param name="level">0 (loudest) to 127, −dBov.</param>
    public void Observe(int level)
    {
        if (level <= ThresholdDb)
        {
            _activeFrames++;
            _loudestDb = Math.Min(_loudestDb, level);
        }
    }

    /// <summary>Ends a window.</summary>
    /// <returns>True when clients are to be told: activity or the rounded level changed.</returns>
    public bool EndWindow()
    {
        bool isActive = _activeFrames * FrameMs * 10 >= WindowMs * 4;
        double linear = isActive ? Math.Pow(10, -_loudestDb / 20.0) : 0;
        _smoothed = isActive ? _smoothed + ((linear - _smoothed) * 2 / 3) : 0;
        float level = isActive ? (float)(Math.Ceiling(_smoothed * 8) / 8) : 0;
        bool hasChanged = isActive != IsActive || level != Level;
        IsActive = isActive;
        Level = level;
        _activeFrames = 0;
        _loudestDb = 127;
        return hasChanged;
    }

    /// <summary>The track is gone or muted.</summary>
    public void Reset()
    {
        _activeFrames = 0;
        _smoothed = 0;
    }
}
