using System;
using System.Collections.Generic;
using System.Text.Json;
using Proxy.Core.Net;
using Proxy.Core.Time;
using Proxy.DevRoom.Forwarding;
using Proxy.DevRoom.Rooms;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using Room = Proxy.DevRoom.Rooms.Room;
using Proxy.WebRtc;

namespace Proxy.DevRoom.Signal;

/// <summary>Room loop. What a client's signalling messages do, and the frames that answer them in the stock server's order.</summary>
internal sealed class SessionHandler(RoomEnvironment environment, TransportDriver transports)
{
    /// <summary>From an answered offer to ICE and DTLS being up (measured: the stock server waits 15 s).</summary>
    private const int ConnectTimeoutMs = 15_000;

    /// <summary>Least life of a refreshed token: it is used to resume and to join anew.</summary>
    private const long RefreshSeconds = 600;
    private const int MetadataBytesMax = 64 * 1024;

    /// <summary>Raised when a client asks to go, so that the server removes it.</summary>
    public Action<Participant, LeaveRequest, MonoTime>? LeaveRequested { get; set; }

    /// <summary>The frames after the join response: announced tracks, permissions, a fresh token, the first answer.</summary>
    public void Begin(Participant participant, JoinRequest request, MonoTime now)
    {
        foreach (AddTrackRequest track in request.AddTrackRequests)
        {
            AddTrack(participant, track, now);
        }
        if (participant.WantsAutoSubscribe)
        {
            SubscribeToAll(participant);
        }
        SendToken(participant, now);
        if (request.PublisherOffer is { Sdp.Length: > 0 } offer)
        {
            Offer(participant, offer, now);
        }
    }

    private static void SubscribeToAll(Participant participant)
    {
        foreach (Participant other in participant.Room.Participants)
        {
            foreach (Track track in other.Tracks)
            {
                if (track.IsPublished)
                {
                    participant.Room.Subscribe(participant, track);
                }
            }
        }
    }

    public void Handle(Participant participant, SignalRequest request, MonoTime now)
    {
        switch (request.MessageCase)
        {
            case SignalRequest.MessageOneofCase.Offer:
                Offer(participant, request.Offer, now);
                break;
            case SignalRequest.MessageOneofCase.Trickle:
                Trickle(participant, request.Trickle, now);
                break;
            case SignalRequest.MessageOneofCase.AddTrack:
                AddTrack(participant, request.AddTrack, now);
                break;
            case SignalRequest.MessageOneofCase.Mute:
                if (participant.FindTrack(request.Mute.Sid) is { } muted)
                {
                    participant.Room.SetMuted(muted, request.Mute.Muted);
                }
                break;
            case SignalRequest.MessageOneofCase.Subscription:
                UpdateSubscriptions(participant, request.Subscription);
                break;
            case SignalRequest.MessageOneofCase.TrackSetting:
                UpdateTrackSettings(participant, request.TrackSetting);
                break;
            case SignalRequest.MessageOneofCase.Leave:
                LeaveRequested?.Invoke(participant, request.Leave, now);
                break;
            case SignalRequest.MessageOneofCase.UpdateMetadata:
                UpdateMetadata(participant, request.UpdateMetadata, now);
                break;
            case SignalRequest.MessageOneofCase.Ping:
                environment.Outbox.Send(participant, new SignalResponse { Pong = environment.UnixMicros(now) / 1000 });
                break;
            case SignalRequest.MessageOneofCase.PingReq:
                environment.Outbox.Send(participant, new SignalResponse
                {
                    PongResp = new Pong { LastPingTimestamp = request.PingReq.Timestamp, Timestamp = environment.UnixMicros(now) / 1000 },
                });
                break;
            default:
                // Sync state needs nothing here (the participant kept its subscriptions); the rest is for video.
                break;
        }
    }

    public void SendToken(Participant participant, MonoTime now)
    {
        long seconds = environment.UnixSeconds(now);
        AccessClaims claims = participant.Claims with
        {
            Name = participant.Info.Name,
            Metadata = participant.Info.Metadata,
            Attributes = new Dictionary<string, string>(participant.Info.Attributes),
            NotBefore = seconds,
            IssuedAt = seconds,
            ExpiresAt = Math.Max(participant.Claims.ExpiresAt ?? 0, seconds + RefreshSeconds),
            RoomConfig = null,
        };
        if (environment.Keys.TryGetSecret(claims.ApiKey, out ReadOnlySpan<byte> secret))
        {
            environment.Outbox.Send(participant, new SignalResponse { RefreshToken = AccessToken.Mint(claims, secret) });
        }
    }

