using System.Collections.Generic;
using Google.Protobuf.Collections;
using Proxy.Core.Net;
using Proxy.WebRtc;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. What answers, candidates and the roster mean for the shard; tells it only what changed.</summary>
internal sealed class MediaPlan(Outbox outbox, uint ssrc)
{
    private const int EarlyCandidatesMax = 16;
    private const int CandidatesMax = 64;

    private readonly DownTrackMap _downTracks = new();
    private readonly List<NetEndPoint> _early = [];
    private readonly HashSet<NetEndPoint> _candidates = [];
    private RemoteDescription? _remote;

    /// <summary>What the last answer obliges us to send; null before.</summary>
    public PublishTrack? Publish { get; private set; }

    /// <summary>Takes an accepted answer.</summary>
    /// <param name="own">Its section of our track; not refused, with a codec.</param>
    public void Apply(Answer answer, AnswerSection own, MapField<string, string> midToTrack, Roster roster)
    {
        SetRemote(answer.Remote);
        SetPublish(own);
        _downTracks.Read(answer, own.Mid, midToTrack);
        Refresh(roster);
    }

    /// <summary>Names and usability of the tracks may have changed.</summary>
    public void Refresh(Roster roster)
    {
        if (_downTracks.TryPublish(roster, out IReadOnlyList<DownTrack> tracks))
        {
            outbox.Command(new MediaCommand(MediaCommandKind.SetDownTracks) { DownTracks = tracks });
        }
    }

    /// <summary>The track is gone before an answer says so.</summary>
    public void Remove(string trackSid) => _downTracks.Remove(trackSid);

    /// <summary>A trickled candidate; one that comes before the answer waits for it.</summary>
    public void Trickle(NetEndPoint candidate)
    {
        if (_remote is not null)
        {
            Add(candidate);
        }
        else if (_early.Count < EarlyCandidatesMax)
        {
            _early.Add(candidate);
        }
    }

    private void SetRemote(RemoteDescription? remote)
    {
        if (remote is null)
        {
            return;
        }
        if (_remote is null || _remote.Ice != remote.Ice)
        {
            _candidates.Clear();
            _candidates.UnionWith(remote.Candidates);
            outbox.Command(new MediaCommand(MediaCommandKind.SetRemote) { Remote = remote });
        }
        _remote = remote;
        foreach (NetEndPoint candidate in remote.Candidates)
        {
            Add(candidate);
        }
        foreach (NetEndPoint candidate in _early)
        {
            Add(candidate);
        }
        _early.Clear();
    }

    private void Add(NetEndPoint candidate)
    {
        if (_candidates.Count < CandidatesMax && _candidates.Add(candidate))
        {
            outbox.Command(new MediaCommand(MediaCommandKind.AddCandidate) { Candidate = candidate });
        }
    }

    private void SetPublish(AnswerSection own)
    {
        PayloadCodec first = own.Codecs[0];
        var publish = new PublishTrack(first.Codec, first.PayloadType, own.AudioLevelId, ssrc);
        if (publish == Publish)
        {
            return;
        }
        Publish = publish;
        outbox.Command(new MediaCommand(MediaCommandKind.SetPublish) { Publish = publish });
        outbox.Tell(new RoomEvent(RoomEventKind.PublishReady) { Publish = publish });
    }
}
