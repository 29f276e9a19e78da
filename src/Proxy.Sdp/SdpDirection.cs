using System;

namespace Proxy.Sdp;

/// <summary>Which way media flows, seen from the side that writes the description. Bits: 1 sends, 2 receives.</summary>
/// <remarks>RFC 8866 §6.7.</remarks>
public enum SdpDirection : byte
{
    Inactive = 0,
    SendOnly = 1,
    RecvOnly = 2,
    SendRecv = 3,
}

/// <summary>Any thread. What can be asked of a direction.</summary>
public static class SdpDirections
{
    /// <summary>The same flow seen from the other side.</summary>
    public static SdpDirection Mirrored(this SdpDirection direction) =>
        (SdpDirection)((((byte)direction & 1) << 1) | ((byte)direction >> 1));

    public static bool Sends(this SdpDirection direction) => ((byte)direction & 1) != 0;

    public static bool Receives(this SdpDirection direction) => ((byte)direction & 2) != 0;

    /// <summary>The attribute's name.</summary>
    public static ReadOnlySpan<byte> Text(this SdpDirection direction) => direction switch
    {
        SdpDirection.SendRecv => "sendrecv"u8,
        SdpDirection.SendOnly => "sendonly"u8,
        SdpDirection.RecvOnly => "recvonly"u8,
        _ => "inactive"u8,
    };

    internal static bool TryRead(ReadOnlySpan<byte> name, out SdpDirection direction)
    {
        direction = SdpDirection.Inactive;
        if (name.SequenceEqual("sendrecv"u8))
        {
            direction = SdpDirection.SendRecv;
        }
        else if (name.SequenceEqual("sendonly"u8))
        {
            direction = SdpDirection.SendOnly;
        }
        else if (name.SequenceEqual("recvonly"u8))
        {
            direction = SdpDirection.RecvOnly;
        }
        else if (!name.SequenceEqual("inactive"u8))
        {
            return false;
        }
        return true;
    }
}
