using System;
using Proxy.Audio.Codecs;
using Proxy.Core.Diagnostics;

namespace Proxy.Audio;

/// <summary>Shard. Turns 20 ms of PCM into one packet's payload.</summary>
public sealed class Transcoder(IAudioCodec codec) : IDisposable
{
    public IAudioCodec Codec => codec;

    /// <summary>How far the RTP timestamp moves with each frame.</summary>
    public int TicksPerFrame => codec.ClockHz / 50;

    /// <summary>Encodes 160 samples.</summary>
    /// <param name="pcm">20 ms at 8,000 Hz.</param>
    /// <param name="payload">Room for 1,275 bytes.</param>
    /// <param name="audioLevel">0–127, −dBov, for the RTP extension.</param>
    /// <returns>Payload bytes, or 0 when the codec failed.</returns>
    [NoAlloc]
    public int Encode(ReadOnlySpan<short> pcm, Span<byte> payload, out int audioLevel)
    {
        audioLevel = AudioLevel.OfPcm(pcm);
        return codec.Encode(pcm, payload);
    }

    public void Dispose() => codec.Dispose();
}
