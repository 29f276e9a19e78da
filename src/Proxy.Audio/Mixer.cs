using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Audio;

/// <summary>Shard. Sums streams of 160 samples at unity gain and cuts the sum to 16 bits once.</summary>
public sealed class Mixer
{
    private readonly int[] _sum = new int[PlayoutStream.FrameSamples];

    /// <summary>Streams added since <see cref="Clear"/>.</summary>
    public int Streams { get; private set; }

    [NoAlloc]
    public void Clear()
    {
        Array.Clear(_sum);
        Streams = 0;
    }

    /// <param name="pcm">Exactly 160 samples.</param>
    [NoAlloc]
    public void Add(ReadOnlySpan<short> pcm) => throw new NotImplementedException();

    /// <param name="pcm">Takes 160 samples; zeros when nothing was added.</param>
    [NoAlloc]
    public void Write(Span<short> pcm) => throw new NotImplementedException();
}
