using System;
using System.Collections.Generic;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Validation;

/// <summary>
/// Any thread. Finds what a call could not decide: run over the whole policy with the new or changed object in it, at create, at
/// update (the stored objects are all there, so that a move to another number misses nothing) and at load.
/// </summary>
public static class PolicyValidation
{
    /// <summary>Most problems reported; the rest would say the same.</summary>
    public const int Most = 1_000;

    /// <returns>Problems in the order of the objects; empty when every call can be decided.</returns>
    public static IReadOnlyList<PolicyProblem> Check(PolicyObjects objects)
    {
        List<PolicyProblem> problems = [];
        var trunks = new TrunkPairs(objects, problems);
        trunks.Run();
        CheckRules(objects.Rules, problems);
        CheckInventory(objects, problems);
        return problems;
    }

    private static void CheckRules(IReadOnlyList<DispatchRule> rules, List<PolicyProblem> problems)
    {
        var keys = new Dictionary<(string Trunk, string Caller, string Number, string Pin), DispatchRule>();
        var sorted = new List<DispatchRule>(rules);
        sorted.Sort((a, b) => string.CompareOrdinal(a.Id, b.Id));
        foreach (DispatchRule rule in sorted)
        {
            if (!rule.Extras.Match.IsEmpty)
            {
                continue;
            }
            PolicyProblem? first = null;
            foreach (string trunk in OrAny(rule.TrunkIds))
            {
                foreach (string caller in OrAny(rule.InboundNumbers))
                {
                    foreach (string number in OrAny(rule.Numbers))
                    {
                        (string, string, string, string) key = (trunk, NumberText.Normalise(caller), NumberText.Normalise(number), rule.Pin);
                        if (keys.TryAdd(key, rule) || keys[key] == rule)
                        {
                            continue;
                        }
                        first ??= SameRule(keys[key], rule, key);
                    }
                }
            }
            if (first is not null && problems.Count < Most)
            {
                problems.Add(first);
            }
        }
    }

    private static PolicyProblem SameRule(DispatchRule old, DispatchRule rule, (string Trunk, string Caller, string Number, string Pin) key) => new(
        old.Id == rule.Id ? ProblemKind.SameId : ProblemKind.AmbiguousRules, old.Id, rule.Id, key.Number, key.Caller,
        $"rules {old.Id} and {rule.Id} have the same trunk, inbound number, number and PIN");

    private static string[] OrAny(string[] texts) => texts.Length == 0 ? [""] : texts;

    private static void CheckInventory(PolicyObjects objects, List<PolicyProblem> problems)
    {
        if (objects.Numbers.Count == 0)
        {
            return;
        }
        foreach (Trunk trunk in objects.Trunks)
        {
            foreach (string text in trunk.Numbers)
            {
                string number = NumberText.Normalise(text);
                int place = objects.Stock.FindAssigned(number);
                if (place >= 0 && problems.Count < Most)
                {
                    string id = objects.Stock.Id(place);
                    problems.Add(new PolicyProblem(ProblemKind.NumberOwnedTwice, trunk.Id, id, number, "",
                        $"number {number} is owned by trunk {trunk.Id} and, as {id}, by the inventory"));
                }
            }
        }
    }
}
