using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Proxy.Core.Net;
using Proxy.DevRoom.Forwarding;
using Proxy.DevRoom.Rooms;
using Proxy.WebRtc;

namespace Proxy.DevRoom.Signal;

/// <summary>Room loop. What one answer says.</summary>
internal sealed record Answer(string Sdp, IReadOnlyDictionary<string, string> MidToTrackId);

/// <summary>
/// Room loop. The answering side of one client's session over its whole life: which codecs it may use, which section
/// carries which track. Behaves as the stock server's captured answers (single peer connection, the client always offers).
/// </summary>
/// <remarks>RFC 8829 §5.3, RFC 9143. Recvonly sections without a track are answered sendonly as long as they never had
/// one, inactive afterwards; both keep their place.</remarks>
internal sealed class Negotiation(ulong sessionId, IceCredentials local, ReadOnlyMemory<byte> fingerprint, IReadOnlyList<NetEndPoint> candidates)
{
    /// <summary>The answered fmtp of Opus: the server's own, whatever the offer says.</summary>
    private const string OpusFmtp = "minptime=10;useinbandfec=1";

    private readonly Dictionary<string, SectionState> _sections = [];
    private List<(TrackCodec Codec, byte PayloadType)>? _ceiling;
    private uint _version;

    private sealed class SectionState
    {
        public Track? Published { get; set; }

        public Subscription? Subscribed { get; set; }

        public bool HadTrack { get; set; }
    }

    public IceCredentials Local { get; set; } = local;

    public IReadOnlyList<NetEndPoint> Candidates { get; } = candidates;

    /// <summary>Recvonly sections of the last offer that carry nothing.</summary>
    public int FreeSections { get; private set; }

    /// <summary>Whether the client offered data channels.</summary>
    public bool HasData { get; private set; }

    /// <summary>Answers an offer: binds tracks that wait to sections that send, and subscriptions that wait to sections that receive.</summary>
    /// <param name="tracks">The client's own announced tracks; bound ones get mid, SSRC, codec and payload type.</param>
    /// <param name="subscriptions">What the client is to hear; attached ones get mid and payload type.</param>
    public Answer Answer(Offer offer, IReadOnlyList<Track> tracks, IReadOnlyList<Subscription> subscriptions)
    {
        _version++;
        FreeSections = 0;
        ReadCeiling(offer);
        BindPublished(offer, tracks);
        DetachGone(offer, subscriptions);
        AttachWaiting(offer, subscriptions);
        Dictionary<string, string> map = [];
        StringBuilder sections = new();
        List<string> bundle = [];
        bool isFirst = true;
        foreach (OfferSection section in offer.Sections)
        {
            bool isAccepted = WriteSection(sections, offer, section, map);
            if (isAccepted)
            {
                if (isFirst && _version > 1)
                {
                    WriteCandidates(sections);
                }
                isFirst = false;
                bundle.Add(section.Mid);
            }
        }
        StringBuilder sdp = new();
        WriteSession(sdp, offer, bundle);
        return new Answer(sdp.Append(sections).ToString(), map);
    }

    /// <summary>The section is given free; its next answer says inactive.</summary>
    public void Release(Subscription subscription)
    {
        if (subscription.Mid is not null && _sections.TryGetValue(subscription.Mid, out SectionState? state) && state.Subscribed == subscription)
        {
            state.Subscribed = null;
        }
        subscription.Mid = null;
    }

    // The first audio section of the first offer fixes the codecs of the whole session.
    private void ReadCeiling(Offer offer)
    {
        foreach (OfferSection section in offer.Sections)
        {
            if (_ceiling is not null || section.Kind != SectionKind.Audio || section.IsRejected)
            {
                continue;
            }
            List<(TrackCodec, byte)> codecs = Usable(section);
            _ceiling = codecs.Count == 0 ? null : codecs;
        }
    }

    private List<(TrackCodec Codec, byte PayloadType)> Usable(OfferSection section)
    {
        List<(TrackCodec Codec, byte PayloadType)> usable = [];
        foreach (OfferCodec offered in section.Codecs)
        {
            if (TrackCodecs.TryParse(offered.Name, out TrackCodec codec) && offered.ClockAndChannels == ClockAndChannels(codec)
                && !usable.Exists(have => have.Codec == codec)
                && (_ceiling is null || _ceiling.Exists(have => have.Codec == codec)))
            {
                usable.Add((codec, offered.PayloadType));
            }
        }
        return usable;
    }

