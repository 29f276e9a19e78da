using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.Text;
using Proxy.Core.Net;
using Proxy.Sdp;
using Proxy.WebRtc;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. Copies out of an SDP answer what this participant needs (RFC 8866, RFC 8829 §5.3).</summary>
internal static class AnswerReader
{
    private const int CandidatesMax = 16;
    private const int CodecsMax = 16;
    private const int HashBytes = 32;

    /// <returns>False when it is no SDP that can be read.</returns>
    public static bool TryRead(string sdp, out Answer answer)
    {
        answer = new Answer(null, []);
        if (sdp.Length > SdpView.MaxBytes || SdpView.TryParse(Encoding.UTF8.GetBytes(sdp), out SdpView view) != SdpVerdict.Ok)
        {
            return false;
        }
        RemoteDescription? remote = null;
        var sections = new List<AnswerSection>(view.MediaCount);
        foreach (SdpMedia media in view.Media)
        {
            sections.Add(ReadSection(media));
            // All bundled sections say the same about the transport; a refused one says nothing.
            if (remote is null && media.Port != 0)
            {
                remote = ReadTransport(media, view.Attributes("ice-lite"u8).MoveNext());
            }
        }
        answer = new Answer(remote, sections);
        return true;
    }

    private static AnswerSection ReadSection(in SdpMedia media)
    {
        uint ssrc = 0;
        foreach (SdpSources source in media.Sources)
        {
            ssrc = source.Ssrc;
            break;
        }
        ReadOnlySpan<byte> msid = media.Msid;
        int blank = msid.IndexOf((byte)' ');
        string stream = Encoding.UTF8.GetString(blank < 0 ? msid : msid[..blank]);
        string track = blank < 0 ? "" : Encoding.UTF8.GetString(msid[(blank + 1)..].Trim((byte)' '));
        return new AnswerSection(
            Encoding.UTF8.GetString(media.Mid), media.IsAudio, media.Port == 0, media.Direction, ssrc, stream, track, ReadCodecs(media), ReadAudioLevelId(media));
    }

    private static List<PayloadCodec> ReadCodecs(in SdpMedia media)
    {
        var codecs = new List<PayloadCodec>(3);
        foreach (byte type in media.PayloadTypes)
        {
            if (codecs.Count < CodecsMax && media.TryGetRtpMap(type, out SdpRtpMap map) && TryName(map, out RoomCodec codec))
            {
                codecs.Add(new PayloadCodec(type, codec));
            }
        }
        return codecs;
    }

    private static bool TryName(in SdpRtpMap map, out RoomCodec codec)
    {
        codec = map.NameIs("PCMU"u8) ? RoomCodec.Pcmu : map.NameIs("PCMA"u8) ? RoomCodec.Pcma : RoomCodec.Opus;
        return codec == RoomCodec.Opus ? map.NameIs("opus"u8) && map.ClockHz == 48_000 : map is { ClockHz: 8_000, Channels: 1 };
    }

    // a=extmap:<id>[/direction] <uri>, RFC 8285 §5; ids above 14 do not fit the one-byte form.
    private static byte ReadAudioLevelId(in SdpMedia media)
    {
        foreach (SdpAttributes attribute in media.Attributes("extmap"u8))
        {
            ReadOnlySpan<byte> value = attribute.Value;
            if (value.EndsWith(" urn:ietf:params:rtp-hdrext:ssrc-audio-level"u8) && Utf8Parser.TryParse(value, out byte id, out _) && id is >= 1 and <= 14)
            {
                return id;
            }
        }
        return 0;
    }

    private static RemoteDescription? ReadTransport(in SdpMedia media, bool isLite)
    {
        ReadOnlySpan<byte> ufrag = media.IceUfrag;
        ReadOnlySpan<byte> pwd = media.IcePwd;
        byte[] hash = new byte[HashBytes];
        // RFC 8839 §5.4: the least lengths make guessing hopeless.
        if (ufrag.Length is < 4 or > 256 || pwd.Length is < 22 or > 256 || !TryReadFingerprint(media.Fingerprint, hash))
        {
            return null;
        }
        var candidates = new List<NetEndPoint>();
        foreach (SdpCandidate candidate in media.Candidates)
        {
            if (CandidateReader.TryAccept(candidate, out NetEndPoint endPoint) && candidates.Count < CandidatesMax && !candidates.Contains(endPoint))
            {
                candidates.Add(endPoint);
            }
        }
        var ice = new IceCredentials(Encoding.ASCII.GetString(ufrag), Encoding.ASCII.GetString(pwd));
        return new RemoteDescription(ice, isLite, hash, ReadSetup(media.Setup), candidates);
    }

    private static SetupRole ReadSetup(ReadOnlySpan<byte> setup)
    {
        if (setup.SequenceEqual("passive"u8))
        {
            return SetupRole.Passive;
        }
        return setup.SequenceEqual("actpass"u8) ? SetupRole.ActPass : SetupRole.Active;
    }

    // RFC 8122 §5: "sha-256 AB:CD:…".
    private static bool TryReadFingerprint(ReadOnlySpan<byte> value, Span<byte> hash)
    {
        int blank = value.IndexOf((byte)' ');
        if (blank < 0 || !Ascii.EqualsIgnoreCase(value[..blank], "sha-256"u8))
        {
            return false;
        }
        value = value[(blank + 1)..].Trim((byte)' ');
        if (value.Length != (HashBytes * 3) - 1)
        {
            return false;
        }
        for (int i = 0; i < HashBytes; i++)
        {
            bool isSeparated = i == 0 || value[(i * 3) - 1] == (byte)':';
            if (!isSeparated || !Utf8Parser.TryParse(value.Slice(i * 3, 2), out hash[i], out int used, 'x') || used != 2)
            {
                return false;
            }
        }
        return true;
    }
}
