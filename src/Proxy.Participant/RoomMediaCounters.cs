namespace Proxy.Participant;

/// <summary>Shard. What a participant's media side dropped and why, besides what its transport counts.</summary>
public sealed class RoomMediaCounters
{
    /// <summary>Authenticated packets that are no RTP or RTCP.</summary>
    public long Malformed { get; internal set; }

    /// <summary>RTP of a stream that no answer names: a track that came or went a moment ago.</summary>
    public long UnknownSsrc { get; internal set; }

    /// <summary>RTP with a payload type that the answer does not list for its track.</summary>
    public long UnknownPayload { get; internal set; }

    /// <summary>Remote tracks beyond <see cref="RoomMedia.RemoteSlots"/>.</summary>
    public long SlotsFull { get; internal set; }

    /// <summary>Data messages that the transport did not take.</summary>
    public long DataRefused { get; internal set; }
}
