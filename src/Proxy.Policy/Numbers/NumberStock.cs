using System;
using System.Collections.Generic;
using Proxy.Policy.Indexing;

namespace Proxy.Policy.Numbers;

/// <summary>
/// Any thread; immutable. The inventory's numbers as decisions and checks need them, in flat arrays: made once, and kept from version to version of the
/// policy while no number changes.
/// </summary>
public sealed class NumberStock
{
    private readonly TextTable _texts;
    private readonly FlatSets _placesOfText;
    private readonly FlatTexts _ids;
    private readonly bool[] _isAssigned;
    private readonly string[] _ruleIds;

    private NumberStock(IReadOnlyCollection<PhoneNumber> numbers)
    {
        Source = numbers;
        Count = numbers.Count;
        var texts = new TextTable.Builder(Count, Count * 16);
        var ids = new FlatTexts.Builder(Count);
        var places = new List<(int, int)>(Count);
        var ruleIds = new Dictionary<string, int>();
        List<(int, int)> rules = [];
        _isAssigned = new bool[Count];
        Span<char> buffer = stackalloc char[NumberText.Longest + 2];
        int place = 0;
        foreach (PhoneNumber number in numbers)
        {
            ids.Add(number.Id);
            int text = texts.Add(NumberText.Normalise(number.E164, buffer));
            if (text >= 0)
            {
                places.Add((text, place));
            }
            _isAssigned[place] = number.IsAssigned;
            ActiveCount += number.Status == PhoneNumberStatus.Active ? 1 : 0;
            foreach (string id in number.RuleIds)
            {
                if (!ruleIds.TryGetValue(id, out int rule))
                {
                    ruleIds[id] = rule = ruleIds.Count;
                }
                rules.Add((place, rule));
            }
            place++;
        }
        _texts = texts.Build();
        _placesOfText = FlatSets.Build(_texts.Count, places);
        _ids = ids.Build();
        _ruleIds = [.. ruleIds.Keys];
        RulesOf = FlatSets.Build(Count, rules);
    }

    public static NumberStock Empty { get; } = new([]);

    /// <summary>Numbers in it, whoever owns them.</summary>
    public int Count { get; }

    /// <summary>Numbers that a rule takes calls for.</summary>
    public int ActiveCount { get; }

    /// <summary>What it was made of.</summary>
    internal IReadOnlyCollection<PhoneNumber> Source { get; }

    /// <summary>Ids of rules that numbers name; there may be no such rules.</summary>
    internal ReadOnlySpan<string> RuleIds => _ruleIds;

    /// <summary>Set = a number's place, items = places in <see cref="RuleIds"/>.</summary>
    internal FlatSets RulesOf { get; }

    /// <summary>Puts numbers into a stock, each at the place that it has among them.</summary>
    public static NumberStock Of(IReadOnlyCollection<PhoneNumber> numbers) => numbers.Count == 0 ? Empty : new NumberStock(numbers);

    /// <param name="number">Normalised.</param>
    /// <returns>Place of the first number with that text that somebody owns, or −1.</returns>
    public int FindAssigned(ReadOnlySpan<char> number)
    {
        int text = _texts.Find(number);
        if (text >= 0)
        {
            foreach (int place in _placesOfText[text])
            {
                if (_isAssigned[place])
                {
                    return place;
                }
            }
        }
        return -1;
    }

    /// <param name="number">Normalised.</param>
    /// <returns>Place of the first number with that text, or −1.</returns>
    public int Find(ReadOnlySpan<char> number) => _texts.Find(number) is >= 0 and int text ? _placesOfText[text][0] : -1;

    public string Id(int place) => _ids[place];
}
