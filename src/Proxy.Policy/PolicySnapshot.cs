using System;
using System.Collections.Generic;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Indexing;
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
        Compat = objects.Compat;
        Interconnect = AddressList.Compile(objects.InterconnectAddresses, objects.ResolvedHosts);
        TextTable.Builder texts = BuilderFor(objects);
        Trunks = new TrunkIndex(objects, texts);
        Rules = new RuleIndex(objects.Rules, Trunks, texts);
        Inventory = new InventoryIndex(objects.Stock, Rules);
        Texts = texts.Build();
        Trunks.Seal(Texts.Count);
        Listed.Add(Interconnect);
        foreach (CompiledTrunk trunk in Trunks.All)
        {
            Listed.Add(trunk.Addresses);
        }
        Listed.Seal();
    }

    /// <summary>No trunk, no rule, no number.</summary>
    public static PolicySnapshot Empty { get; } = Build(new PolicyObjects(), 0);

    /// <summary>Grows by one with each swap; every verdict carries it.</summary>
    public long Version { get; }

    /// <summary>What it was built from.</summary>
    public PolicyObjects Objects { get; }

    public Compat Compat { get; }

    internal AddressList Interconnect { get; }

    /// <summary>Sources that a trunk or the interconnect lists.</summary>
    internal ListedSources Listed { get; } = new();

    /// <summary>Every number of every trunk and rule, normalised.</summary>
    internal TextTable Texts { get; }

    internal TrunkIndex Trunks { get; }

    internal RuleIndex Rules { get; }

    internal InventoryIndex Inventory { get; }

    /// <summary>Whether a trunk or the interconnect lists that address; blocks of everything list nobody.</summary>
    public bool Lists(in Proxy.Core.Net.NetAddress source) => Listed.Contains(source);

    private static TextTable.Builder BuilderFor(PolicyObjects objects)
    {
        (int texts, int bytes) = (0, 0);
        foreach (Trunk trunk in objects.Trunks)
        {
            texts += trunk.Numbers.Length + trunk.AllowedNumbers.Length;
            bytes += trunk.Numbers.Bytes + trunk.AllowedNumbers.Bytes;
        }
        return new TextTable.Builder(texts, bytes);
    }

    /// <summary>Builds the indexes. n log n in the number of objects and numbers.</summary>
    public static PolicySnapshot Build(PolicyObjects objects, long version) => new(objects, version);
}
