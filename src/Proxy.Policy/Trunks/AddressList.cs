using System;
using System.Collections.Generic;
using Proxy.Core.Net;

namespace Proxy.Policy.Trunks;

/// <summary>Any thread. A compiled <c>allowed_addresses</c>: literals and CIDR blocks of both families, host names through their resolved addresses.</summary>
public sealed class AddressList
{
    private readonly Block[] _blocks;
    private readonly string[] _hosts;

    private AddressList(Block[] blocks, string[] hosts, string[] unreadable, bool isEmpty)
    {
        _blocks = blocks;
        _hosts = hosts;
        Unreadable = unreadable;
        IsEmpty = isEmpty;
    }

    /// <summary>Nothing was listed: any address.</summary>
    public bool IsEmpty { get; }

    /// <summary>Entries that are neither address, block nor host name.</summary>
    public string[] Unreadable { get; }

    /// <summary>Whether any entry can be read.</summary>
    public bool HasReadable => _blocks.Length + _hosts.Length > 0;

    /// <summary>Host names among the entries; resolved in the background, matched against From only under compat livekit.</summary>
    public IReadOnlyList<string> Hosts => _hosts;

    /// <summary>Networks and their prefix lengths.</summary>
    public IEnumerable<(NetAddress Network, int PrefixLength)> Blocks
    {
        get
        {
            foreach (Block block in _blocks)
            {
                yield return (block.Network, block.PrefixLength);
            }
        }
    }

    /// <param name="entries">As they stand in the object.</param>
    /// <param name="resolved">Addresses of host names, lower case; a name that is missing matches nothing yet.</param>
    public static AddressList Compile(IReadOnlyList<string> entries, IReadOnlyDictionary<string, NetAddress[]> resolved)
    {
        List<Block> blocks = [];
        List<string> hosts = [];
        List<string> unreadable = [];
        foreach (string entry in entries)
        {
            if (TryBlock(entry, out Block block))
            {
                blocks.Add(block);
            }
            else if (IsHostName(entry))
            {
                hosts.Add(entry);
                if (resolved.TryGetValue(entry.ToLowerInvariant(), out NetAddress[]? addresses))
                {
                    foreach (NetAddress address in addresses)
                    {
                        blocks.Add(new Block(address, address.IsV6 ? 128 : 32));
                    }
                }
            }
            else
            {
                unreadable.Add(entry);
            }
        }
        return new AddressList([.. blocks], [.. hosts], [.. unreadable], entries.Count == 0);
    }

    /// <summary>Whether an address lies in one of the blocks; false for an empty list.</summary>
    public bool Contains(in NetAddress address)
    {
        foreach (ref readonly Block block in _blocks.AsSpan())
        {
            if (address.IsWithin(block.Network, block.PrefixLength))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether an entry is exactly this host text (compat livekit: the From host, which anybody can write).</summary>
    public bool NamesHost(string host)
    {
        if (host.Length == 0)
        {
            return false;
        }
        foreach (string name in _hosts)
        {
            if (string.Equals(name, host, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }
        return NetAddress.TryParse(host, out NetAddress literal) && ContainsLiteral(literal);
    }

    /// <summary>Whether two lists have an address in common; an empty list has all.</summary>
    public bool Overlaps(AddressList other)
    {
        if (IsEmpty || other.IsEmpty)
        {
            return true;
        }
        foreach (Block a in _blocks)
        {
            foreach (Block b in other._blocks)
            {
                int shorter = Math.Min(a.PrefixLength, b.PrefixLength);
                if (a.Network.IsWithin(b.Network, shorter))
                {
                    return true;
                }
            }
        }
        foreach (string host in _hosts)
        {
            if (Array.Exists(other._hosts, h => string.Equals(h, host, StringComparison.OrdinalIgnoreCase)))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The block that is nearest to an address (most leading bits in common), for a near miss; empty when there is none.</summary>
    public string Nearest(in NetAddress address)
    {
        string nearest = "";
        int most = -1;
        foreach (Block block in _blocks)
        {
            int common = 0;
            while (common < block.PrefixLength && address.IsWithin(block.Network, common + 1))
            {
                common++;
            }
            if (common > most && address.IsV6 == block.Network.IsV6)
            {
                most = common;
                nearest = block.ToString();
            }
        }
        return nearest;
    }

    /// <summary>Reads <c>1.2.3.4</c>, <c>1.2.3.0/24</c>, <c>2001:db8::/32</c>.</summary>
    public static bool TryBlock(string entry, out NetAddress network, out int prefixLength)
    {
        bool read = TryBlock(entry, out Block block);
        (network, prefixLength) = (block.Network, block.PrefixLength);
        return read;
    }

    /// <summary>Letters, digits, dots and dashes with a letter among them (RFC 1123 §2.1): <c>1.2.3.*</c> and <c>1.2.3</c> are none.</summary>
    public static bool IsHostName(string entry)
    {
        bool hasLetter = false;
        foreach (char c in entry)
        {
            hasLetter |= char.IsAsciiLetter(c);
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))
            {
                return false;
            }
        }
        return hasLetter && entry.Length <= 253 && entry[0] is not ('.' or '-');
    }

    private bool ContainsLiteral(in NetAddress literal)
    {
        foreach (Block block in _blocks)
        {
            if (block.PrefixLength == (literal.IsV6 ? 128 : 32) && block.Network == literal)
            {
                return true;
            }
        }
        return false;
    }

    private static bool TryBlock(string entry, out Block block)
    {
        block = default;
        int slash = entry.IndexOf('/');
        string address = slash < 0 ? entry : entry[..slash];
        if (!NetAddress.TryParse(address, out NetAddress network))
        {
            return false;
        }
        int most = network.IsV6 ? 128 : 32;
        int mapped = !network.IsV6 && address.Contains(':') ? 96 : 0;
        int length = most + mapped;
        ReadOnlySpan<char> digits = slash < 0 ? "" : entry.AsSpan(slash + 1);
        if (slash >= 0 && (digits.ContainsAnyExceptInRange('0', '9') || !int.TryParse(digits, out length)
            || length > most + mapped || length < mapped))
        {
            return false;
        }
        block = new Block(network, length - mapped);
        return true;
    }

    private readonly record struct Block(NetAddress Network, int PrefixLength)
    {
        public override string ToString() =>
            PrefixLength == (Network.IsV6 ? 128 : 32) ? Network.ToString() : $"{Network}/{PrefixLength}";
    }
}
