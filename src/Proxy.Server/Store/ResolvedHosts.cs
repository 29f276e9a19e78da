using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Trunks;
using Proxy.Server.Dns;

namespace Proxy.Server.Store;

/// <summary>
/// Any thread reads; one task resolves. Addresses of the host names in allowed_addresses, looked up in the background and never on a
/// call's path. A name that cannot be resolved now keeps what it had.
/// </summary>
public sealed class ResolvedHosts(DnsCache dns)
{
    private IReadOnlyDictionary<string, NetAddress[]> _known = ReadOnlyDictionary<string, NetAddress[]>.Empty;

    /// <summary>Names in lower case.</summary>
    public IReadOnlyDictionary<string, NetAddress[]> Known => Volatile.Read(ref _known);

    /// <summary>Looks up every name of a policy.</summary>
    /// <returns>Whether an address came or went.</returns>
    public async Task<bool> ResolveAsync(PolicySnapshot snapshot, CancellationToken cancellation)
    {
        var next = new Dictionary<string, NetAddress[]>(StringComparer.Ordinal);
        bool isChanged = false;
        foreach (Trunk trunk in snapshot.Objects.Trunks)
        {
            foreach (string entry in trunk.AllowedAddresses)
            {
                string name = entry.ToLowerInvariant();
                if (AddressList.TryBlock(entry, out _, out _) || !AddressList.IsHostName(entry) || next.ContainsKey(name))
                {
                    continue;
                }
                NetAddress[] old = Known.TryGetValue(name, out NetAddress[]? had) ? had : [];
                next[name] = await LookUpAsync(name, old, cancellation).ConfigureAwait(false);
                isChanged |= !new HashSet<NetAddress>(old).SetEquals(next[name]);
            }
        }
        Volatile.Write(ref _known, next);
        return isChanged;
    }

    private async Task<NetAddress[]> LookUpAsync(string name, NetAddress[] otherwise, CancellationToken cancellation)
    {
        try
        {
            IPAddress[] found = await dns.ResolveAsync(name, cancellation).ConfigureAwait(false);
            return found.Length == 0 ? otherwise : Array.ConvertAll(found, NetAddress.From);
        }
        catch (SocketException)
        {
            return otherwise;
        }
    }
}
