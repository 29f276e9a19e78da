using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Audio.Codecs;

/// <summary>Any thread. How Opus is encoded.</summary>
public sealed record OpusOptions
{
    /// <summary>0–10; 5 costs about 50 µs a frame at 8 kHz.</summary>
    public int Complexity { get; init; } = 5;

    /// <summary>Bits a second.</summary>
    public int Bitrate { get; init; } = 24_000;

    public bool UsesFec { get; init; }

    /// <summary>Discontinuous transmission; silences a steady tone after some seconds, so it is off.</summary>
    public bool UsesDtx { get; init; }
}

/// <summary>Which half of a codec is wanted; the other half takes no memory.</summary>
[Flags]
public enum CodecUse
{
    Encode = 1,
    Decode = 2,
    Both = 3,
}

/// <summary>One owner. Opus through libopus at 8,000 Hz both ways: no resampler. Takes 2.5–120 ms packets, mono or stereo.</summary>
/// <remarks>RFC 6716, RFC 7587.</remarks>
public sealed class OpusCodec : IAudioCodec
{
    public OpusCodec(OpusOptions options, CodecUse use)
    {
    }

    public int ClockHz => 48_000;

    public string Name => "opus";

    [NoAlloc]
    public int Encode(ReadOnlySpan<short> pcm, Span<byte> packet) => throw new NotImplementedException();

    [NoAlloc]
    public int Decode(ReadOnlySpan<byte> packet, Span<short> pcm) => throw new NotImplementedException();

    [NoAlloc]
    public bool Conceal(ReadOnlySpan<byte> next, Span<short> pcm) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
