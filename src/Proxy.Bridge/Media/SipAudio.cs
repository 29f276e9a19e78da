using System;
using Proxy.Audio.Codecs;
using Proxy.Core.Net;
using Proxy.Rtp.Srtp;

namespace Proxy.Bridge.Media;

/// <summary>Any thread. What offer and answer agreed on for the caller's audio; made on the signal thread, obeyed by the shard.</summary>
public sealed record SipAudio
{
    public required G711Law Law { get; init; }

    /// <summary>Payload type of the codec as the caller offered it, 0–127.</summary>
    public required byte PayloadType { get; init; }

    /// <summary>Payload type of telephone-event; −1 when not agreed.</summary>
    public int DtmfPayloadType { get; init; } = -1;

    /// <summary>Payload type of comfort noise; −1 when not agreed. 13 is taken out in any case.</summary>
    public int NoisePayloadType { get; init; } = -1;

    /// <summary>Where the caller wants its RTP.</summary>
    public required NetEndPoint Remote { get; init; }

    /// <summary>Where it wants RTCP; equal to <see cref="Remote"/> when muxed.</summary>
    public required NetEndPoint RemoteRtcp { get; init; }

    /// <summary>We send audio (false while the caller holds us: the media timeout rests).</summary>
    public bool Sends { get; init; } = true;

    /// <summary>We expect audio (false while held: the media timeout rests).</summary>
    public bool Receives { get; init; } = true;

    /// <summary>Address that the caller's signalling came from, for the source latch.</summary>
    public NetAddress SignallingSource { get; init; }

    /// <summary>Set when the leg is encrypted.</summary>
    public SrtpProfile? Srtp { get; init; }

    public ReadOnlyMemory<byte> LocalKeyAndSalt { get; init; }

    public ReadOnlyMemory<byte> RemoteKeyAndSalt { get; init; }

    /// <summary>Silence that ends the call; zero rests it.</summary>
    public TimeSpan MediaTimeout { get; init; }

    /// <summary>How long the first packet may take.</summary>
    public TimeSpan MediaTimeoutInitial { get; init; }
}
