using System;
using System.Collections.Generic;
using Google.Protobuf.Collections;
using Proxy.Sdp;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. Which remote track arrives under which SSRC, as the last answer says; never carried over from an older one.</summary>
internal sealed class DownTrackMap
{
    private readonly List<DownTrack> _tracks = [];
    private IReadOnlyList<DownTrack> _published = [];

    /// <summary>Takes the map from an answer.</summary>
    /// <param name="sendMid">Our own section.</param>
    /// <param name="midToTrack">The server's map; empty with old servers, then the msid tells.</param>
    public void Read(Answer answer, string sendMid, MapField<string, string> midToTrack)
    {
        _tracks.Clear();
        foreach (AnswerSection section in answer.Sections)
        {
            // A free section is answered sendonly too, without a=ssrc.
            if (!section.IsAudio || section.IsRejected || !section.Direction.Sends() || section.Ssrc == 0 || section.Mid == sendMid || section.Codecs.Count == 0)
            {
                continue;
            }
            (string participant, string track) = SplitStream(section);
            if (midToTrack.TryGetValue(section.Mid, out string? named) && named.Length > 0)
            {
                track = named;
            }
            _tracks.Add(new DownTrack(section.Ssrc, section.Codecs, track, participant, ""));
        }
    }

    /// <summary>The track is gone before an answer says so.</summary>
    public void Remove(string trackSid) => _tracks.RemoveAll(track => track.TrackSid == trackSid);

    /// <summary>The list for the shard, with identities from the roster and without tracks that we cannot decode.</summary>
    /// <returns>False when it is what the shard has already.</returns>
    public bool TryPublish(Roster roster, out IReadOnlyList<DownTrack> tracks)
    {
        var list = new List<DownTrack>(_tracks.Count);
        foreach (DownTrack track in _tracks)
        {
            if (!roster.IsUnusable(track.TrackSid))
            {
                list.Add(track with { Identity = roster.IdentityOf(track.TrackSid, track.ParticipantSid) });
            }
        }
        tracks = list;
        if (IsSame(list, _published))
        {
            return false;
        }
        _published = list;
        return true;
    }

    private static (string Participant, string Track) SplitStream(AnswerSection section)
    {
        int bar = section.StreamId.IndexOf('|', StringComparison.Ordinal);
        return bar < 0
            ? (section.StreamId, section.TrackId)
            : (section.StreamId[..bar], section.TrackId.Length > 0 ? section.TrackId : section.StreamId[(bar + 1)..]);
    }

    private static bool IsSame(IReadOnlyList<DownTrack> a, IReadOnlyList<DownTrack> b)
    {
        if (a.Count != b.Count)
        {
            return false;
        }
        for (int i = 0; i < a.Count; i++)
        {
            if (a[i].Ssrc != b[i].Ssrc || a[i].TrackSid != b[i].TrackSid || a[i].Identity != b[i].Identity || !HasSameCodecs(a[i], b[i]))
            {
                return false;
            }
        }
        return true;
    }

    private static bool HasSameCodecs(DownTrack a, DownTrack b)
    {
        if (a.Codecs.Count != b.Codecs.Count)
        {
            return false;
        }
        for (int i = 0; i < a.Codecs.Count; i++)
        {
            if (a.Codecs[i] != b.Codecs[i])
            {
                return false;
            }
        }
        return true;
    }
}
