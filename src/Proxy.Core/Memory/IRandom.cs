using System;

namespace Proxy.Core.Memory;

/// <summary>One owner each. Where tags, branches, SSRCs and keys come from: the system's generator in the product, a seed in tests.</summary>
public interface IRandom
{
    void Fill(Span<byte> bytes);
}

/// <summary>One owner. Repeatable bytes from a seed (SplitMix64); tests only.</summary>
public sealed class SeededRandom(ulong seed) : IRandom
{
    private ulong _state = seed;

    /// <summary>Uniform over all 64-bit values.</summary>
    public ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>0 ≤ result &lt; <paramref name="bound"/>.</summary>
    public int Next(int bound) => (int)(Next() % (ulong)bound);

    public void Fill(Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(Next() >> 24);
        }
    }
}