    private void AddTrack(Participant participant, AddTrackRequest request, MonoTime now)
    {
        if (request.Type != TrackType.Audio || !participant.Info.Permission.CanPublish || participant.Tracks.Count >= 16)
        {
            environment.Outbox.Send(participant, new SignalResponse
            {
                RequestResponse = new RequestResponse { Reason = RequestResponse.Types.Reason.NotAllowed, Message = "only audio tracks are forwarded", AddTrack = request },
            });
            return;
        }
        string prefix = request.Source == TrackSource.Microphone ? "TR_AM" : "TR_AU";
        Track track = new(participant, environment.NewSid(prefix), request, environment.UnixMicros(now));
        participant.Tracks.Add(track);
        environment.Outbox.Send(participant, new SignalResponse { TrackPublished = new TrackPublishedResponse { Cid = request.Cid, Track = track.Info.Clone() } });
        if (participant.LastOffer is { } offer && participant.Negotiation is { } negotiation)
        {
            negotiation.BindLate(offer, participant.Tracks);
            FinishTracks(participant);
        }
    }

    private void Offer(Participant participant, SessionDescription description, MonoTime now)
    {
        if (!OfferReader.TryRead(description.Sdp, out Offer offer) || offer.Transport is not { } remote)
        {
            return;
        }
        bool isFirst = participant.Negotiation is null;
        Negotiation negotiation = participant.Negotiation ??= NewNegotiation(participant, now);
        bool isRestart = !isFirst && participant.LastOffer is { } last && last.IceUfrag != offer.IceUfrag;
        participant.LastOffer = offer;
        transports.Describe(participant, offer, remote, isRestart, now);
        Answer answer = negotiation.Answer(offer, participant.Tracks, participant.Subscriptions);
        FinishTracks(participant);
        SessionDescription reply = new() { Type = "answer", Sdp = answer.Sdp, Id = description.Id };
        reply.MidToTrackId.Add(new Dictionary<string, string>(answer.MidToTrackId));
        environment.Outbox.Send(participant, new SignalResponse { Answer = reply });
        if (isFirst || isRestart)
        {
            SendCandidates(participant, negotiation, offer);
        }
        FinishSubscriptions(participant);
    }

    private Negotiation NewNegotiation(Participant participant, MonoTime now)
    {
        participant.ConnectDeadline = now.AddMillis(ConnectTimeoutMs);
        ulong sessionId = ((ulong)environment.NewSsrc() << 31) | environment.NewSsrc();
        return new Negotiation(sessionId, IceCredentials.Create(environment.Random), environment.Peers.FingerprintSha256, environment.Options.HostCandidates);
    }

    // The last candidate and final come in one frame: clients stop listening at final.
    private void SendCandidates(Participant participant, Negotiation negotiation, Offer offer)
    {
        string mid = offer.Sections.Count > 0 ? offer.Sections[0].Mid : "0";
        IReadOnlyList<NetEndPoint> candidates = negotiation.Candidates;
        for (int i = 0; i < candidates.Count; i++)
        {
            string line = Negotiation.CandidateLine(candidates[i], negotiation.Local.Ufrag);
            string init = "{\"candidate\":\"" + line + "\",\"sdpMid\":\"" + JsonEncodedText.Encode(mid) + "\",\"sdpMLineIndex\":0,\"usernameFragment\":null}";
            environment.Outbox.Send(participant, new SignalResponse { Trickle = new TrickleRequest { CandidateInit = init, Final = i == candidates.Count - 1 } });
        }
    }

    /// <summary>After an answer: tracks that got a section become visible, tracks that lost theirs are over.</summary>
    public void FinishTracks(Participant participant)
    {
        foreach (Track track in participant.Tracks.ToArray())
        {
            if (track.Mid is not null && !track.WasNegotiated)
            {
                track.FillNegotiated();
            }
            if (track.Mid is not null && !track.IsPublished && participant.IsConnected)
            {
                participant.Room.Publish(track);
            }
            if (track.Mid is null && track.WasNegotiated)
            {
                participant.Room.Unpublish(track, isAnnounced: true);
            }
        }
    }

