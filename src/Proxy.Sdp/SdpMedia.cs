using System;
using Proxy.Core.Net;

namespace Proxy.Sdp;

/// <summary>One owner. One media section, borrowed: its m= line and what follows up to the next one.</summary>
/// <remarks>RFC 8866 §5.14.</remarks>
public readonly ref struct SdpMedia
{
    private const int MaxKindBytes = 32;
    private const int MaxProfileBytes = 48;

    private readonly ReadOnlySpan<byte> _session;
    private readonly ReadOnlySpan<byte> _section;

    internal SdpMedia(int index, ReadOnlySpan<byte> session, ReadOnlySpan<byte> section)
    {
        Index = index;
        _session = session;
        int end = section.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = (end < 0 ? section : section[..end])[2..].TrimEnd(" \t\r"u8);
        _section = end < 0 ? default : section[(end + 1)..];
        Kind = SdpText.NextWord(ref line);
        ReadOnlySpan<byte> port = SdpText.NextWord(ref line);
        int slash = port.IndexOf((byte)'/');
        bool isPort = SdpText.TryPort(slash < 0 ? port : port[..slash], out ushort value);
        Port = value;
        ProfileText = SdpText.NextWord(ref line);
        Profile = SdpProfiles.Read(ProfileText);
        Formats = line.TrimStart((byte)' ');
        IsWellFormed = isPort && SdpText.IsVisible(Kind) && Kind.Length <= MaxKindBytes
            && SdpText.IsVisible(ProfileText) && ProfileText.Length <= MaxProfileBytes && !Formats.IsEmpty;
    }

    /// <summary>Place among the m= lines, from 0.</summary>
    public int Index { get; }

    /// <summary><c>audio</c>, <c>video</c>, <c>application</c>, <c>image</c>, …</summary>
    public ReadOnlySpan<byte> Kind { get; }

    /// <summary>0–65535; 0 means the section is refused or removed.</summary>
    public ushort Port { get; }

    public SdpProfile Profile { get; }

    public ReadOnlySpan<byte> ProfileText { get; }

    /// <summary>The formats as they stand on the line, blank separated, at least one.</summary>
    public ReadOnlySpan<byte> Formats { get; }

    public bool IsAudio => SdpText.EqualsIgnoreCase(Kind, "audio"u8);

    internal bool IsWellFormed { get; }

    /// <summary>Formats that are RTP payload types, in order of preference.</summary>
    public SdpPayloadTypes PayloadTypes => new(Formats);

    /// <summary>The lines below the m= line.</summary>
    public SdpLines Lines => new(_section);

    /// <summary>The section's own c= line, else the session's.</summary>
    public SdpConnection Connection
    {
        get
        {
            ReadOnlySpan<byte> value = FirstLine(_section, (byte)'c');
            return SdpText.ReadConnection(value.IsEmpty ? FirstLine(_session, (byte)'c') : value);
        }
    }

    /// <summary>The section's own direction, else the session's, else sendrecv.</summary>
    public SdpDirection Direction
    {
        get
        {
            SdpDirection direction;
            foreach (SdpAttributes attribute in Attributes())
            {
                if (attribute.Value.IsEmpty && SdpDirections.TryRead(attribute.Name, out direction))
                {
                    return direction;
                }
            }
            foreach (SdpAttributes attribute in new SdpAttributes(_session, default))
            {
                if (attribute.Value.IsEmpty && SdpDirections.TryRead(attribute.Name, out direction))
                {
                    return direction;
                }
            }
            return SdpDirection.SendRecv;
        }
    }

    /// <summary>True when the section states a direction itself: LiveKit drops a section that does not.</summary>
    public bool HasDirection
    {
        get
        {
            foreach (SdpAttributes attribute in Attributes())
            {
                if (SdpDirections.TryRead(attribute.Name, out _))
                {
                    return true;
                }
            }
            return false;
        }
    }

    /// <summary>a=ptime, ms; 0 when absent or no number above 0.</summary>
    public uint PtimeMs => NumberOf("ptime"u8);

    /// <summary>a=maxptime, ms; 0 when absent or no number above 0.</summary>
    public uint MaxPtimeMs => NumberOf("maxptime"u8);

    public bool HasRtcpMux => HasAttribute("rtcp-mux"u8);

    /// <summary>a=mid, or empty.</summary>
    public ReadOnlySpan<byte> Mid => Value("mid"u8);

    /// <summary>a=msid (stream, blank, track), or empty.</summary>
    public ReadOnlySpan<byte> Msid => Value("msid"u8);

    /// <summary>a=ice-ufrag of the section, else of the session, or empty.</summary>
    public ReadOnlySpan<byte> IceUfrag => ValueOrSession("ice-ufrag"u8);

    /// <summary>a=ice-pwd of the section, else of the session, or empty.</summary>
    public ReadOnlySpan<byte> IcePwd => ValueOrSession("ice-pwd"u8);

    /// <summary>a=fingerprint (hash name, blank, hex with colons) of the section, else of the session, or empty.</summary>
    public ReadOnlySpan<byte> Fingerprint => ValueOrSession("fingerprint"u8);

    /// <summary>a=setup of the section, else of the session, or empty.</summary>
    public ReadOnlySpan<byte> Setup => ValueOrSession("setup"u8);

    /// <summary>a=candidate lines, at most <see cref="SdpView.MaxCandidates"/>; lines that are no candidates are skipped.</summary>
    public SdpCandidates Candidates => new(_section);

    /// <summary>a=crypto lines that can be read.</summary>
    public SdpCryptos Cryptos => new(_section);

    /// <summary>a=ssrc lines.</summary>
    public SdpSources Sources => new(_section);

    /// <summary>Attributes of one name, or all of them when <paramref name="name"/> is empty.</summary>
    public SdpAttributes Attributes(ReadOnlySpan<byte> name = default) => new(_section, name);

    public bool HasAttribute(ReadOnlySpan<byte> name) => Attributes(name).MoveNext();

    /// <summary>Finds the first attribute of a name in this section.</summary>
    public bool TryGetAttribute(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        SdpAttributes attributes = Attributes(name);
        bool isFound = attributes.MoveNext();
        value = attributes.Value;
        return isFound;
    }

    /// <summary>Reads <c>a=rtpmap</c> of a payload type; the first well-formed line wins; static types need none.</summary>
    /// <remarks>RFC 8866 §6.6; RFC 3551 §6 for the static ones.</remarks>
    public bool TryGetRtpMap(int payloadType, out SdpRtpMap map)
    {
        SdpAttributes attributes = Attributes("rtpmap"u8);
        while (attributes.MoveNext())
        {
            // The number first: most lines are another type's, and a long description is walked once for each type.
            ReadOnlySpan<byte> rest = attributes.Value;
            bool isOurs = SdpText.TryNumber(SdpText.NextWord(ref rest), out uint number) && number == payloadType;
            if (isOurs && SdpRtpMap.TryParse(attributes.Value, out map) && map.PayloadType == payloadType)
            {
                return true;
            }
        }
        return SdpRtpMap.TryGetStatic(payloadType, out map);
    }

    /// <summary>Finds the maps of all payload types in one walk: a walk for each would cost types times lines.</summary>
    /// <param name="places">128 places, by payload type: where the first well-formed map stands, or -1.</param>
    internal void FindRtpMaps(scoped Span<int> places)
    {
        places.Fill(-1);
        SdpAttributes attributes = Attributes("rtpmap"u8);
        while (attributes.MoveNext())
        {
            if (SdpRtpMap.TryParse(attributes.Value, out SdpRtpMap map) && places[map.PayloadType] < 0
                && _section.Overlaps(attributes.Value, out int place))
            {
                places[map.PayloadType] = place;
            }
        }
    }

    /// <summary>As <see cref="TryGetRtpMap(int, out SdpRtpMap)"/>, from what <see cref="FindRtpMaps"/> found.</summary>
    internal bool TryGetRtpMap(int payloadType, scoped ReadOnlySpan<int> places, out SdpRtpMap map)
    {
        int place = places[payloadType];
        if (place < 0)
        {
            return SdpRtpMap.TryGetStatic(payloadType, out map);
        }
        ReadOnlySpan<byte> value = _section[place..];
        int end = value.IndexOf((byte)'\n');
        return SdpRtpMap.TryParse((end < 0 ? value : value[..end]).TrimEnd(" \t\r"u8), out map);
    }

    /// <summary>What <c>a=fmtp</c> says of a payload type, or empty.</summary>
    public ReadOnlySpan<byte> Fmtp(int payloadType)
    {
        SdpAttributes attributes = Attributes("fmtp"u8);
        while (attributes.MoveNext())
        {
            ReadOnlySpan<byte> rest = attributes.Value;
            if (SdpText.TryNumber(SdpText.NextWord(ref rest), out uint number) && number == payloadType)
            {
                return rest;
            }
        }
        return default;
    }

    /// <summary>Reads <c>a=rtcp:port [IN IP4 address]</c>.</summary>
    /// <param name="address">Not set when the line names a port only.</param>
    /// <remarks>RFC 3605 §2.1.</remarks>
    public bool TryGetRtcp(out ushort port, out NetAddress address)
    {
        address = default;
        ReadOnlySpan<byte> rest = Value("rtcp"u8);
        if (!SdpText.TryPort(SdpText.NextWord(ref rest), out port))
        {
            return false;
        }
        address = SdpText.ReadConnection(rest).Address;
        return true;
    }

    private static ReadOnlySpan<byte> FirstLine(ReadOnlySpan<byte> section, byte type)
    {
        foreach (SdpLine line in new SdpLines(section))
        {
            if (line.Type == type)
            {
                return line.Value;
            }
        }
        return default;
    }

    private ReadOnlySpan<byte> Value(ReadOnlySpan<byte> name) => TryGetAttribute(name, out ReadOnlySpan<byte> value) ? value : default;

    private ReadOnlySpan<byte> ValueOrSession(ReadOnlySpan<byte> name)
    {
        if (TryGetAttribute(name, out ReadOnlySpan<byte> value))
        {
            return value;
        }
        SdpAttributes session = new(_session, name);
        return session.MoveNext() ? session.Value : default;
    }

    private uint NumberOf(ReadOnlySpan<byte> name) => SdpText.TryNumber(Value(name), out uint number) ? number : 0;
}
