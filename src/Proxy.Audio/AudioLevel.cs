using System;
using Proxy.Audio.Codecs;
using Proxy.Core.Diagnostics;

namespace Proxy.Audio;

/// <summary>Any thread. Loudness for the client-to-mixer extension: 0 (full-scale square wave) to 127 (silence), −dBov.</summary>
/// <remarks>RFC 6464 §3, appendix A of RFC 6465.</remarks>
public static class AudioLevel
{
    /// <summary>The level of no sound at all.</summary>
    public const int Silence = 127;

    private const double FullScale = 32_767;

    /// <summary>From a G.711 payload, without decoding it a second time: a table of squares.</summary>
    [NoAlloc]
    public static int OfG711(ReadOnlySpan<byte> payload, G711Law law)
    {
        ReadOnlySpan<uint> squares = G711Tables.Squares(law);
        ulong sum = 0;
        foreach (byte code in payload)
        {
            sum += squares[code];
        }
        return Of(sum, payload.Length);
    }

    [NoAlloc]
    public static int OfPcm(ReadOnlySpan<short> pcm)
    {
        ulong sum = 0;
        foreach (short sample in pcm)
        {
            sum += (uint)(sample * sample);
        }
        return Of(sum, pcm.Length);
    }

    private static int Of(ulong sum, int samples)
    {
        if (sum == 0 || samples == 0)
        {
            return Silence;
        }
        double power = sum / ((double)samples * FullScale * FullScale);
        return (int)Math.Clamp(Math.Round(-10 * Math.Log10(power)), 0, Silence);
    }
}
