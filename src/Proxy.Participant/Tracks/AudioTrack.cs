using System;
using Proxy.Core.Diagnostics;
using Proxy.Core.Time;

namespace Proxy.Participant.Tracks;

/// <summary>Shard. Our published audio track: numbers, writes and encrypts RTP packets in place.</summary>
/// <remarks>Two ways in, one numbering: passthrough follows the caller's numbers, frames follow our own clock.</remarks>
public sealed class AudioTrack
{
    internal AudioTrack()
    {
    }

    /// <summary>The answer fixed a codec and the transport is up: packets can be written.</summary>
    public bool IsReady => throw new NotImplementedException();

    /// <summary>The codec that must be sent; null before the answer.</summary>
    public RoomCodec? Codec => throw new NotImplementedException();

    /// <summary>Packets and payload bytes sent.</summary>
    public long PacketsSent => throw new NotImplementedException();

    public long BytesSent => throw new NotImplementedException();

    /// <summary>Writes the caller's own frame; sequence and timestamp keep their distances (RFC 3550 §5.1), shifted by a constant.</summary>
    /// <param name="sequence">The caller's sequence number.</param>
    /// <param name="timestamp">The caller's timestamp, in the track's clock.</param>
    /// <param name="marker">Its marker bit.</param>
    /// <param name="payload">In the track's codec; may not lie in <paramref name="buffer"/>.</param>
    /// <param name="level">Audio level in -dBov, 0 (loudest) to 127 (silence).</param>
    /// <param name="buffer">Gets the datagram; at least payload + 40 bytes.</param>
    /// <returns>Bytes to send to <see cref="RoomMedia.Remote"/>; 0 when not ready or it does not fit.</returns>
    [NoAlloc]
    public int WritePassthrough(ushort sequence, uint timestamp, bool marker, ReadOnlySpan<byte> payload, byte level, Span<byte> buffer, MonoTime now) => throw new NotImplementedException();

    /// <summary>Writes a frame of our own: the next sequence number, the timestamp that the last frame's step led to.</summary>
    /// <param name="timestampStep">Length of this frame in the track's clock (Opus 20 ms: 960; G.711 20 ms: 160).</param>
    /// <returns>As <see cref="WritePassthrough"/>.</returns>
    [NoAlloc]
    public int WriteFrame(ReadOnlySpan<byte> payload, uint timestampStep, bool marker, byte level, Span<byte> buffer, MonoTime now) => throw new NotImplementedException();

    /// <summary>Time passes without a packet (DTX, hold): the next frame's timestamp moves on.</summary>
    [NoAlloc]
    public void SkipTime(uint timestampStep) => throw new NotImplementedException();

    /// <summary>A packet of the caller was taken out (comfort noise, telephone-event, duplicate): its sequence number is closed, no receiver sees a hole.</summary>
    [NoAlloc]
    public void CloseGap(int packets) => throw new NotImplementedException();

    /// <summary>The caller's stream starts anew (other SSRC, jump): the next passthrough packet follows our last one without a gap in numbers.</summary>
    [NoAlloc]
    public void RestartSource() => throw new NotImplementedException();
}
