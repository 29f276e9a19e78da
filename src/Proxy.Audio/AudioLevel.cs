using System;
using Proxy.Audio.Codecs;
using Proxy.Core.Diagnostics;

namespace Proxy.Audio;

/// <summary>Any thread. Loudness for the client-to-mixer extension: 0 (full-scale square wave) to 127 (silence), −dBov.</summary>
/// <remarks>RFC 6464 §3, appendix A of RFC 6465.</remarks>
public static class AudioLevel
{
    /// <summary>From a G.711 payload, without decoding it a second time: a table of squares.</summary>
    [NoAlloc]
    public static int OfG711(ReadOnlySpan<byte> payload, G711Law law) => throw new NotImplementedException();

    [NoAlloc]
    public static int OfPcm(ReadOnlySpan<short> pcm) => throw new NotImplementedException();
}
