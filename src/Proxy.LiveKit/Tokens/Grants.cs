using System.Collections.Generic;
using Proxy.LiveKit.Protocol;

namespace Proxy.LiveKit.Tokens;

/// <summary>Any thread. What a token allows in rooms. Unset tri-state values have LiveKit's defaults, see the May… properties.</summary>
public sealed record VideoGrant
{
    public bool RoomCreate { get; init; }

    public bool RoomList { get; init; }

    public bool RoomRecord { get; init; }

    public bool RoomAdmin { get; init; }

    public bool RoomJoin { get; init; }

    /// <summary>The room of RoomJoin and RoomAdmin.</summary>
    public string Room { get; init; } = "";

    public bool? CanPublish { get; init; }

    public bool? CanSubscribe { get; init; }

    public bool? CanPublishData { get; init; }

    /// <summary>Lower-case names such as <c>microphone</c>; empty means any.</summary>
    public IReadOnlyList<string> CanPublishSources { get; init; } = [];

    public bool? CanUpdateOwnMetadata { get; init; }

    public bool IngressAdmin { get; init; }

    public bool Hidden { get; init; }

    public bool Recorder { get; init; }

    /// <summary>The holder is an agent worker or its job.</summary>
    public bool Agent { get; init; }

    public bool? CanSubscribeMetrics { get; init; }

    public bool? CanManageAgentSession { get; init; }

    /// <summary>Where a participant may be moved or forwarded to.</summary>
    public string DestinationRoom { get; init; } = "";

    public bool MayPublish => CanPublish ?? true;

    public bool MaySubscribe => CanSubscribe ?? true;

    public bool MayPublishData => CanPublishData ?? MayPublish;

    public bool MayUpdateOwnMetadata => CanUpdateOwnMetadata ?? false;

    /// <summary>Whether a track of this source may be published.</summary>
    public bool MayPublishSource(TrackSource source)
    {
        if (!MayPublish || CanPublishSources.Count == 0)
        {
            return MayPublish;
        }
        string name = NameOf(source);
        for (int i = 0; i < CanPublishSources.Count; i++)
        {
            if (CanPublishSources[i] == name)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The same rights as a participant's permission message.</summary>
    public ParticipantPermission ToPermission()
    {
        ParticipantPermission permission = new()
        {
            CanPublish = MayPublish,
            CanSubscribe = MaySubscribe,
            CanPublishData = MayPublishData,
            CanUpdateMetadata = MayUpdateOwnMetadata,
            CanSubscribeMetrics = CanSubscribeMetrics ?? false,
            CanManageAgentSession = CanManageAgentSession ?? false,
            Hidden = Hidden,
            Recorder = Recorder,
            Agent = Agent,
        };
        for (int i = 0; i < CanPublishSources.Count; i++)
        {
            permission.CanPublishSources.Add(SourceOf(CanPublishSources[i]));
        }
        return permission;
    }

    private static string NameOf(TrackSource source) => source switch
    {
        TrackSource.Camera => "camera",
        TrackSource.Microphone => "microphone",
        TrackSource.ScreenShare => "screen_share",
        TrackSource.ScreenShareAudio => "screen_share_audio",
        _ => "unknown",
    };

    private static TrackSource SourceOf(string name) => name switch
    {
        "camera" => TrackSource.Camera,
        "microphone" => TrackSource.Microphone,
        "screen_share" => TrackSource.ScreenShare,
        "screen_share_audio" => TrackSource.ScreenShareAudio,
        _ => TrackSource.Unknown,
    };
}

/// <summary>Any thread. What a token allows in the SIP service.</summary>
/// <param name="Admin">Trunks and dispatch rules.</param>
/// <param name="Call">Calls: create and transfer participants.</param>
public sealed record SipGrant(bool Admin, bool Call);

/// <summary>Any thread. What a token allows in the agent service.</summary>
public sealed record AgentGrant(bool Admin);
