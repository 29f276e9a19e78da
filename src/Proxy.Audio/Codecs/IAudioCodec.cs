using System;

namespace Proxy.Audio.Codecs;

/// <summary>One owner each. The seam to a codec; the PCM side is always 8,000 Hz, mono, 16 bits.</summary>
public interface IAudioCodec : IDisposable
{
    /// <summary>RTP clock.</summary>
    int ClockHz { get; }

    /// <summary>Name as in SDP: <c>PCMU</c>, <c>PCMA</c>, <c>opus</c>.</summary>
    string Name { get; }

    /// <summary>Encodes one frame.</summary>
    /// <param name="pcm">20 ms, 160 samples (Opus also takes 80, 320, 480).</param>
    /// <param name="packet">Room for the payload.</param>
    /// <returns>Bytes, or 0 when it does not fit or the codec failed.</returns>
    int Encode(ReadOnlySpan<short> pcm, Span<byte> packet);

    /// <summary>How long a packet plays, without decoding it.</summary>
    /// <returns>Samples at 8,000 Hz, at most 960; 0 for a packet that cannot be decoded.</returns>
    int Duration(ReadOnlySpan<byte> packet);

    /// <summary>Decodes one packet.</summary>
    /// <param name="packet">The payload.</param>
    /// <param name="pcm">Room for 120 ms, 960 samples.</param>
    /// <returns>Samples, or 0 for a packet that cannot be decoded.</returns>
    int Decode(ReadOnlySpan<byte> packet, Span<short> pcm);

    /// <summary>Makes samples up for a loss.</summary>
    /// <param name="next">The packet behind the loss when it is there already, else empty.</param>
    /// <param name="pcm">Filled as a whole; at most 120 ms.</param>
    /// <returns>False when the codec has no concealment of its own: the caller conceals.</returns>
    bool Conceal(ReadOnlySpan<byte> next, Span<short> pcm);
}
