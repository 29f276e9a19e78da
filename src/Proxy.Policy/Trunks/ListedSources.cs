using System;
using System.Collections.Generic;
using Proxy.Core.Net;

namespace Proxy.Policy.Trunks;

/// <summary>Any thread once built. Every address that some trunk or the interconnect lists; one probe for each prefix length in use.</summary>
internal sealed class ListedSources
{
    private readonly HashSet<NetAddress> _blocks = [];
    private readonly SortedSet<int> _lengthsV4 = [];
    private readonly SortedSet<int> _lengthsV6 = [];
    private int[] _v4 = [];
    private int[] _v6 = [];

    public void Add(AddressList list)
    {
        foreach ((NetAddress network, int length) in list.Blocks)
        {
            // A block of everything lists nobody.
            if (length > 0)
            {
                _blocks.Add(Key(network, length));
                (network.IsV6 ? _lengthsV6 : _lengthsV4).Add(length);
            }
        }
    }

    public void Seal()
    {
        _v4 = [.. _lengthsV4];
        _v6 = [.. _lengthsV6];
    }

    public bool Contains(in NetAddress address)
    {
        if (!address.IsSet)
        {
            return false;
        }
        foreach (int length in address.IsV6 ? _v6 : _v4)
        {
            if (_blocks.Contains(Key(address, length)))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The network of an address; its length stands in the zone, which is otherwise unused here.</summary>
    private static NetAddress Key(in NetAddress address, int length)
    {
        Span<byte> bytes = stackalloc byte[16];
        int written = address.WriteBytes(bytes);
        for (int bit = length; bit < written * 8; bit++)
        {
            bytes[bit >> 3] &= (byte)~(0x80 >> (bit & 7));
        }
        if (written == 4)
        {
            // IPv4 has no zone to put the length in: it stands as an IPv6 key of its own.
            bytes[..4].CopyTo(bytes[12..]);
            bytes[..12].Clear();
            bytes[0] = 4;
        }
        NetAddress.TryFromBytes(bytes, out NetAddress key, (uint)length + 1);
        return key;
    }
}
