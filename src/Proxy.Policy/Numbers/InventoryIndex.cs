using System;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Indexing;

namespace Proxy.Policy.Numbers;

/// <summary>Any thread. The carrier's own stock of numbers and the rules of one moment: number → its rules.</summary>
internal sealed class InventoryIndex
{
    private readonly NumberStock _stock;
    private readonly FlatSets _rules;

    public InventoryIndex(NumberStock stock, RuleIndex rules)
    {
        _stock = stock;
        var places = new int[stock.RuleIds.Length];
        for (int i = 0; i < places.Length; i++)
        {
            places[i] = rules.Find(stock.RuleIds[i]);
        }
        _rules = stock.RulesOf.Renamed(places);
    }

    /// <param name="number">Normalised.</param>
    /// <returns>The number's place, or −1 when nobody owns it.</returns>
    public int Find(ReadOnlySpan<char> number) => _stock.FindAssigned(number);

    public string Id(int number) => _stock.Id(number);

    /// <summary>Rules of a number, most preferred first; empty means offline.</summary>
    public ReadOnlySpan<int> Rules(int number) => _rules[number];
}