    private SectionState StateOf(OfferSection section)
    {
        if (!_sections.TryGetValue(section.Mid, out SectionState? state))
        {
            _sections[section.Mid] = state = new SectionState();
        }
        return state;
    }

    private void BindPublished(Offer offer, IReadOnlyList<Track> tracks)
    {
        foreach (OfferSection section in offer.Sections)
        {
            if (section.Kind != SectionKind.Audio || section.Mid.Length == 0)
            {
                continue;
            }
            SectionState state = StateOf(section);
            bool isSending = !section.IsRejected && section.ClientSends && section.Ssrc != 0;
            Track? track = isSending ? FindTrack(section, state, tracks) : null;
            if (state.Published is not null && state.Published != track)
            {
                state.Published.Mid = null;
            }
            state.Published = null;
            if (track is not null && PublishedCodecs(section, track) is { Count: > 0 } codecs)
            {
                Bind(track, section, state, codecs[0]);
            }
        }
    }

    /// <summary>A track that was announced after the offer whose section carries it: it takes the codec that was answered.</summary>
    public void BindLate(Offer offer, IReadOnlyList<Track> tracks)
    {
        foreach (OfferSection section in offer.Sections)
        {
            if (section.Kind == SectionKind.Audio && section.ClientSends && section.Ssrc != 0 && _sections.TryGetValue(section.Mid, out SectionState? state)
                && state.Published is null && FindTrack(section, state, tracks) is { Mid: null } track && Usable(section) is { Count: > 0 } codecs)
            {
                Bind(track, section, state, codecs[0]);
            }
        }
    }

    private static void Bind(Track track, OfferSection section, SectionState state, (TrackCodec Codec, byte PayloadType) codec)
    {
        state.Published = track;
        state.HadTrack = true;
        track.Mid = section.Mid;
        track.Ssrc = section.Ssrc;
        track.AudioLevelId = section.AudioLevelId;
        (track.Codec, track.PayloadType) = codec;
    }

    private static Track? FindTrack(OfferSection section, SectionState state, IReadOnlyList<Track> tracks)
    {
        Track? only = null;
        int waiting = 0;
        foreach (Track track in tracks)
        {
            if (track.Cid == section.MsidTrack || track.Mid == section.Mid && (section.MsidTrack is null || state.Published == track))
            {
                return track;
            }
            if (track.Mid is null)
            {
                only = track;
                waiting++;
            }
        }
        // Measured: without a matching msid the section still carries the track when only one waits.
        return waiting == 1 ? only : null;
    }

    private List<(TrackCodec Codec, byte PayloadType)> PublishedCodecs(OfferSection section, Track track)
    {
        List<(TrackCodec Codec, byte PayloadType)> codecs = Usable(section);
        TrackCodec? first = track.WasNegotiated ? track.Codec : track.PreferredCodec;
        int at = codecs.FindIndex(codec => codec.Codec == first);
        if (at > 0)
        {
            (TrackCodec, byte) preferred = codecs[at];
            codecs.RemoveAt(at);
            codecs.Insert(0, preferred);
        }
        return codecs;
    }

    private void DetachGone(Offer offer, IReadOnlyList<Subscription> subscriptions)
    {
        foreach (OfferSection section in offer.Sections)
        {
            if (section.Kind != SectionKind.Audio || !_sections.TryGetValue(section.Mid, out SectionState? state) || state.Subscribed is not { } held)
            {
                continue;
            }
            bool isWanted = false;
            foreach (Subscription subscription in subscriptions)
            {
                isWanted |= subscription == held;
            }
            if (!isWanted || held.IsUnsupported || section.IsRejected || !section.ClientReceives)
            {
                state.Subscribed = null;
                held.Mid = null;
            }
        }
    }

    private void AttachWaiting(Offer offer, IReadOnlyList<Subscription> subscriptions)
    {
        int next = 0;
        foreach (OfferSection section in offer.Sections)
        {
            if (section.Kind != SectionKind.Audio || section.IsRejected || section.Mid.Length == 0 || !section.ClientReceives)
            {
                continue;
            }
            SectionState state = StateOf(section);
            if (state.Subscribed is not null || Usable(section).Count == 0)
            {
                continue;
            }
            while (next < subscriptions.Count && (subscriptions[next].Mid is not null || subscriptions[next].IsUnsupported))
            {
                next++;
            }
            if (next == subscriptions.Count)
            {
                FreeSections++;
                continue;
            }
            Attach(subscriptions[next++], section, state);
        }
    }

