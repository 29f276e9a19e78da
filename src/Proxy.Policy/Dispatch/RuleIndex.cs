using System;
using System.Collections.Generic;
using Proxy.Policy.Indexing;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Dispatch;

/// <summary>
/// Any thread once built. Rules in the order in which LiveKit prefers them, and posting lists under (trunk, called, caller), so that
/// the rules that can hold are found by a dozen probes and not by walking over all.
/// </summary>
internal sealed class RuleIndex
{
    /// <summary>Stands in a key for "any".</summary>
    public const int Any = -1;

    /// <summary>Stands in a key for "one of many callers": membership is checked apart.</summary>
    public const int Many = -2;

    /// <summary>A rule with more calling numbers is posted once under <see cref="Many"/>.</summary>
    private const int MostPostedCallers = 16;

    private readonly Dictionary<(int Trunk, int Called, int Caller), (int Start, int Count)> _lists = [];
    private readonly int[] _postings;
    private readonly Dictionary<string, int> _byId = [];

    public RuleIndex(IReadOnlyList<DispatchRule> rules, TrunkIndex trunks, TextTable.Builder texts)
    {
        All = [.. rules];
        Array.Sort(All, Compare);
        List<((int Trunk, int Called, int Caller) Key, int Rule)> postings = [];
        List<(int, int)> callerPairs = [];
        List<(int, int)> calledPairs = [];
        List<(int, int)> trunkPairs = [];
        for (int i = 0; i < All.Length; i++)
        {
            DispatchRule rule = All[i];
            _byId[rule.Id] = i;
            int[] ruleTrunks = Trunks(rule, trunks);
            int[] called = TextsOf(rule.Numbers, texts);
            int[] callers = TextsOf(rule.InboundNumbers, texts);
            AddPairs(trunkPairs, i, ruleTrunks);
            AddPairs(calledPairs, i, called);
            AddPairs(callerPairs, i, callers);
            Post(postings, i, Keys(ruleTrunks, rule.TrunkIds.Length), Keys(called, rule.Numbers.Length), CallerKeys(callers, rule));
        }
        TrunksOf = FlatSets.Build(All.Length, trunkPairs);
        CalledOf = FlatSets.Build(All.Length, calledPairs);
        CallersOf = FlatSets.Build(All.Length, callerPairs);
        _postings = Fill(postings, _lists);
    }

    /// <summary>Most preferred first; a rule's place is its rank.</summary>
    public DispatchRule[] All { get; }

    public FlatSets TrunksOf { get; }

    public FlatSets CalledOf { get; }

    public FlatSets CallersOf { get; }

    /// <returns>The rule's place, or −1.</returns>
    public int Find(string id) => _byId.TryGetValue(id, out int index) ? index : -1;

    /// <summary>Rules posted under one key, most preferred first.</summary>
    public ReadOnlySpan<int> Posted(int trunk, int called, int caller) =>
        _lists.TryGetValue((trunk, called, caller), out (int Start, int Count) list) ? _postings.AsSpan(list.Start, list.Count) : [];

    /// <summary>
    /// LiveKit's order: 0/1/2 for direct, individual and callee with a PIN, 100/101/102 without; 1000 more for each of
    /// inbound_numbers and numbers that is empty; equal ones by room name or prefix, then by id.
    /// </summary>
    public static int Priority(DispatchRule rule) =>
        (int)rule.Kind + (rule.Pin.Length > 0 ? 0 : 100) + (rule.InboundNumbers.Length == 0 ? 1000 : 0) + (rule.Numbers.Length == 0 ? 1000 : 0);

    private static int Compare(DispatchRule a, DispatchRule b)
    {
        int order = Priority(a).CompareTo(Priority(b));
        // Of two equal rules the one with conditions is asked first: the other is what is left for the rest.
        order = order != 0 ? order : a.Extras.Match.IsEmpty.CompareTo(b.Extras.Match.IsEmpty);
        order = order != 0 ? order : string.CompareOrdinal(a.Room, b.Room);
        return order != 0 ? order : string.CompareOrdinal(a.Id, b.Id);
    }

    private static int[] Trunks(DispatchRule rule, TrunkIndex trunks)
    {
        List<int> found = [];
        foreach (string id in rule.TrunkIds)
        {
            int trunk = trunks.Find(id);
            if (trunk >= 0)
            {
                found.Add(trunk);
            }
        }
        return [.. found];
    }

    private static int[] TextsOf(string[] numbers, TextTable.Builder texts)
    {
        var found = new HashSet<int>();
        foreach (string number in numbers)
        {
            int text = texts.Add(NumberText.Normalise(number));
            if (text >= 0)
            {
                found.Add(text);
            }
        }
        return [.. found];
    }

    private static void AddPairs(List<(int, int)> pairs, int rule, int[] items)
    {
        foreach (int item in items)
        {
            pairs.Add((rule, item));
        }
    }

    private static int[] Keys(int[] found, int listed) => listed == 0 ? [Any] : found;

    private static int[] CallerKeys(int[] callers, DispatchRule rule) =>
        rule.InboundNumbers.Length == 0 ? [Any] : callers.Length > MostPostedCallers ? [Many] : callers;

    private static void Post(List<((int, int, int), int)> postings, int rule, int[] trunks, int[] called, int[] callers)
    {
        foreach (int trunk in trunks)
        {
            foreach (int number in called)
            {
                foreach (int caller in callers)
                {
                    postings.Add(((trunk, number, caller), rule));
                }
            }
        }
    }

    private static int[] Fill(List<((int, int, int) Key, int Rule)> postings, Dictionary<(int, int, int), (int, int)> lists)
    {
        postings.Sort();
        var flat = new int[postings.Count];
        int start = 0;
        for (int i = 0; i < flat.Length; i++)
        {
            flat[i] = postings[i].Rule;
            bool isLast = i + 1 == flat.Length || postings[i + 1].Key != postings[i].Key;
            if (isLast)
            {
                lists[postings[i].Key] = (start, i + 1 - start);
                start = i + 1;
            }
        }
        return flat;
    }
}
