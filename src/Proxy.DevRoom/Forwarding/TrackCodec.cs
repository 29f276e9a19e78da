using System;

namespace Proxy.DevRoom.Forwarding;

/// <summary>Any thread. The audio codecs that the room server forwards; RED, CN and telephone-event are never negotiated.</summary>
public enum TrackCodec : byte
{
    Opus,
    Pcmu,
    Pcma,
}

/// <summary>Any thread. What SDP and the LiveKit messages call a codec.</summary>
internal static class TrackCodecs
{
    /// <summary>The encoding name of <c>a=rtpmap</c> without clock; the lower-case or upper-case spelling of the registry.</summary>
    public static string SdpName(TrackCodec codec) => codec switch
    {
        TrackCodec.Opus => "opus",
        TrackCodec.Pcmu => "PCMU",
        _ => "PCMA",
    };

    /// <summary>As in <c>TrackInfo.mime_type</c>.</summary>
    public static string MimeType(TrackCodec codec) => "audio/" + SdpName(codec);

    public static int ClockHz(TrackCodec codec) => codec == TrackCodec.Opus ? 48_000 : 8_000;

    /// <summary>Reads an encoding name, with or without <c>audio/</c> in front, in any case.</summary>
    /// <returns>False for a codec that is not forwarded.</returns>
    public static bool TryParse(ReadOnlySpan<char> name, out TrackCodec codec)
    {
        if (name.StartsWith("audio/", StringComparison.OrdinalIgnoreCase))
        {
            name = name[6..];
        }
        for (codec = TrackCodec.Opus; codec <= TrackCodec.Pcma; codec++)
        {
            if (name.Equals(SdpName(codec), StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }
        codec = default;
        return false;
    }
}