    private void Attach(Subscription subscription, OfferSection section, SectionState state)
    {
        List<(TrackCodec Codec, byte PayloadType)> codecs = Usable(section);
        int at = codecs.FindIndex(codec => codec.Codec == subscription.Track.Codec);
        state.Subscribed = subscription;
        state.HadTrack = true;
        subscription.Mid = section.Mid;
        subscription.IsUnsupported = at < 0;
        subscription.PayloadType = at < 0 ? (byte)0 : codecs[at].PayloadType;
    }

    private void WriteSession(StringBuilder sdp, Offer offer, List<string> bundle)
    {
        sdp.Append(CultureInfo.InvariantCulture, $"v=0\r\no=- {sessionId} {_version} IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n")
            .Append("a=msid-semantic:WMS *\r\na=fingerprint:sha-256 ");
        ReadOnlySpan<byte> digest = fingerprint.Span;
        for (int i = 0; i < digest.Length; i++)
        {
            sdp.Append(i == 0 ? "" : ":").Append(digest[i].ToString("X2", CultureInfo.InvariantCulture));
        }
        sdp.Append("\r\na=ice-lite\r\n").Append(offer.AllowsMixedExtmap ? "a=extmap-allow-mixed\r\n" : "");
        if (offer.Bundle is not null)
        {
            sdp.Append("a=group:BUNDLE");
            foreach (string mid in bundle)
            {
                // Only mids of the offered group may stand in the answered one: libwebrtc refuses the answer otherwise.
                sdp.Append(Array.IndexOf(offer.Bundle, mid) < 0 ? "" : " " + mid);
            }
            sdp.Append("\r\n");
        }
    }

    /// <returns>False when the section is refused with port 0.</returns>
    private bool WriteSection(StringBuilder sdp, Offer offer, OfferSection section, Dictionary<string, string> map)
    {
        List<(TrackCodec Codec, byte PayloadType)> codecs = section.Kind == SectionKind.Audio ? Usable(section) : [];
        bool isRefused = section.IsRejected || section.Mid.Length == 0 || section.Kind == SectionKind.Other
            || (section.Kind == SectionKind.Audio && codecs.Count == 0)
            || (section.Kind == SectionKind.Video && section.Codecs.Count == 0);
        if (isRefused)
        {
            sdp.Append(CultureInfo.InvariantCulture, $"m={section.Media} 0 {section.Protocol} {section.Formats}\r\nc=IN IP4 0.0.0.0\r\n")
                .Append(section.Mid.Length == 0 ? "" : "a=mid:" + section.Mid + "\r\n").Append("a=inactive\r\n");
            return false;
        }
        switch (section.Kind)
        {
            case SectionKind.Application:
                HasData = true;
                WriteHead(sdp, offer, section, section.Formats);
                sdp.Append("a=sendrecv\r\na=sctp-port:5000\r\na=max-message-size:65535\r\n");
                break;
            case SectionKind.Video:
                WriteVideo(sdp, offer, section);
                break;
            default:
                WriteAudio(sdp, offer, section, codecs, map);
                break;
        }
        return true;
    }

    private void WriteHead(StringBuilder sdp, Offer offer, OfferSection section, string formats)
    {
        string setup = offer.Setup == SetupRole.Active ? "passive" : "active";
        sdp.Append(CultureInfo.InvariantCulture, $"m={section.Media} 9 {section.Protocol} {formats}\r\nc=IN IP4 0.0.0.0\r\na=setup:{setup}\r\n")
            .Append(CultureInfo.InvariantCulture, $"a=mid:{section.Mid}\r\na=ice-ufrag:{Local.Ufrag}\r\na=ice-pwd:{Local.Pwd}\r\n");
    }

    // Video is not forwarded: the section keeps its place and stays silent.
    private void WriteVideo(StringBuilder sdp, Offer offer, OfferSection section)
    {
        OfferCodec first = section.Codecs.Find(codec => codec.Name.Equals("VP8", StringComparison.OrdinalIgnoreCase)) ?? section.Codecs[0];
        WriteHead(sdp, offer, section, first.PayloadType.ToString(CultureInfo.InvariantCulture));
        sdp.Append(CultureInfo.InvariantCulture, $"a=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:{first.PayloadType} {first.Name}/{first.ClockAndChannels}\r\na=inactive\r\n");
    }

