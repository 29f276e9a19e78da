using System;
using System.Globalization;
using System.Text;
using Proxy.Core.Net;
using Proxy.Sdp;
using Proxy.WebRtc;

namespace Proxy.DevRoom.Signal;

/// <summary>Room loop. Copies what the answer engine needs out of an offer's text (RFC 8866, RFC 8829 §5.2). Never throws.</summary>
/// <remarks>A reader of its own beside <see cref="SdpView"/>: a browser among twenty speakers offers 40 KB in 30 sections, more
/// than a SIP body may have.</remarks>
internal static class OfferReader
{
    private const int SectionsMax = 256;
    private const int CodecsMax = 128;
    private const int CandidatesMax = 64;
    private const int ValueMax = 256;

    /// <returns>False when the text is no session description or has too many sections.</returns>
    public static bool TryRead(string sdp, out Offer offer)
    {
        offer = new Offer();
        ReadOnlySpan<char> rest = sdp;
        if (!rest.StartsWith("v=0", StringComparison.Ordinal))
        {
            return false;
        }
        OfferSection? section = null;
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf('\n');
            ReadOnlySpan<char> line = (end < 0 ? rest : rest[..end]).TrimEnd('\r');
            rest = end < 0 ? default : rest[(end + 1)..];
            if (line.StartsWith("m=", StringComparison.Ordinal))
            {
                if (offer.Sections.Count == SectionsMax || !TryReadMedia(line[2..], out section))
                {
                    return false;
                }
                offer.Sections.Add(section!);
            }
            else if (line.StartsWith("a=", StringComparison.Ordinal))
            {
                int colon = line.IndexOf(':');
                ReadOnlySpan<char> name = colon < 0 ? line[2..] : line[2..colon];
                ReadOnlySpan<char> value = colon < 0 ? default : line[(colon + 1)..];
                ReadTransport(offer, name, value);
                if (section is null)
                {
                    ReadSession(offer, name, value);
                }
                else
                {
                    ReadSection(section, name, value);
                }
            }
        }
        return true;
    }

    private static bool TryReadMedia(ReadOnlySpan<char> value, out OfferSection? section)
    {
        section = null;
        ReadOnlySpan<char> media = NextWord(ref value);
        ReadOnlySpan<char> port = NextWord(ref value);
        ReadOnlySpan<char> protocol = NextWord(ref value);
        int slash = port.IndexOf('/');
        if (!ushort.TryParse(slash < 0 ? port : port[..slash], NumberStyles.None, CultureInfo.InvariantCulture, out ushort number))
        {
            return false;
        }
        SectionKind kind = media switch
        {
            "audio" => SectionKind.Audio,
            "video" => SectionKind.Video,
            "application" when protocol.Contains("SCTP", StringComparison.Ordinal) => SectionKind.Application,
            _ => SectionKind.Other,
        };
        section = new OfferSection
        {
            Kind = kind,
            Media = media.ToString(),
            Protocol = protocol.ToString(),
            Formats = value.ToString(),
            IsRejected = number == 0,
        };
        AddStaticCodecs(section, value);
        return true;
    }

    // RFC 3551 §6: PCMU and PCMA may stand in the m-line without a=rtpmap.
    private static void AddStaticCodecs(OfferSection section, ReadOnlySpan<char> formats)
    {
        while (section.Kind is SectionKind.Audio or SectionKind.Video && !formats.IsEmpty && section.Codecs.Count < CodecsMax)
        {
            if (byte.TryParse(NextWord(ref formats), NumberStyles.None, CultureInfo.InvariantCulture, out byte payloadType) && payloadType < 128)
            {
                string name = payloadType switch { 0 => "PCMU", 8 => "PCMA", _ => "" };
                section.Codecs.Add(new OfferCodec(payloadType, name, name.Length == 0 ? "" : "8000"));
            }
        }
    }

    private static void ReadSession(Offer offer, ReadOnlySpan<char> name, ReadOnlySpan<char> value)
    {
        switch (name)
        {
            case "group" when value.StartsWith("BUNDLE", StringComparison.Ordinal):
                offer.Bundle = value[6..].ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
                break;
            case "extmap-allow-mixed":
                offer.AllowsMixedExtmap = true;
                break;
            case "ice-lite":
                offer.IsIceLite = true;
                break;
        }
    }

    // All sections of a bundle share one transport: the first value of each attribute counts.
    private static void ReadTransport(Offer offer, ReadOnlySpan<char> name, ReadOnlySpan<char> value)
    {
        switch (name)
        {
            case "ice-ufrag":
                offer.IceUfrag ??= value.Length is >= 4 and <= 256 ? value.ToString() : null;
                break;
            case "ice-pwd":
                offer.IcePwd ??= value.Length is >= 22 and <= 256 ? value.ToString() : null;
                break;
            case "fingerprint" when offer.FingerprintSha256 is null:
                offer.FingerprintSha256 = ReadFingerprint(value);
                break;
            case "setup":
                offer.Setup = value switch { "active" => SetupRole.Active, "passive" => SetupRole.Passive, _ => SetupRole.ActPass };
                break;
            case "candidate":
                if (offer.Candidates.Count < CandidatesMax && TryReadCandidate(value, out NetEndPoint candidate) && !offer.Candidates.Contains(candidate))
                {
                    offer.Candidates.Add(candidate);
                }
                break;
        }
    }

    private static void ReadSection(OfferSection section, ReadOnlySpan<char> name, ReadOnlySpan<char> value)
    {
        switch (name)
        {
            case "mid":
                section.Mid = value.ToString();
                break;
            case "sendonly":
                section.Direction = SectionDirection.SendOnly;
                break;
            case "recvonly":
                section.Direction = SectionDirection.RecvOnly;
                break;
            case "sendrecv":
                section.Direction = SectionDirection.SendRecv;
                break;
            case "inactive":
                section.Direction = SectionDirection.Inactive;
                break;
            case "rtpmap":
                ReadRtpMap(section, value);
                break;
            case "extmap":
                ReadExtMap(section, value);
                break;
            case "ssrc":
                ReadSsrc(section, value);
                break;
            case "msid":
                NextWord(ref value);
                section.MsidTrack = value.IsEmpty ? section.MsidTrack : NextWord(ref value).ToString();
                break;
        }
    }

    private static void ReadRtpMap(OfferSection section, ReadOnlySpan<char> value)
    {
        Span<byte> bytes = stackalloc byte[ValueMax];
        if (value.Length > ValueMax || !SdpRtpMap.TryParse(bytes[..Encoding.Latin1.GetBytes(value, bytes)], out SdpRtpMap map))
        {
            return;
        }
        byte payloadType = map.PayloadType;
        int at = section.Codecs.FindIndex(codec => codec.PayloadType == payloadType);
        if (at >= 0)
        {
            string channels = map.Channels > 1 ? "/" + map.Channels.ToString(CultureInfo.InvariantCulture) : "";
            section.Codecs[at] = new OfferCodec(payloadType, Encoding.Latin1.GetString(map.Name), map.ClockHz.ToString(CultureInfo.InvariantCulture) + channels);
        }
    }

    private static void ReadExtMap(OfferSection section, ReadOnlySpan<char> value)
    {
        ReadOnlySpan<char> number = NextWord(ref value);
        int slash = number.IndexOf('/');
        if (!byte.TryParse(slash < 0 ? number : number[..slash], NumberStyles.None, CultureInfo.InvariantCulture, out byte id) || id is 0 or > 14)
        {
            return;
        }
        switch (NextWord(ref value))
        {
            case "urn:ietf:params:rtp-hdrext:ssrc-audio-level":
                section.AudioLevelId = id;
                break;
            case "urn:ietf:params:rtp-hdrext:sdes:mid":
                section.MidExtensionId = id;
                break;
        }
    }

    private static void ReadSsrc(OfferSection section, ReadOnlySpan<char> value)
    {
        if (!uint.TryParse(NextWord(ref value), NumberStyles.None, CultureInfo.InvariantCulture, out uint ssrc))
        {
            return;
        }
        if (section.Ssrc == 0)
        {
            section.Ssrc = ssrc;
        }
        if (section.MsidTrack is null && value.StartsWith("msid:", StringComparison.Ordinal))
        {
            NextWord(ref value);
            section.MsidTrack = value.IsEmpty ? null : NextWord(ref value).ToString();
        }
    }

    private static byte[]? ReadFingerprint(ReadOnlySpan<char> value)
    {
        if (!NextWord(ref value).Equals("sha-256", StringComparison.OrdinalIgnoreCase) || value.Length != 95)
        {
            return null;
        }
        byte[] digest = new byte[32];
        for (int i = 0; i < 32; i++)
        {
            if (!byte.TryParse(value.Slice(i * 3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out digest[i]))
            {
                return null;
            }
        }
        return digest;
    }

    /// <summary>Reads a candidate (RFC 8839 §5.1), with or without <c>candidate:</c> in front; TCP, RTCP and mDNS ones are refused.</summary>
    public static bool TryReadCandidate(ReadOnlySpan<char> value, out NetEndPoint endPoint)
    {
        endPoint = default;
        Span<byte> bytes = stackalloc byte[ValueMax];
        if (value.Length > ValueMax || !SdpCandidate.TryParse(bytes[..Encoding.Latin1.GetBytes(value, bytes)], out SdpCandidate candidate))
        {
            return false;
        }
        endPoint = candidate.EndPoint;
        return candidate is { IsUdp: true, Component: 1 } && endPoint.IsSet && endPoint.Port != 0;
    }

    private static ReadOnlySpan<char> NextWord(ref ReadOnlySpan<char> text)
    {
        int space = text.IndexOf(' ');
        ReadOnlySpan<char> word = space < 0 ? text : text[..space];
        text = space < 0 ? default : text[(space + 1)..].TrimStart(' ');
        return word;
    }
}
