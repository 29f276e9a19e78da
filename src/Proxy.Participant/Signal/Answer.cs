using System.Collections.Generic;
using Proxy.Sdp;
using Proxy.WebRtc;

namespace Proxy.Participant.Signal;

/// <summary>One section of an answer.</summary>
/// <param name="IsRejected">Port 0.</param>
/// <param name="Ssrc">First a=ssrc; 0 when there is none: then no track is attached, whatever the direction says.</param>
/// <param name="StreamId">First part of a=msid: <c>PA_…|TR_…</c> on a stock server.</param>
/// <param name="TrackId">Second part of a=msid.</param>
/// <param name="Codecs">The ones that we know, in the answer's order.</param>
/// <param name="AudioLevelId">0 when the extension was not accepted.</param>
internal sealed record AnswerSection(
    string Mid, bool IsAudio, bool IsRejected, SdpDirection Direction, uint Ssrc, string StreamId, string TrackId,
    IReadOnlyList<PayloadCodec> Codecs, byte AudioLevelId);

/// <summary>Signal thread. What an SDP answer says, copied out.</summary>
/// <param name="Remote">Null when no section holds ICE credentials and a fingerprint.</param>
internal sealed record Answer(RemoteDescription? Remote, IReadOnlyList<AnswerSection> Sections)
{
    public AnswerSection? Find(string mid)
    {
        foreach (AnswerSection section in Sections)
        {
            if (section.Mid == mid)
            {
                return section;
            }
        }
        return null;
    }
}
