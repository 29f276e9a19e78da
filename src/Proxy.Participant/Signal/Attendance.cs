using System.Collections.Generic;
using Proxy.LiveKit.Protocol;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. Follows who is in the room: tells the call, keeps the shard's list of tracks true, and asks for what is to be heard.</summary>
internal sealed class Attendance(Outbox outbox, Roster roster, MediaPlan media, OwnTrack track, bool isAutoSubscribed)
{
    private readonly Queue<RoomEvent> _changes = new();
    private Dictionary<string, string> _attributes = [];
    private uint _version;

    /// <param name="participants">Snapshots of a join or an update; ours may be among them.</param>
    public void Apply(IReadOnlyList<ParticipantInfo> participants, string ownSid)
    {
        foreach (ParticipantInfo participant in participants)
        {
            if (participant.Sid == ownSid)
            {
                ApplySelf(participant);
            }
            else
            {
                roster.Apply(participant, _changes);
            }
        }
        while (_changes.TryDequeue(out RoomEvent? change))
        {
            if (change.Kind == RoomEventKind.TrackRemoved)
            {
                media.Remove(change.Track!.Sid);
            }
            outbox.Tell(change);
        }
        Subscribe();
        media.Refresh(roster);
    }

    /// <summary>The server says whether our track is muted.</summary>
    /// <returns>False when it is another's track.</returns>
    public bool TryMute(string trackSid, bool isMuted)
    {
        if (!track.Is(trackSid))
        {
            return false;
        }
        if (track.TryChange(isMuted))
        {
            outbox.Tell(new RoomEvent(RoomEventKind.Muted) { IsMuted = isMuted });
        }
        return true;
    }

    private void ApplySelf(ParticipantInfo self)
    {
        foreach (TrackInfo own in self.Tracks)
        {
            TryMute(own.Sid, own.Muted);
        }
        if (self.Version >= _version)
        {
            _version = self.Version;
            TellAttributes(self);
        }
    }

    /// <summary>The room server's API may change our attributes; a trunk's headers are made of them.</summary>
    private void TellAttributes(ParticipantInfo self)
    {
        bool isSame = self.Attributes.Count == _attributes.Count;
        foreach ((string key, string value) in self.Attributes)
        {
            isSame = isSame && _attributes.TryGetValue(key, out string? old) && old == value;
        }
        if (!isSame)
        {
            _attributes = new Dictionary<string, string>(self.Attributes);
            outbox.Tell(new RoomEvent(RoomEventKind.OwnAttributes) { Attributes = _attributes });
        }
    }

    // An auto-subscribing server would ask for a section for each camera in the room; without it, we ask for each voice.
    private void Subscribe()
    {
        if (isAutoSubscribed && roster.Unwanted.Count > 0)
        {
            outbox.Send(SignalFrames.Subscribe(roster.Unwanted, isWanted: false));
        }
        else if (!isAutoSubscribed && roster.Wanted.Count > 0)
        {
            outbox.Send(SignalFrames.Subscribe(roster.Wanted, isWanted: true));
        }
        roster.Unwanted.Clear();
        roster.Wanted.Clear();
    }
}
