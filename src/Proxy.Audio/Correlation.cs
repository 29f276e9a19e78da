using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Audio;

/// <summary>Any thread. How alike two pieces of PCM are.</summary>
internal static class Correlation
{
    /// <returns>−1 to 1, level apart; 0 when one is silent.</returns>
    [NoAlloc]
    public static double Of(ReadOnlySpan<short> a, ReadOnlySpan<short> b)
    {
        long cross = 0;
        long energyA = 0;
        long energyB = 0;
        for (int i = 0; i < a.Length && i < b.Length; i++)
        {
            cross += a[i] * b[i];
            energyA += a[i] * a[i];
            energyB += b[i] * b[i];
        }
        return energyA == 0 || energyB == 0 ? 0 : cross / Math.Sqrt((double)energyA * energyB);
    }
}
