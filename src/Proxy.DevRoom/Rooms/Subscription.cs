using Proxy.DevRoom.Forwarding;
using Proxy.Rtp.Rtcp;

namespace Proxy.DevRoom.Rooms;

/// <summary>Room loop. One participant hears one track: where in its session the track lies, and how numbers are rewritten.</summary>
internal sealed class Subscription(Participant subscriber, Track track, uint ssrc)
{
    public Participant Subscriber { get; } = subscriber;

    public Track Track { get; } = track;

    /// <summary>Our SSRC towards the subscriber, announced in the answer.</summary>
    public uint Ssrc { get; } = ssrc;

    /// <summary>The section of the subscriber's session that carries it; null while it waits for one.</summary>
    public string? Mid { get; set; }

    /// <summary>The subscriber's payload type for the track's codec.</summary>
    public byte PayloadType { get; set; }

    /// <summary>The subscriber's session lacks the codec: told once, then its section is given free.</summary>
    public bool IsUnsupported { get; set; }

    public bool WasErrorSent { get; set; }

    /// <summary>The client switched it off by track settings; the section stays.</summary>
    public bool IsDisabled { get; set; }

    /// <summary>Whether packets may flow.</summary>
    public bool IsAttached => Mid is not null && !IsUnsupported && !IsDisabled;

    public StreamRewriter Rewriter { get; } = new();

    public SendStatistics Sent { get; } = new(TrackCodecs.ClockHz(track.Codec));
}
