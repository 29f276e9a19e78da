using System;
using System.Collections.Generic;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.DevRoom.Forwarding;
using Proxy.DevRoom.Signal;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;

namespace Proxy.DevRoom.Rooms;

/// <summary>Room loop. Somebody in a room: a client with a signalling connection and a transport, or the demo agent with neither.</summary>
internal sealed class Participant
{
    public Participant(Room room, string sid, AccessClaims claims, ClientInfo? client, long joinedUnixMicros)
    {
        Room = room;
        Claims = claims;
        Info = new ParticipantInfo
        {
            Sid = sid,
            Identity = claims.Identity,
            Name = claims.Name,
            Metadata = claims.Metadata,
            JoinedAt = joinedUnixMicros / 1_000_000,
            JoinedAtMs = joinedUnixMicros / 1_000,
            Kind = claims.ParticipantKind,
            Permission = (claims.Video ?? new VideoGrant()).ToPermission(),
            ClientProtocol = client?.ClientProtocol ?? 0,
        };
        foreach ((string name, string value) in claims.Attributes)
        {
            Info.Attributes[name] = value;
        }
        if (client is not null)
        {
            Info.Capabilities.Add(client.Capabilities);
        }
    }

    public Room Room { get; }

    /// <summary>What it joined with; refreshed tokens repeat its grants.</summary>
    public AccessClaims Claims { get; }

    /// <summary>State as clients see it, without tracks.</summary>
    public ParticipantInfo Info { get; }

    public string Sid => Info.Sid;

    public string Identity => Info.Identity;

    /// <summary>The signalling connection; null for the demo agent, and while a client has lost it.</summary>
    public long? Connection { get; set; }

    /// <summary>Its last frame was text (protojson): answers are too.</summary>
    public bool UsesJson { get; set; }

    public bool WantsAutoSubscribe { get; set; }

    /// <summary>Key of its timer, in the runtime of the transport.</summary>
    public int TimerKey { get; set; } = -1;

    public Negotiation? Negotiation { get; set; }

    public Offer? LastOffer { get; set; }

    public IPeerTransport? Transport { get; set; }

    /// <summary>Remote addresses that the mux learnt for it.</summary>
    public List<NetEndPoint> Addresses { get; } = [];

    /// <summary>ICE and DTLS are up.</summary>
    public bool IsConnected { get; set; }

    public bool IsGone { get; set; }

    public bool IsDemoAgent { get; init; }

    /// <summary>Agents that wait for publishers were told of it.</summary>
    public bool HasPublished { get; set; }

    /// <summary>Agents and egress do not keep a room open.</summary>
    public bool IsDependent => Info.Kind is ParticipantInfo.Types.Kind.Agent or ParticipantInfo.Types.Kind.Egress;

    public List<Track> Tracks { get; } = [];

    public List<Subscription> Subscriptions { get; } = [];

    /// <summary>When it is removed unless it is active by then; once it has closed its transport, unless it has said that it leaves.</summary>
    public MonoTime ConnectDeadline { get; set; } = MonoTime.Never;

    public MonoTime LastMedia { get; set; }

    /// <summary>SSRC of our receiver reports to it.</summary>
    public uint ReportSsrc { get; set; }

    /// <summary>The last reliable data packet's sequence; repeats after a resume are dropped.</summary>
    public uint LastReliable { get; set; }

    /// <summary>The info with its published tracks, as it is sent to everybody.</summary>
    public ParticipantInfo Snapshot()
    {
        ParticipantInfo info = Info.Clone();
        info.Tracks.Clear();
        foreach (Track track in Tracks)
        {
            if (track.IsPublished)
            {
                info.Tracks.Add(track.Info.Clone());
            }
        }
        return info;
    }

    /// <summary>The track whose packets carry an SSRC, or null.</summary>
    public Track? FindTrack(uint ssrc)
    {
        for (int i = 0; i < Tracks.Count; i++)
        {
            if (Tracks[i].Ssrc == ssrc && Tracks[i].Mid is not null)
            {
                return Tracks[i];
            }
        }
        return null;
    }

    public Track? FindTrack(string sid)
    {
        foreach (Track track in Tracks)
        {
            if (track.Sid == sid)
            {
                return track;
            }
        }
        return null;
    }
}
