using System;
using Proxy.Core.Net;

namespace Proxy.Sip.Transactions;

/// <summary>Any thread. What an address may be used for.</summary>
internal static class AddressKind
{
    /// <summary>Not multicast, broadcast or unspecified.</summary>
    public static bool IsUnicast(NetAddress address)
    {
        if (!address.IsSet)
        {
            return false;
        }
        if (!address.IsV6)
        {
            return address.V4 >> 24 is not 0 and < 224;
        }
        Span<byte> bytes = stackalloc byte[16];
        address.WriteBytes(bytes);
        return bytes[0] != 0xFF && bytes.ContainsAnyExcept((byte)0);
    }

    /// <summary>Whether it means something else to the peer than to us: private, shared, loopback, link-local, unique-local.</summary>
    public static bool IsPrivate(NetAddress address)
    {
        if (!address.IsV6)
        {
            uint v4 = address.V4;
            return v4 >> 24 is 10 or 127 || v4 >> 20 == 0xAC1 || v4 >> 16 is 0xC0A8 or 0xA9FE || v4 >> 22 == 0x191;
        }
        Span<byte> bytes = stackalloc byte[16];
        address.WriteBytes(bytes);
        return (bytes[0] & 0xFE) == 0xFC || (bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80) || (bytes[..15].IndexOfAnyExcept((byte)0) < 0 && bytes[15] == 1);
    }
}
