using System.Collections.Generic;
using Proxy.Core.Net;
using Proxy.WebRtc;

namespace Proxy.Participant;

/// <summary>Any thread. What the answered send section obliges us to send.</summary>
/// <param name="Codec">The first codec of the answered section; packets of any other are dropped by the server.</param>
/// <param name="PayloadType">Its payload type in the answer, 0–127.</param>
/// <param name="AudioLevelId">Id of the audio-level header extension, 1–14; 0 when it was not accepted.</param>
/// <param name="Ssrc">As offered.</param>
public sealed record PublishTrack(RoomCodec Codec, byte PayloadType, byte AudioLevelId, uint Ssrc);

/// <summary>Any thread. One payload type of a downlink section.</summary>
public readonly record struct PayloadCodec(byte PayloadType, RoomCodec Codec);

/// <summary>Any thread. A remote audio track that the server sends us, as the last answer describes it.</summary>
/// <param name="Ssrc">Of the downlink; the only key for demultiplexing.</param>
/// <param name="Codecs">Payload types that may come.</param>
/// <param name="TrackSid">TR_…</param>
/// <param name="ParticipantSid">PA_…</param>
/// <param name="Identity">The publisher's identity; empty while the answer came before its <c>update</c>.</param>
public sealed record DownTrack(uint Ssrc, IReadOnlyList<PayloadCodec> Codecs, string TrackSid, string ParticipantSid, string Identity);

/// <summary>Any thread. What the shard is to do.</summary>
public enum MediaCommandKind
{
    /// <summary><see cref="MediaCommand.Remote"/>: the server's ICE and DTLS parameters.</summary>
    SetRemote,

    /// <summary><see cref="MediaCommand.Candidate"/>: a trickled UDP candidate.</summary>
    AddCandidate,

    /// <summary><see cref="MediaCommand.Publish"/>: what to send from now on.</summary>
    SetPublish,

    /// <summary><see cref="MediaCommand.DownTracks"/>: all tracks that may be heard from now on; those not listed are gone.</summary>
    SetDownTracks,

    /// <summary><see cref="MediaCommand.Payload"/> is to be sent on the data channel <see cref="MediaCommand.Label"/>.</summary>
    SendData,

    /// <summary>Close the peer transport; the participant is over.</summary>
    Close,
}

/// <summary>Any thread. From the participant's signal side to its media side; immutable, carried by the Bridge in a ring and not looked into.</summary>
public sealed record MediaCommand(MediaCommandKind Kind)
{
    public RemoteDescription? Remote { get; init; }

    public NetEndPoint Candidate { get; init; }

    public PublishTrack? Publish { get; init; }

    public IReadOnlyList<DownTrack>? DownTracks { get; init; }

    public string? Label { get; init; }

    public byte[]? Payload { get; init; }
}
