using System;
using Proxy.Core.Diagnostics;
using Proxy.Native.Opus;

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
    private const int Rate = 8000;

    /// <summary>2.5 ms: concealment comes in multiples of it.</summary>
    private const int GrainSamples = 20;
    private const int MaxSamples = 960;

    private readonly OpusEncoder? _encoder;
    private readonly OpusDecoder? _decoder;

    /// <exception cref="InvalidOperationException">libopus refused the options.</exception>
    public OpusCodec(OpusOptions options, CodecUse use)
    {
        if ((use & CodecUse.Encode) != 0)
        {
            _encoder = new OpusEncoder(Rate, options.Complexity, options.Bitrate, options.UsesFec, options.UsesDtx);
        }
        if ((use & CodecUse.Decode) != 0)
        {
            _decoder = new OpusDecoder(Rate);
        }
    }

    public int ClockHz => 48_000;

    public string Name => "opus";

    [NoAlloc]
    public int Encode(ReadOnlySpan<short> pcm, Span<byte> packet)
    {
        Invariant.Holds(_encoder is not null, "this codec was made for decoding only");
        return _encoder.Encode(pcm, packet);
    }

    [NoAlloc]
    public int Decode(ReadOnlySpan<byte> packet, Span<short> pcm)
    {
        Invariant.Holds(_decoder is not null, "this codec was made for encoding only");
        return _decoder.Decode(packet, pcm);
    }

    [NoAlloc]
    public bool Conceal(ReadOnlySpan<byte> next, Span<short> pcm)
    {
        Invariant.Holds(_decoder is not null, "this codec was made for encoding only");
        int whole = pcm.Length - (pcm.Length % GrainSamples);
        int made = whole == 0 ? 0 : _decoder.Conceal(next, pcm[..whole]);
        pcm[made..].Clear();
        return made > 0;
    }

    /// <remarks>RFC 6716 §3.1: the first byte holds mode and frame length, its last two bits the number of frames.</remarks>
    [NoAlloc]
    public int Duration(ReadOnlySpan<byte> packet)
    {
        if (packet.IsEmpty)
        {
            return 0;
        }
        int configuration = packet[0] >> 3;
        int frame = configuration switch
        {
            < 12 => (configuration & 3) switch { 0 => 80, 1 => 160, 2 => 320, _ => 480 },
            < 16 => (configuration & 1) == 0 ? 80 : 160,
            _ => 20 << (configuration & 3),
        };
        int frames = (packet[0] & 3) switch
        {
            0 => 1,
            3 => packet.Length > 1 ? packet[1] & 0x3F : 0,
            _ => 2,
        };
        int samples = frame * frames;
        return samples <= MaxSamples ? samples : 0;
    }

    public void Dispose()
    {
        _encoder?.Dispose();
        _decoder?.Dispose();
    }
}
