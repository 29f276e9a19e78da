using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Audio.Codecs;

/// <summary>Any thread (no state). PCMU and PCMA by table.</summary>
/// <remarks>ITU-T G.711; RFC 3551 §4.5.14.</remarks>
public sealed class G711Codec(G711Law law) : IAudioCodec
{
    /// <summary>120 ms: the longest packet that is taken.</summary>
    private const int MaxSamples = 960;

    public G711Law Law => law;

    public int ClockHz => 8000;

    public string Name => law == G711Law.Mu ? "PCMU" : "PCMA";

    [NoAlloc]
    public int Encode(ReadOnlySpan<short> pcm, Span<byte> packet)
    {
        if (packet.Length < pcm.Length)
        {
            return 0;
        }
        ReadOnlySpan<byte> table = G711Tables.Encode(law);
        int shift = law == G711Law.Mu ? G711Tables.MuShift : G711Tables.AShift;
        for (int i = 0; i < pcm.Length; i++)
        {
            packet[i] = table[(ushort)pcm[i] >> shift];
        }
        return pcm.Length;
    }

    [NoAlloc]
    public int Duration(ReadOnlySpan<byte> packet) => packet.Length <= MaxSamples ? packet.Length : 0;

    [NoAlloc]
    public int Decode(ReadOnlySpan<byte> packet, Span<short> pcm)
    {
        if (packet.Length > MaxSamples || pcm.Length < packet.Length)
        {
            return 0;
        }
        ReadOnlySpan<short> table = G711Tables.Decode(law);
        for (int i = 0; i < packet.Length; i++)
        {
            pcm[i] = table[packet[i]];
        }
        return packet.Length;
    }

    [NoAlloc]
    public bool Conceal(ReadOnlySpan<byte> next, Span<short> pcm) => false;

    public void Dispose()
    {
    }
}
