using System;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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
    public void Add(ReadOnlySpan<short> pcm)
    {
        Invariant.Holds(pcm.Length == _sum.Length, "a frame is 160 samples");
        ref short from = ref MemoryMarshal.GetReference(pcm);
        ref int to = ref MemoryMarshal.GetArrayDataReference(_sum);
        // 160 is a multiple of the eight samples of one vector.
        for (nuint i = 0; i < PlayoutStream.FrameSamples; i += 8)
        {
            (Vector128<int> low, Vector128<int> high) = Vector128.Widen(Vector128.LoadUnsafe(ref from, i));
            (Vector128.LoadUnsafe(ref to, i) + low).StoreUnsafe(ref to, i);
            (Vector128.LoadUnsafe(ref to, i + 4) + high).StoreUnsafe(ref to, i + 4);
        }
        Streams++;
    }

    /// <param name="pcm">Takes 160 samples; zeros when nothing was added.</param>
    [NoAlloc]
    public void Write(Span<short> pcm)
    {
        Invariant.Holds(pcm.Length == _sum.Length, "a frame is 160 samples");
        for (int i = 0; i < _sum.Length; i++)
        {
            pcm[i] = (short)Math.Clamp(_sum[i], short.MinValue, short.MaxValue);
        }
    }
}
