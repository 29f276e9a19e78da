using System;
using System.Collections.Generic;
using System.Collections.ObjectModel;
using System.Linq;
using System.Text.Json;
using Proxy.Core.Net;
using Proxy.LiveKit.Protocol;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Validation;
using Proxy.Server.Store;

namespace Proxy.Server.Api;

/// <summary>
/// Any thread. Refuses an object that would make a call undecidable, both ids named. The candidate is always put among all stored
/// objects, so that an update to another number or trunk misses nothing (the stock server does).
/// </summary>
internal static class SipConflicts
{
    private const string New = "<new>";

    /// <param name="objects">What is stored.</param>
    /// <param name="candidate">The trunk as it would be stored.</param>
    /// <param name="isNew">It has no stored version yet.</param>
    /// <param name="compat">LiveKit: the same called and calling number on two trunks is refused whatever tells them apart.</param>
    public static void CheckTrunk(StoredObjects objects, SIPInboundTrunkInfo candidate, bool isNew, Compat compat)
    {
        HashSet<string> numbers = Normal(candidate.Numbers);
        HashSet<string> callers = Normal(candidate.AllowedNumbers);
        StoredObjects meeting = objects with { Rules = StoredObjects.Empty.Rules, Inbound = StoredObjects.Empty.Inbound };
        var equal = new Dictionary<string, string>();
        foreach (SIPInboundTrunkInfo other in objects.Inbound.Values)
        {
            bool sharesNumber = Normal(other.Numbers).Overlaps(numbers);
            bool mayMeet = sharesNumber || objects.Extras.ContainsKey(other.SipTrunkId);
            if (other.SipTrunkId == candidate.SipTrunkId || !mayMeet)
            {
                continue;
            }
            if (sharesNumber && Normal(other.AllowedNumbers).Overlaps(callers))
            {
                string text = TrunkText(other, candidate, isNew, callers);
                if (compat == Compat.LiveKit)
                {
                    throw SipApiException.Invalid(text);
                }
                equal[other.SipTrunkId] = text + (CouldTell(other) || CouldTell(candidate) ? ", and neither source address nor user name tells them apart" : "");
            }
            meeting = meeting.With(ObjectKind.InboundTrunk, other.SipTrunkId, other);
        }
        meeting = meeting.With(ObjectKind.InboundTrunk, candidate.SipTrunkId, candidate);
        foreach (PolicyProblem problem in PolicyValidation.Check(meeting.ToPolicy(compat, [], ReadOnlyDictionary<string, NetAddress[]>.Empty)))
        {
            string other = problem.Id == candidate.SipTrunkId ? problem.OtherId : problem.OtherId == candidate.SipTrunkId ? problem.Id : "";
            if (other.Length > 0)
            {
                string ours = isNew ? problem.Sentence.Replace(candidate.SipTrunkId, New, StringComparison.Ordinal) : problem.Sentence;
                // What LiveKit refuses too has LiveKit's text, and ours behind it where addresses or a user name were meant to help.
                throw SipApiException.Invalid(equal.GetValueOrDefault(other, ours));
            }
        }
    }

    private static bool CouldTell(SIPInboundTrunkInfo trunk) => trunk.AllowedAddresses.Count > 0 || trunk.AuthUsername.Length > 0;

    /// <summary>A rule whose trunk, numbers and PIN another rule has already; rules with conditions of ours are told apart by them.</summary>
    public static void CheckRule(StoredObjects objects, SIPDispatchRuleInfo candidate, bool isNew)
    {
        var keys = new HashSet<(string, string, string, string)>();
        foreach ((string, string, string, string) key in RuleKeys(candidate))
        {
            if (!keys.Add(key))
            {
                throw SipApiException.Invalid(RuleText(isNew ? New : candidate.SipDispatchRuleId, candidate.Name));
            }
        }
        if (HasConditions(objects, candidate.SipDispatchRuleId))
        {
            return;
        }
        foreach (SIPDispatchRuleInfo other in objects.Rules.Values)
        {
            if (other.SipDispatchRuleId != candidate.SipDispatchRuleId && RuleKeys(other).Any(keys.Contains) && !HasConditions(objects, other.SipDispatchRuleId))
            {
                throw SipApiException.Invalid(RuleText(other.SipDispatchRuleId, other.Name));
            }
        }
    }

    private static bool HasConditions(StoredObjects objects, string id)
    {
        if (!objects.Extras.TryGetValue(id, out string? json))
        {
            return false;
        }
        using JsonDocument document = JsonDocument.Parse(json);
        return !ReferenceEquals(ExtrasJson.ReadRule(document.RootElement, []).Match, RuleMatch.None);
    }

    private static IEnumerable<(string, string, string, string)> RuleKeys(SIPDispatchRuleInfo rule)
    {
        string pin = rule.Rule.RuleCase switch
        {
            SIPDispatchRule.RuleOneofCase.DispatchRuleDirect => rule.Rule.DispatchRuleDirect.Pin,
            SIPDispatchRule.RuleOneofCase.DispatchRuleIndividual => rule.Rule.DispatchRuleIndividual.Pin,
            _ => rule.Rule.DispatchRuleCallee.Pin,
        };
        foreach (string trunk in rule.TrunkIds.DefaultIfEmpty(""))
        {
            foreach (string caller in rule.InboundNumbers.DefaultIfEmpty(""))
            {
                foreach (string number in rule.Numbers.DefaultIfEmpty(""))
                {
                    yield return (trunk, NumberText.Normalise(caller), NumberText.Normalise(number), pin);
                }
            }
        }
    }

    private static string RuleText(string id, string name) =>
        $"Dispatch rule for the same trunk, inbound number, number, and PIN combination already exists in dispatch rule \"{id}\" \"{(name.Length == 0 ? "<blank name>" : name)}\"";

    private static string TrunkText(SIPInboundTrunkInfo stored, SIPInboundTrunkInfo candidate, bool isNew, HashSet<string> callers)
    {
        string numbers = stored.Numbers.Count == 0 ? "<any>" : "[" + string.Join(' ', stored.Numbers.Select(n => "\"" + n + "\"")) + "]";
        string? caller = stored.AllowedNumbers.FirstOrDefault(n => callers.Contains(NumberText.Normalise(n)));
        string tail = caller is null ? "without AllowedNumbers set" : $"and AllowedNumber \"{caller}\"";
        return $"Conflicting inbound SIP Trunks: \"{stored.SipTrunkId}\" and \"{(isNew ? New : candidate.SipTrunkId)}\", using the same number(s) {numbers} {tail}";
    }

    private static HashSet<string> Normal(IEnumerable<string> numbers)
    {
        var normal = new HashSet<string>(StringComparer.Ordinal);
        foreach (string number in numbers)
        {
            normal.Add(NumberText.Normalise(number));
        }
        if (normal.Count == 0)
        {
            normal.Add("");
        }
        return normal;
    }
}
