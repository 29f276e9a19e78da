using System.Collections.Generic;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy;

/// <summary>Any thread. Every policy object of one moment, indexed; immutable, swapped as a whole.</summary>
public sealed class PolicySnapshot
{
    private PolicySnapshot(PolicyObjects objects, long version)
    {
        Objects = objects;
        Version = version;
    }

    /// <summary>No trunk, no rule, no number.</summary>
    public static PolicySnapshot Empty { get; } = Build(new PolicyObjects(), 0);

    /// <summary>Grows by one with each swap; every verdict carries it.</summary>
    public long Version { get; }

    /// <summary>What it was built from.</summary>
    public PolicyObjects Objects { get; }

    /// <summary>Builds the indexes. Linear in the number of objects and numbers.</summary>
    public static PolicySnapshot Build(PolicyObjects objects, long version) => new(objects, version);
}

/// <summary>Any thread. The plain objects that a snapshot is built from.</summary>
public sealed record PolicyObjects
{
    public IReadOnlyList<Trunk> Trunks { get; init; } = [];

    public IReadOnlyList<DispatchRule> Rules { get; init; } = [];

    public IReadOnlyList<PhoneNumber> Numbers { get; init; } = [];

    /// <summary>Addresses from which calls to inventory numbers are taken.</summary>
    public string[] InterconnectAddresses { get; init; } = [];

    public Compat Compat { get; init; }
}
