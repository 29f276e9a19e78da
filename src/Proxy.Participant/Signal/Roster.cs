using System.Collections.Generic;
using Proxy.LiveKit.Protocol;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. Who is in the room and which audio they publish; turns the server's snapshots into changes.</summary>
internal sealed class Roster
{
    /// <summary>Participants that are followed; a room for telephony is far below. Others are heard but not named.</summary>
    public const int ParticipantsMax = 2_000;

    /// <summary>Tracks of one participant that are followed.</summary>
    public const int TracksMax = 16;

    private readonly Dictionary<string, Entry> _bySid = [];
    private readonly Dictionary<string, TrackEntry> _tracks = [];

    public int Count => _bySid.Count;

    /// <summary>Participants or tracks beyond the limits.</summary>
    public int Overflows { get; private set; }

    /// <summary>Video and data tracks that an auto-subscribing server would send sections for: to be unsubscribed. Drained by the owner.</summary>
    public List<string> Unwanted { get; } = [];

    /// <summary>Audio tracks that became known: to be subscribed where the server does not do it by itself. Drained by the owner.</summary>
    public List<string> Wanted { get; } = [];

    /// <summary>Takes one participant's snapshot; what changed is added to <paramref name="changes"/>.</summary>
    public void Apply(ParticipantInfo info, Queue<RoomEvent> changes)
    {
        if (info.Sid.Length == 0)
        {
            return;
        }
        bool isKnown = _bySid.TryGetValue(info.Sid, out Entry? entry);
        if (info.State == ParticipantInfo.Types.State.Disconnected)
        {
            if (isKnown)
            {
                Remove(entry!, changes);
            }
            return;
        }
        if (!isKnown)
        {
            if (_bySid.Count >= ParticipantsMax)
            {
                Overflows++;
                return;
            }
            entry = new Entry(new RemoteParticipant(info.Sid, info.Identity, info.Name, KindOf(info.Kind)));
            _bySid.Add(info.Sid, entry);
            changes.Enqueue(new RoomEvent(RoomEventKind.ParticipantJoined) { Participant = entry.Who, Identity = info.Identity });
        }
        else if (info.Version < entry!.Version)
        {
            return;
        }
        entry.Version = info.Version;
        ApplyTracks(entry, info, changes);
    }

    /// <summary>Identity of a track's owner; empty while unknown.</summary>
    public string IdentityOf(string trackSid, string participantSid)
    {
        if (_tracks.TryGetValue(trackSid, out TrackEntry? track))
        {
            return track.Owner.Who.Identity;
        }
        return _bySid.TryGetValue(participantSid, out Entry? entry) ? entry.Who.Identity : "";
    }

    /// <summary>Encrypted end to end, or no audio: its packets would be noise.</summary>
    public bool IsUnusable(string trackSid) => _tracks.TryGetValue(trackSid, out TrackEntry? track) && track.Info is null;

    /// <summary>Whether a reliable packet of this sender was seen before; senders number theirs from 1.</summary>
    public bool IsRepeated(string participantSid, uint sequence)
    {
        if (sequence == 0 || !_bySid.TryGetValue(participantSid, out Entry? entry))
        {
            return false;
        }
        if (sequence <= entry.LastSequence)
        {
            return true;
        }
        entry.LastSequence = sequence;
        return false;
    }

    private void ApplyTracks(Entry entry, ParticipantInfo info, Queue<RoomEvent> changes)
    {
        for (int i = entry.Tracks.Count - 1; i >= 0; i--)
        {
            if (!Contains(info, entry.Tracks[i].Sid))
            {
                RemoveTrack(entry, i, changes);
            }
        }
        foreach (TrackInfo track in info.Tracks)
        {
            if (track.Sid.Length == 0)
            {
                continue;
            }
            if (!_tracks.TryGetValue(track.Sid, out TrackEntry? known))
            {
                AddTrack(entry, track, changes);
            }
            else if (known.Info is not null && known.Info.IsMuted != track.Muted)
            {
                known.Info = known.Info with { IsMuted = track.Muted };
                changes.Enqueue(new RoomEvent(RoomEventKind.TrackChanged) { Track = known.Info, Identity = entry.Who.Identity, IsMuted = track.Muted });
            }
        }
    }

    private void AddTrack(Entry entry, TrackInfo track, Queue<RoomEvent> changes)
    {
        if (entry.Tracks.Count >= TracksMax)
        {
            Overflows++;
            return;
        }
        bool isUsable = track.Type == TrackType.Audio && track.Encryption == Encryption.Types.Type.None;
        var added = new TrackEntry(track.Sid, entry, isUsable ? new RemoteTrack(track.Sid, entry.Who, track.Muted) : null);
        entry.Tracks.Add(added);
        _tracks.Add(track.Sid, added);
        if (added.Info is null)
        {
            Unwanted.Add(track.Sid);
            return;
        }
        Wanted.Add(track.Sid);
        changes.Enqueue(new RoomEvent(RoomEventKind.TrackAdded) { Track = added.Info, Identity = entry.Who.Identity, IsMuted = track.Muted });
    }

    private void Remove(Entry entry, Queue<RoomEvent> changes)
    {
        for (int i = entry.Tracks.Count - 1; i >= 0; i--)
        {
            RemoveTrack(entry, i, changes);
        }
        _bySid.Remove(entry.Who.Sid);
        changes.Enqueue(new RoomEvent(RoomEventKind.ParticipantLeft) { Participant = entry.Who, Identity = entry.Who.Identity });
    }

    private void RemoveTrack(Entry entry, int index, Queue<RoomEvent> changes)
    {
        TrackEntry track = entry.Tracks[index];
        entry.Tracks.RemoveAt(index);
        _tracks.Remove(track.Sid);
        if (track.Info is not null)
        {
            changes.Enqueue(new RoomEvent(RoomEventKind.TrackRemoved) { Track = track.Info, Identity = entry.Who.Identity });
        }
    }

    private static bool Contains(ParticipantInfo info, string trackSid)
    {
        foreach (TrackInfo track in info.Tracks)
        {
            if (track.Sid == trackSid)
            {
                return true;
            }
        }
        return false;
    }

    private static RemoteKind KindOf(ParticipantInfo.Types.Kind kind) => kind switch
    {
        ParticipantInfo.Types.Kind.Standard => RemoteKind.Standard,
        ParticipantInfo.Types.Kind.Ingress => RemoteKind.Ingress,
        ParticipantInfo.Types.Kind.Egress => RemoteKind.Egress,
        ParticipantInfo.Types.Kind.Sip => RemoteKind.Sip,
        ParticipantInfo.Types.Kind.Agent => RemoteKind.Agent,
        ParticipantInfo.Types.Kind.Connector => RemoteKind.Connector,
        ParticipantInfo.Types.Kind.Bridge => RemoteKind.Bridge,
        _ => RemoteKind.Other,
    };

    private sealed class Entry(RemoteParticipant who)
    {
        public RemoteParticipant Who { get; } = who;

        public List<TrackEntry> Tracks { get; } = [];

        public uint Version { get; set; }

        public uint LastSequence { get; set; }
    }

    private sealed class TrackEntry(string sid, Entry owner, RemoteTrack? info)
    {
        public string Sid { get; } = sid;

        public Entry Owner { get; } = owner;

        /// <summary>Null for tracks that we cannot hear.</summary>
        public RemoteTrack? Info { get; set; } = info;
    }
}
