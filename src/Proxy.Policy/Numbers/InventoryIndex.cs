using System.Collections.Generic;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Indexing;

namespace Proxy.Policy.Numbers;

/// <summary>Any thread once sealed. The carrier's own stock of numbers that somebody owns: number → its rules.</summary>
internal sealed class InventoryIndex
{
    private readonly List<(int Text, int Number)> _pairs = [];
    private readonly string[] _ids;
    private readonly FlatSets _rules;
    private FlatSets? _numberOfText;

    public InventoryIndex(IReadOnlyList<PhoneNumber> numbers, RuleIndex rules, TextTable.Builder texts)
    {
        _ids = new string[numbers.Count];
        List<(int, int)> rulePairs = [];
        for (int i = 0; i < _ids.Length; i++)
        {
            _ids[i] = numbers[i].Id;
            int text = numbers[i].IsAssigned ? texts.Add(NumberText.Normalise(numbers[i].E164)) : -1;
            if (text < 0)
            {
                continue;
            }
            _pairs.Add((text, i));
            foreach (string id in numbers[i].RuleIds)
            {
                int rule = rules.Find(id);
                if (rule >= 0)
                {
                    rulePairs.Add((i, rule));
                }
            }
        }
        _rules = FlatSets.Build(_ids.Length, rulePairs);
    }

    /// <returns>The number's place, or −1 when nobody owns it.</returns>
    public int Find(int text) => text < 0 || _numberOfText!.IsEmpty(text) ? -1 : _numberOfText[text][0];

    public string Id(int number) => _ids[number];

    /// <summary>Rules of a number, most preferred first; empty means offline.</summary>
    public System.ReadOnlySpan<int> Rules(int number) => _rules[number];

    /// <summary>Call it once when every text is known.</summary>
    public void Seal(int textCount)
    {
        _numberOfText = FlatSets.Build(textCount, _pairs);
        _pairs.Clear();
        _pairs.TrimExcess();
    }
}
