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
    private NumberStock? _stock;

    public IReadOnlyList<Trunk> Trunks { get; init; } = [];

    public IReadOnlyList<DispatchRule> Rules { get; init; } = [];

    public IReadOnlyCollection<PhoneNumber> Numbers { get; init; } = [];

    /// <summary>The numbers, found by their digits; a store gives the one that it made already.</summary>
    public NumberStock Stock
    {
        get => _stock is { } stock && ReferenceEquals(stock.Source, Numbers) ? stock : _stock = NumberStock.Of(Numbers);
        init => _stock = value;
    }

    /// <summary>Addresses from which calls to inventory numbers are taken; empty means that the inventory answers no call.</summary>
    public string[] InterconnectAddresses { get; init; } = [];

    /// <summary>Addresses of host names in allowed_addresses, names in lower case; filled in the background.</summary>
    public IReadOnlyDictionary<string, NetAddress[]> ResolvedHosts { get; init; } = ReadOnlyDictionary<string, NetAddress[]>.Empty;

    public Compat Compat { get; init; }
}