    private void WriteAudio(StringBuilder sdp, Offer offer, OfferSection section, List<(TrackCodec Codec, byte PayloadType)> codecs, Dictionary<string, string> map)
    {
        SectionState state = StateOf(section);
        if (state.Published is { } published)
        {
            codecs = PublishedCodecs(section, published);
        }
        else if (state.HadTrack && _ceiling is not null)
        {
            // Measured: a section that has or had a track lists codecs in the first section's order, a spare one in its own.
            codecs.Sort((a, b) => _ceiling.FindIndex(c => c.Codec == a.Codec) - _ceiling.FindIndex(c => c.Codec == b.Codec));
        }
        StringBuilder formats = new();
        foreach ((TrackCodec _, byte payloadType) in codecs)
        {
            formats.Append(formats.Length == 0 ? "" : " ").Append(payloadType);
        }
        WriteHead(sdp, offer, section, formats.ToString());
        sdp.Append("a=rtcp-mux\r\na=rtcp-rsize\r\n");
        foreach ((TrackCodec codec, byte payloadType) in codecs)
        {
            sdp.Append(CultureInfo.InvariantCulture, $"a=rtpmap:{payloadType} {TrackCodecs.SdpName(codec)}/{ClockAndChannels(codec)}\r\n");
            if (codec == TrackCodec.Opus)
            {
                sdp.Append(CultureInfo.InvariantCulture, $"a=fmtp:{payloadType} {OpusFmtp}{PublisherFmtp(state.Published)}\r\n");
            }
        }
        WriteExtension(sdp, section.AudioLevelId, "urn:ietf:params:rtp-hdrext:ssrc-audio-level");
        WriteExtension(sdp, section.MidExtensionId, "urn:ietf:params:rtp-hdrext:sdes:mid");
        if (state.Subscribed is { } subscription)
        {
            WriteStream(sdp, subscription);
            map[section.Mid] = subscription.Track.Sid;
        }
        sdp.Append("a=").Append(DirectionOf(section, state)).Append("\r\n");
    }

    private static string PublisherFmtp(Track? published) => published is null
        ? ""
        : (published.WantsDtx ? ";usedtx=1" : "") + (published.IsStereo ? ";stereo=1;maxaveragebitrate=510000" : "");

    private static void WriteExtension(StringBuilder sdp, byte id, string uri)
    {
        if (id != 0)
        {
            sdp.Append(CultureInfo.InvariantCulture, $"a=extmap:{id} {uri}\r\n");
        }
    }

    private static void WriteStream(StringBuilder sdp, Subscription subscription)
    {
        string stream = subscription.Track.Publisher.Sid + "|" + subscription.Track.Sid;
        uint ssrc = subscription.Ssrc;
        sdp.Append(CultureInfo.InvariantCulture, $"a=ssrc:{ssrc} cname:{stream}\r\na=ssrc:{ssrc} msid:{stream} {subscription.Track.Sid}\r\n")
            .Append(CultureInfo.InvariantCulture, $"a=ssrc:{ssrc} mslabel:{stream}\r\na=ssrc:{ssrc} label:{subscription.Track.Sid}\r\n")
            .Append(CultureInfo.InvariantCulture, $"a=msid:{stream} {subscription.Track.Sid}\r\n");
    }

    private static string DirectionOf(OfferSection section, SectionState state)
    {
        // A client may send and receive in one section (pion reuses transceivers so): both then carry a track each.
        bool weSend = state.Subscribed is not null || (section.ClientReceives && state.Published is null && !state.HadTrack);
        bool weReceive = state.Published is not null || section.Direction == SectionDirection.SendOnly;
        return weSend ? (weReceive ? "sendrecv" : "sendonly") : weReceive ? "recvonly" : "inactive";
    }

    private void WriteCandidates(StringBuilder sdp)
    {
        foreach (NetEndPoint candidate in Candidates)
        {
            sdp.Append("a=").Append(CandidateLine(candidate, Local.Ufrag)).Append("\r\n");
        }
        sdp.Append("a=end-of-candidates\r\n");
    }

    /// <summary>One host candidate as SDP and trickle write it, component 1.</summary>
    public static string CandidateLine(NetEndPoint candidate, string ufrag)
    {
        // The foundation only has to differ between addresses (RFC 8445 §5.1.1.3).
        uint foundation = (uint)candidate.Address.GetHashCode();
        uint priority = candidate.Address.IsLoopback ? 2_130_706_175u : 2_130_706_431u;
        return string.Create(CultureInfo.InvariantCulture,
            $"candidate:{foundation} 1 udp {priority} {candidate.Address} {candidate.Port} typ host ufrag {ufrag}");
    }

    private static string ClockAndChannels(TrackCodec codec) => codec == TrackCodec.Opus ? "48000/2" : "8000";
}
