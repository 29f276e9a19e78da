using System.Collections.Generic;
using System.Collections.ObjectModel;
using Proxy.Core.Net;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy;

/// <summary>Any thread. The plain objects that a snapshot is built from.</summary>
public sealed record PolicyObjects
{
    public IReadOnlyList<Trunk> Trunks { get; init; } = [];

    public IReadOnlyList<DispatchRule> Rules { get; init; } = [];

    public IReadOnlyList<PhoneNumber> Numbers { get; init; } = [];

    /// <summary>Addresses from which calls to inventory numbers are taken; empty means that the inventory answers no call.</summary>
    public string[] InterconnectAddresses { get; init; } = [];

    /// <summary>Addresses of host names in allowed_addresses, names in lower case; filled in the background.</summary>
    public IReadOnlyDictionary<string, NetAddress[]> ResolvedHosts { get; init; } = ReadOnlyDictionary<string, NetAddress[]>.Empty;

    public Compat Compat { get; init; }
}
