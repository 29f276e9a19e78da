using System;
using Proxy.Core.Net;

namespace Proxy.Sip;

/// <summary>Any thread. A network in prefix notation, from which in-dialog requests are taken.</summary>
/// <param name="Network">Any address of the network.</param>
/// <param name="PrefixBits">0–32 for IPv4, 0–128 for IPv6.</param>
public readonly record struct SipSourceRange(NetAddress Network, int PrefixBits)
{
    public bool Contains(NetAddress address)
    {
        if (!address.IsSet || !Network.IsSet || address.IsV6 != Network.IsV6)
        {
            return false;
        }
        Span<byte> mine = stackalloc byte[16];
        Span<byte> theirs = stackalloc byte[16];
        int length = Network.WriteBytes(mine);
        address.WriteBytes(theirs);
        int bits = Math.Clamp(PrefixBits, 0, length * 8);
        int whole = bits / 8;
        if (!mine[..whole].SequenceEqual(theirs[..whole]))
        {
            return false;
        }
        int rest = bits % 8;
        return rest == 0 || (mine[whole] ^ theirs[whole]) >> (8 - rest) == 0;
    }
}
