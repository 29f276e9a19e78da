using System;

namespace Proxy.Sdp;

/// <summary>One owner. One <c>a=rtpmap</c>, borrowed.</summary>
/// <remarks>RFC 8866 §6.6: <c>payload SP name/clock[/channels]</c>.</remarks>
public readonly ref struct SdpRtpMap
{
    private const uint MaxClockHz = 384_000;

    private SdpRtpMap(byte payloadType, ReadOnlySpan<byte> name, uint clockHz, byte channels)
    {
        PayloadType = payloadType;
        Name = name;
        ClockHz = clockHz;
        Channels = channels;
    }

    public byte PayloadType { get; }

    /// <summary>Encoding name; its case does not count.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>RTP clock, 1–384000.</summary>
    public uint ClockHz { get; }

    /// <summary>1 unless stated.</summary>
    public byte Channels { get; }

    public bool NameIs(ReadOnlySpan<byte> name) => SdpText.EqualsIgnoreCase(Name, name);

    /// <summary>Reads the attribute's value; a clock of 0 makes it no map.</summary>
    public static bool TryParse(ReadOnlySpan<byte> value, out SdpRtpMap map)
    {
        map = default;
        if (!SdpText.TryNumber(SdpText.NextWord(ref value), out uint payloadType) || payloadType > 127)
        {
            return false;
        }
        ReadOnlySpan<byte> encoding = SdpText.NextWord(ref value);
        int slash = encoding.IndexOf((byte)'/');
        if (slash <= 0)
        {
            return false;
        }
        ReadOnlySpan<byte> clock = encoding[(slash + 1)..];
        uint channels = 1;
        int second = clock.IndexOf((byte)'/');
        if (second >= 0)
        {
            if (!SdpText.TryNumber(clock[(second + 1)..], out channels) || channels is 0 or > 8)
            {
                return false;
            }
            clock = clock[..second];
        }
        if (!SdpText.TryNumber(clock, out uint clockHz) || clockHz is 0 or > MaxClockHz)
        {
            return false;
        }
        map = new SdpRtpMap((byte)payloadType, encoding[..slash], clockHz, (byte)channels);
        return true;
    }

    /// <summary>The static payload types that a telephone uses.</summary>
    /// <remarks>RFC 3551 §6. 19 is the old number of comfort noise (Cisco).</remarks>
    internal static bool TryGetStatic(int payloadType, out SdpRtpMap map)
    {
        ReadOnlySpan<byte> name = payloadType switch
        {
            0 => "PCMU"u8,
            3 => "GSM"u8,
            4 => "G723"u8,
            8 => "PCMA"u8,
            9 => "G722"u8,
            13 or 19 => "CN"u8,
            15 => "G728"u8,
            18 => "G729"u8,
            _ => default,
        };
        map = name.IsEmpty ? default : new SdpRtpMap((byte)payloadType, name, 8_000, 1);
        return !name.IsEmpty;
    }
}
