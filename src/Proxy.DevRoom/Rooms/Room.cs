using System;
using System.Collections.Generic;
using Proxy.Core.Time;
using Proxy.DevRoom.Agents;
using Proxy.DevRoom.DemoAgent;
using Proxy.DevRoom.Forwarding;
using Proxy.LiveKit.Protocol;
using ProtoRoom = Proxy.LiveKit.Protocol.Room;

namespace Proxy.DevRoom.Rooms;

/// <summary>Room loop. One room: who is in it, who hears whom, and when it ends.</summary>
internal sealed class Room
{
    private readonly RoomEnvironment _environment;
    private bool _isUpdateDue;
    private bool _isQualityDue;

    public Room(RoomEnvironment environment, string name, MonoTime now)
    {
        _environment = environment;
        long micros = environment.UnixMicros(now);
        Info = new ProtoRoom
        {
            Sid = environment.NewSid("RM_"),
            Name = name,
            EmptyTimeout = environment.Options.EmptyTimeout,
            DepartureTimeout = environment.Options.DepartureTimeout,
            CreationTime = micros / 1_000_000,
            CreationTimeMs = micros / 1_000,
            TurnPassword = environment.NewSid("", 16),
        };
        Info.EnabledCodecs.Add(EnabledCodecs());
        EmptySince = now;
    }

    public ProtoRoom Info { get; }

    public string Name => Info.Name;

    public List<Participant> Participants { get; } = [];

    public DemoAgentParticipant? Agent { get; set; }

    /// <summary>Agents that were asked for, oldest first.</summary>
    public List<RoomDispatch> Dispatches { get; } = [];

    /// <summary>Since when nobody who counts is in it.</summary>
    public MonoTime EmptySince { get; private set; }

    public bool WasJoined { get; private set; }

    /// <summary>When it is closed; never while somebody is in it.</summary>
    public MonoTime CloseDeadline => EmptySince.IsNever
        ? MonoTime.Never
        : EmptySince.AddMillis(1000L * (WasJoined ? Info.DepartureTimeout : Info.EmptyTimeout));

    public static Codec[] EnabledCodecs() =>
        [new() { Mime = "audio/PCMU" }, new() { Mime = "audio/PCMA" }, new() { Mime = "audio/opus" }];

    public Participant? Find(string identity)
    {
        foreach (Participant participant in Participants)
        {
            if (participant.Identity == identity)
            {
                return participant;
            }
        }
        return null;
    }

    public Participant? FindSid(string sid)
    {
        foreach (Participant participant in Participants)
        {
            if (participant.Sid == sid)
            {
                return participant;
            }
        }
        return null;
    }

    public Track? FindTrack(string sid)
    {
        foreach (Participant participant in Participants)
        {
            if (participant.FindTrack(sid) is { } track)
            {
                return track;
            }
        }
        return null;
    }

    public void Add(Participant participant)
    {
        Participants.Add(participant);
        if (!participant.IsDependent)
        {
            WasJoined = true;
            EmptySince = MonoTime.Never;
        }
        Recount();
    }

    public void Remove(Participant participant, MonoTime now)
    {
        Participants.Remove(participant);
        bool isEmpty = true;
        foreach (Participant other in Participants)
        {
            isEmpty &= other.IsDependent;
        }
        EmptySince = isEmpty && EmptySince.IsNever ? now : EmptySince;
        Recount();
    }

    private void Recount()
    {
        uint publishers = 0;
        uint participants = 0;
        foreach (Participant participant in Participants)
        {
            publishers += participant.Info.IsPublisher ? 1u : 0;
            participants += participant.IsDependent ? 0u : 1;
        }
        Info.NumParticipants = participants;
        Info.NumPublishers = publishers;
        _isUpdateDue = true;
        _isQualityDue = true;
    }

    /// <summary>Tells everybody about a participant; its version goes up first.</summary>
    /// <param name="includesSelf">Whether the participant is told too.</param>
    public void Announce(Participant participant, bool includesSelf = true)
    {
        participant.Info.Version++;
        SignalResponse update = new() { Update = new ParticipantUpdate { Participants = { participant.Snapshot() } } };
        foreach (Participant other in Participants)
        {
            if (other == participant ? includesSelf : !participant.Info.Permission.Hidden)
            {
                _environment.Outbox.Send(other, update);
            }
        }
    }

    public void SendToAll(SignalResponse message)
    {
        foreach (Participant participant in Participants)
        {
            _environment.Outbox.Send(participant, message);
        }
    }

    public void SendRoomUpdate()
    {
        _isUpdateDue = false;
        SendToAll(new SignalResponse { RoomUpdate = new RoomUpdate { Room = Info.Clone() } });
    }

