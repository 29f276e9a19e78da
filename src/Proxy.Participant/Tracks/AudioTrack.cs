using System;
using Proxy.Core.Diagnostics;
using Proxy.Core.Time;
using Proxy.Rtp.Packets;
using Proxy.Rtp.Rtcp;
using Proxy.WebRtc;

namespace Proxy.Participant.Tracks;

/// <summary>Shard. Our published audio track: numbers, writes and encrypts RTP packets in place.</summary>
/// <remarks>Two ways in, one numbering: passthrough follows the caller's numbers, frames follow our own clock; each may follow the other.</remarks>
public sealed class AudioTrack
{
    private const uint OpusFrame = 960;

    /// <summary>A step in the source's numbering that no loss explains: 20 s of 20 ms packets.</summary>
    private const int JumpPackets = 1_000;

    private readonly PeerConnection _peer;
    private readonly uint _ssrc;
    private PublishTrack? _publish;
    private SendStatistics _statistics = new(8_000);
    private ushort _nextSequence;
    private uint _nextTimestamp;
    private ushort _sequenceShift;
    private uint _timestampShift;
    private ushort _lastSource;
    private bool _hasSource;

    internal AudioTrack(PeerConnection peer, uint ssrc, ushort firstSequence, uint firstTimestamp)
    {
        _peer = peer;
        _ssrc = ssrc;
        _nextSequence = firstSequence;
        _nextTimestamp = firstTimestamp;
    }

    /// <summary>The answer fixed a codec and the transport is up: packets can be written.</summary>
    public bool IsReady => _publish is not null && _peer.State == PeerState.Connected;

    /// <summary>The codec that must be sent; null before the answer.</summary>
    public RoomCodec? Codec => _publish?.Codec;

    /// <summary>Packets sent, and what the server reports about them.</summary>
    public SendStatistics Statistics => _statistics;

    /// <summary>Writes the caller's own frame; sequence and timestamp keep their distances (RFC 3550 §5.1), shifted by a constant.</summary>
    /// <param name="sequence">The caller's sequence number.</param>
    /// <param name="timestamp">The caller's timestamp, in the track's clock.</param>
    /// <param name="marker">Its marker bit.</param>
    /// <param name="payload">In the track's codec; may not lie in <paramref name="buffer"/>.</param>
    /// <param name="level">Audio level in -dBov, 0 (loudest) to 127 (silence).</param>
    /// <param name="buffer">Gets the datagram; at least payload + 40 bytes.</param>
    /// <returns>Bytes to send to <see cref="RoomMedia.Remote"/>; 0 when not ready or it does not fit.</returns>
    [NoAlloc]
    public int WritePassthrough(ushort sequence, uint timestamp, bool marker, ReadOnlySpan<byte> payload, byte level, Span<byte> buffer, MonoTime now)
    {
        if (!_hasSource || Math.Abs(SequenceMath.Distance(sequence, _lastSource)) > JumpPackets)
        {
            _hasSource = true;
            _lastSource = sequence;
            _sequenceShift = (ushort)(_nextSequence - sequence);
            _timestampShift = _nextTimestamp - timestamp;
        }
        ushort ours = (ushort)(sequence + _sequenceShift);
        uint time = timestamp + _timestampShift;
        int length = Write(ours, time, marker, payload, level, buffer, now);
        if (SequenceMath.Distance(sequence, _lastSource) >= 0)
        {
            _lastSource = sequence;
            _nextSequence = (ushort)(ours + 1);
            // A frame of ours that follows lies behind this packet by its length: G.711 has a byte a sample, Opus is 20 ms here.
            _nextTimestamp = time + (Codec == RoomCodec.Opus ? OpusFrame : (uint)payload.Length);
        }
        return length;
    }

    /// <summary>Writes a frame of our own: the next sequence number, the timestamp that the last frame's step led to.</summary>
    /// <param name="timestampStep">Length of this frame in the track's clock (Opus 20 ms: 960; G.711 20 ms: 160).</param>
    /// <returns>As <see cref="WritePassthrough"/>.</returns>
    [NoAlloc]
    public int WriteFrame(ReadOnlySpan<byte> payload, uint timestampStep, bool marker, byte level, Span<byte> buffer, MonoTime now)
    {
        _hasSource = false;
        int length = Write(_nextSequence, _nextTimestamp, marker, payload, level, buffer, now);
        _nextTimestamp += timestampStep;
        if (length > 0)
        {
            _nextSequence++;
        }
        return length;
    }

    /// <summary>Time passes without a packet (DTX, hold): the next frame's timestamp moves on.</summary>
    [NoAlloc]
    public void SkipTime(uint timestampStep)
    {
        _nextTimestamp += timestampStep;
        _hasSource = false;
    }

    /// <summary>The caller's stream starts anew (other SSRC, jump): the next passthrough packet follows our last one without a gap in numbers.</summary>
    [NoAlloc]
    public void RestartSource() => _hasSource = false;

    internal void SetPublish(PublishTrack publish)
    {
        if (_publish?.Codec != publish.Codec)
        {
            _statistics = new SendStatistics(publish.Codec == RoomCodec.Opus ? 48_000 : 8_000);
            _hasSource = false;
        }
        _publish = publish;
    }

    private int Write(ushort sequence, uint timestamp, bool marker, ReadOnlySpan<byte> payload, byte level, Span<byte> buffer, MonoTime now)
    {
        if (_publish is null)
        {
            return 0;
        }
        var header = new RtpHeader(_publish.PayloadType, marker, sequence, timestamp, _ssrc);
        int plain = RtpWriter.Write(buffer, header, payload, _publish.AudioLevelId, level);
        int length = plain == 0 ? 0 : _peer.ProtectRtp(buffer, plain);
        if (length > 0)
        {
            _statistics.OnPacket(timestamp, payload.Length, now);
        }
        return length;
    }
}
