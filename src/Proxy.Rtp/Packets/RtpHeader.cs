namespace Proxy.Rtp.Packets;

/// <summary>Any thread. The fields of a fixed RTP header that a sender chooses (RFC 3550 §5.1).</summary>
/// <param name="PayloadType">0–127.</param>
/// <param name="Marker">Start of a talk spurt, or of an event (RFC 3551 §4.1).</param>
/// <param name="SequenceNumber">Wraps at 65,536.</param>
/// <param name="Timestamp">RTP units of the payload's clock; wraps.</param>
/// <param name="Ssrc">The stream.</param>
public readonly record struct RtpHeader(byte PayloadType, bool Marker, ushort SequenceNumber, uint Timestamp, uint Ssrc);
