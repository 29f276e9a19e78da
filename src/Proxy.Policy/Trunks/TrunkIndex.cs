using System;
using System.Collections.Generic;
using Proxy.Policy.Indexing;
using Proxy.Policy.Numbers;

namespace Proxy.Policy.Trunks;

/// <summary>Any thread once sealed. Trunks in id order, and which of them own a called number.</summary>
internal sealed class TrunkIndex
{
    private readonly List<(int Text, int Trunk)> _owners;
    private readonly Dictionary<string, int> _byId = [];
    private FlatSets? _trunksOfNumber;

    public TrunkIndex(PolicyObjects objects, TextTable.Builder texts)
    {
        var sorted = new List<Trunk>(objects.Trunks);
        sorted.Sort((a, b) => string.CompareOrdinal(a.Id, b.Id));
        All = new CompiledTrunk[sorted.Count];
        int numbers = 0;
        foreach (Trunk trunk in sorted)
        {
            numbers += trunk.Numbers.Length;
        }
        _owners = new List<(int, int)>(numbers);
        List<(int, int)> callers = [];
        List<int> defaults = [];
        for (int i = 0; i < All.Length; i++)
        {
            Trunk trunk = sorted[i];
            All[i] = Compile(trunk, objects);
            _byId[trunk.Id] = i;
            foreach (string number in trunk.Numbers)
            {
                AddNumber(texts, number, i, _owners);
            }
            foreach (string number in trunk.AllowedNumbers)
            {
                int text = texts.Add(NumberText.Normalise(number));
                if (text >= 0)
                {
                    callers.Add((i, text));
                }
            }
            if (All[i].IsDefault)
            {
                defaults.Add(i);
            }
        }
        Callers = FlatSets.Build(All.Length, callers);
        Patterns = new PatternIndex(All);
        Defaults = [.. defaults];
    }

    /// <summary>In id order, bytewise.</summary>
    public CompiledTrunk[] All { get; }

    /// <summary>Trunks that take any called number, in id order.</summary>
    public int[] Defaults { get; }

    /// <summary>Set = trunk, items = texts of allowed_numbers.</summary>
    public FlatSets Callers { get; }

    /// <summary>Ranges and prefixes.</summary>
    public PatternIndex Patterns { get; }

    /// <returns>The trunk's place, or −1.</returns>
    public int Find(string id) => _byId.TryGetValue(id, out int index) ? index : -1;

    /// <summary>Trunks that own a called number, in id order.</summary>
    public ReadOnlySpan<int> OfNumber(int text) => text < 0 ? [] : _trunksOfNumber![text];

    /// <summary>Call it once when every text is known.</summary>
    public void Seal(int textCount)
    {
        _trunksOfNumber = FlatSets.Build(textCount, _owners);
        _owners.Clear();
        _owners.TrimExcess();
    }

    private static void AddNumber(TextTable.Builder texts, string number, int trunk, List<(int, int)> owners)
    {
        Span<char> buffer = stackalloc char[NumberText.Longest + 2];
        int text = texts.Add(NumberText.Normalise(number, buffer));
        if (text >= 0)
        {
            owners.Add((text, trunk));
        }
    }

    private static CompiledTrunk Compile(Trunk trunk, PolicyObjects objects) => new()
    {
        Trunk = trunk,
        Addresses = AddressList.Compile(trunk.AllowedAddresses, objects.ResolvedHosts),
        IsDefault = trunk.Numbers.Length == 0 && trunk.Extras.NumberPatterns.Length == 0,
        TakesAnyCaller = trunk.AllowedNumbers.Length == 0,
        Patterns = PatternsOf(trunk),
    };

    /// <summary>Entries that are no pattern match nothing; the stores refuse them before.</summary>
    private static NumberPattern[] PatternsOf(Trunk trunk)
    {
        List<NumberPattern> patterns = [];
        foreach (string text in trunk.Extras.NumberPatterns)
        {
            if (NumberPattern.TryParse(text, out NumberPattern? pattern, out _))
            {
                patterns.Add(pattern);
            }
        }
        return [.. patterns];
    }
}