    private void FinishSubscriptions(Participant participant)
    {
        foreach (Subscription subscription in participant.Subscriptions)
        {
            if (subscription.IsUnsupported && !subscription.WasErrorSent)
            {
                subscription.WasErrorSent = true;
                environment.Outbox.Send(participant, new SignalResponse
                {
                    SubscriptionResponse = new SubscriptionResponse { TrackSid = subscription.Track.Sid, Err = SubscriptionError.SeCodecUnsupported },
                });
            }
            if (subscription.IsAttached && !subscription.Track.WasHeard)
            {
                subscription.Track.WasHeard = true;
                environment.Outbox.Send(subscription.Track.Publisher, new SignalResponse { TrackSubscribed = new TrackSubscribed { TrackSid = subscription.Track.Sid } });
            }
        }
        participant.Room.RequestSections(participant);
    }

    private void Trickle(Participant participant, TrickleRequest trickle, MonoTime now)
    {
        if (trickle.Target != SignalTarget.Publisher || trickle.CandidateInit.Length is 0 or > 4096)
        {
            return;
        }
        try
        {
            using JsonDocument json = JsonDocument.Parse(trickle.CandidateInit);
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("candidate", out JsonElement line)
                && line.ValueKind == JsonValueKind.String && OfferReader.TryReadCandidate(line.GetString(), out NetEndPoint candidate))
            {
                participant.Transport?.AddRemoteCandidate(candidate, now);
                transports.Drain(participant, now);
            }
        }
        catch (JsonException)
        {
            // A candidate that cannot be read is a candidate that cannot be used; the checks find the peer anyway.
        }
    }

    private static void UpdateSubscriptions(Participant participant, UpdateSubscription update)
    {
        foreach (string sid in update.TrackSids)
        {
            SetSubscribed(participant, sid, update.Subscribe);
        }
        foreach (ParticipantTracks tracks in update.ParticipantTracks)
        {
            foreach (string sid in tracks.TrackSids)
            {
                SetSubscribed(participant, sid, update.Subscribe);
            }
        }
        participant.Room.RequestSections(participant);
    }

    public static void SetSubscribed(Participant participant, string trackSid, bool isSubscribed)
    {
        if (participant.Room.FindTrack(trackSid) is not { IsPublished: true } track)
        {
            return;
        }
        if (isSubscribed)
        {
            participant.Room.Subscribe(participant, track);
        }
        else if (track.Subscriptions.Find(have => have.Subscriber == participant) is { } subscription)
        {
            participant.Room.Unsubscribe(subscription);
        }
    }

    private static void UpdateTrackSettings(Participant participant, UpdateTrackSettings settings)
    {
        foreach (Subscription subscription in participant.Subscriptions)
        {
            if (settings.TrackSids.Contains(subscription.Track.Sid) && subscription.IsDisabled != settings.Disabled)
            {
                subscription.IsDisabled = settings.Disabled;
                subscription.Rewriter.Break();
            }
        }
    }

    private void UpdateMetadata(Participant participant, UpdateParticipantMetadata update, MonoTime now)
    {
        RequestResponse.Types.Reason reason = RequestResponse.Types.Reason.Ok;
        if (!participant.Info.Permission.CanUpdateMetadata)
        {
            reason = RequestResponse.Types.Reason.NotAllowed;
        }
        else if (update.CalculateSize() > MetadataBytesMax)
        {
            reason = RequestResponse.Types.Reason.LimitExceeded;
        }
        else
        {
            ApplyMetadata(participant, update.Metadata, update.Name, update.Attributes, now);
        }
        environment.Outbox.Send(participant, new SignalResponse
        {
            RequestResponse = new RequestResponse { RequestId = update.RequestId, Reason = reason, UpdateMetadata = update },
        });
    }

    /// <summary>Changes name, metadata and attributes (empty: unchanged; an empty attribute value deletes), tells everybody and refreshes the token.</summary>
    public void ApplyMetadata(Participant participant, string metadata, string name, IEnumerable<KeyValuePair<string, string>> attributes, MonoTime now)
    {
        participant.Info.Metadata = metadata.Length > 0 ? metadata : participant.Info.Metadata;
        participant.Info.Name = name.Length > 0 ? name : participant.Info.Name;
        foreach ((string key, string value) in attributes)
        {
            if (value.Length == 0)
            {
                participant.Info.Attributes.Remove(key);
            }
            else
            {
                participant.Info.Attributes[key] = value;
            }
        }
        participant.Room.Announce(participant);
        SendToken(participant, now);
    }
}