    /// <summary>A negotiated track of an active participant: everybody sees it, and who subscribes by itself hears it.</summary>
    public void Publish(Track track)
    {
        track.IsPublished = true;
        track.Publisher.Info.IsPublisher = true;
        Recount();
        Announce(track.Publisher);
        foreach (Participant other in Participants)
        {
            if (other != track.Publisher && other.WantsAutoSubscribe)
            {
                Subscribe(other, track);
                RequestSections(other);
            }
        }
        _environment.Published.Enqueue(track);
    }

    /// <summary>The track is over; its listeners' sections fall free.</summary>
    /// <param name="isAnnounced">Whether an update of the publisher is sent.</param>
    public void Unpublish(Track track, bool isAnnounced)
    {
        track.IsPublished = false;
        track.Publisher.Tracks.Remove(track);
        foreach (Subscription subscription in track.Subscriptions.ToArray())
        {
            Unsubscribe(subscription);
        }
        if (isAnnounced)
        {
            Announce(track.Publisher);
        }
        Agent?.OnUnpublished(track);
    }

    public void Subscribe(Participant subscriber, Track track)
    {
        if (subscriber == track.Publisher || !subscriber.Info.Permission.CanSubscribe || subscriber.IsDemoAgent
            || track.Subscriptions.Exists(have => have.Subscriber == subscriber))
        {
            return;
        }
        Subscription subscription = new(subscriber, track, _environment.NewSsrc());
        track.Subscriptions.Add(subscription);
        subscriber.Subscriptions.Add(subscription);
        _environment.Outbox.Send(subscriber, new SignalResponse
        {
            SubscriptionPermissionUpdate = new SubscriptionPermissionUpdate { ParticipantSid = track.Publisher.Sid, TrackSid = track.Sid, Allowed = true },
        });
    }

    public void Unsubscribe(Subscription subscription)
    {
        subscription.Track.Subscriptions.Remove(subscription);
        subscription.Subscriber.Subscriptions.Remove(subscription);
        if (subscription.Mid is not null)
        {
            subscription.Subscriber.Negotiation?.Release(subscription);
            AskForOffer(subscription.Subscriber, 0);
        }
    }

    /// <summary>Asks a client for an offer when tracks wait for a section: 0 means that it has spare ones.</summary>
    public void RequestSections(Participant subscriber)
    {
        if (subscriber.Negotiation is not { } negotiation)
        {
            return;
        }
        int waiting = 0;
        foreach (Subscription subscription in subscriber.Subscriptions)
        {
            waiting += subscription.Mid is null && !subscription.IsUnsupported ? 1 : 0;
        }
        if (waiting > 0)
        {
            AskForOffer(subscriber, Math.Max(0, waiting - negotiation.FreeSections));
        }
    }

    private void AskForOffer(Participant subscriber, int sections)
    {
        if (!subscriber.IsGone)
        {
            _environment.Outbox.Send(subscriber, new SignalResponse { MediaSectionsRequirement = new MediaSectionsRequirement { NumAudios = (uint)sections } });
        }
    }

    /// <summary>Mutes or unmutes a track; everybody is told when it changed.</summary>
    public void SetMuted(Track track, bool isMuted)
    {
        if (track.Info.Muted == isMuted)
        {
            return;
        }
        track.Info.Muted = isMuted;
        track.Speech.Reset();
        Forwarder.Break(track);
        if (track.IsPublished)
        {
            Announce(track.Publisher);
        }
    }

    /// <summary>Ends a window of <see cref="SpeechMeter.WindowMs"/>: who speaks now.</summary>
    public void UpdateSpeakers()
    {
        SpeakersChanged? changed = null;
        foreach (Participant participant in Participants)
        {
            foreach (Track track in participant.Tracks)
            {
                if (track.IsPublished && track.Speech.EndWindow())
                {
                    changed ??= new SpeakersChanged();
                    changed.Speakers.Add(new SpeakerInfo { Sid = participant.Sid, Level = track.Speech.Level, Active = track.Speech.IsActive });
                }
            }
        }
        if (changed is not null)
        {
            SendToAll(new SignalResponse { SpeakersChanged = changed });
        }
    }

    /// <summary>Every 5 s: room numbers and connection quality, where they changed.</summary>
    public void SendDueUpdates()
    {
        if (_isQualityDue)
        {
            _isQualityDue = false;
            ConnectionQualityUpdate quality = new();
            foreach (Participant participant in Participants)
            {
                quality.Updates.Add(new ConnectionQualityInfo { ParticipantSid = participant.Sid, Quality = ConnectionQuality.Excellent, Score = 4.5f });
            }
            SendToAll(new SignalResponse { ConnectionQuality = quality });
        }
        if (_isUpdateDue)
        {
            SendRoomUpdate();
        }
    }
}
