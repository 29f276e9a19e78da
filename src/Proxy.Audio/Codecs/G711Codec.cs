using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Audio.Codecs;

/// <summary>The two laws of G.711.</summary>
public enum G711Law
{
    /// <summary>PCMU, payload type 0.</summary>
    Mu,

    /// <summary>PCMA, payload type 8.</summary>
    A,
}

/// <summary>Any thread (no state). PCMU and PCMA by table.</summary>
/// <remarks>ITU-T G.711; RFC 3551 §4.5.14.</remarks>
public sealed class G711Codec(G711Law law) : IAudioCodec
{
    public G711Law Law => law;

    public int ClockHz => 8000;

    public string Name => law == G711Law.Mu ? "PCMU" : "PCMA";

    [NoAlloc]
    public int Encode(ReadOnlySpan<short> pcm, Span<byte> packet) => throw new NotImplementedException();

    [NoAlloc]
    public int Decode(ReadOnlySpan<byte> packet, Span<short> pcm) => throw new NotImplementedException();

    [NoAlloc]
    public bool Conceal(ReadOnlySpan<byte> next, Span<short> pcm) => false;

    public void Dispose()
    {
    }
}
