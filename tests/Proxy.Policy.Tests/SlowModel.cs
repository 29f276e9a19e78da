using System;
using System.Collections.Generic;
using System.Linq;
using Proxy.Core.Net;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Tests;

/// <summary>One test. The selection again, slow and obviously right: no index, everything walked, everything compared as text.</summary>
internal static class SlowModel
{
    public static (VerdictKind Kind, RefusalCode Code, string Trunk, string Rule) Decide(PolicyObjects objects, CallFacts facts)
    {
        PhoneNumber? number = objects.Numbers.FirstOrDefault(n => n.IsAssigned && Same(n.E164, facts.ToUser));
        bool isInterconnect = objects.InterconnectAddresses.Any(a => Holds(a, facts));
        if (number is not null && isInterconnect)
        {
            return number.RuleIds.Length == 0
                ? (VerdictKind.Reject, RefusalCode.NumberOffline, "", "")
                : Rule(objects, facts, null, number);
        }
        List<Trunk> found = Trunks(objects, facts, out bool source, out bool caller);
        if (found.Count == 0)
        {
            if (objects.Compat == Compat.LiveKit && Rule(objects, facts, null, null) is { Rule: not "" } lenient)
            {
                return lenient;
            }
            RefusalCode code = source || (!caller && number is not null) ? RefusalCode.SourceNotAllowed : caller ? RefusalCode.CallerNotAllowed : RefusalCode.NoTrunk;
            return (VerdictKind.Reject, code, "*", "");
        }
        if (found.Count > 1)
        {
            return found.All(HasAuth) ? (VerdictKind.Challenge, RefusalCode.None, "", "") : (VerdictKind.Reject, RefusalCode.AmbiguousTrunk, "*", "");
        }
        return HasAuth(found[0]) ? (VerdictKind.Challenge, RefusalCode.None, found[0].Id, "") : Rule(objects, facts, found[0], null);
    }

    private static List<Trunk> Trunks(PolicyObjects objects, CallFacts facts, out bool wrongSource, out bool wrongCaller)
    {
        (wrongSource, wrongCaller) = (false, false);
        List<Func<Trunk, bool>> steps =
        [
            t => t.Numbers.Any(n => Same(n, Called(t, facts))),
            t => Patterns(t).Any(p => p.Digits > 0 && p.Matches(NumberText.Normalise(Called(t, facts)))),
        ];
        for (int length = 16; length > 0; length--)
        {
            int fixedLength = length;
            steps.Add(t => Patterns(t).Any(p => p.Digits == 0 && p.Prefix.Length == fixedLength && p.Matches(NumberText.Normalise(Called(t, facts)))));
        }
        steps.Add(t => t.Numbers.Length == 0 && t.Extras.NumberPatterns.Length == 0);
        foreach ((Func<Trunk, bool> step, CalledFrom from) in steps.SelectMany(s => new[] { (s, CalledFrom.RequestUri), (s, CalledFrom.To) }))
        {
            bool isDefault = ReferenceEquals(step, steps[^1]);
            List<Trunk> owners = [.. objects.Trunks.Where(t => step(t) && (isDefault || t.Extras.CalledFrom == from))];
            List<Trunk> callers = [.. owners.Where(t => t.AllowedNumbers.Length == 0 || t.AllowedNumbers.Any(n => Same(n, Caller(t, facts))))];
            List<Trunk> holding = [.. callers.Where(t => t.AllowedAddresses.Length == 0 || t.AllowedAddresses.Any(a => Holds(a, facts)))];
            wrongCaller |= callers.Count < owners.Count;
            wrongSource |= holding.Count < callers.Count;
            if (holding.Count > 0)
            {
                int best = holding.Max(Score);
                return [.. holding.Where(t => Score(t) == best)];
            }
        }
        return [];
    }

    private static (VerdictKind, RefusalCode, string Trunk, string Rule) Rule(PolicyObjects objects, CallFacts facts, Trunk? trunk, PhoneNumber? number)
    {
        bool Fits(DispatchRule r) =>
            (r.Numbers.Length == 0 || r.Numbers.Any(n => Same(n, Called(trunk, facts))))
            && (r.InboundNumbers.Length == 0 || r.InboundNumbers.Any(n => Same(n, Caller(trunk, facts))));
        List<DispatchRule> sorted = [.. objects.Rules
            .OrderBy(r => (int)r.Kind + (r.Pin.Length > 0 ? 0 : 100) + (r.InboundNumbers.Length == 0 ? 1000 : 0) + (r.Numbers.Length == 0 ? 1000 : 0))
            .ThenBy(r => r.Room, StringComparer.Ordinal).ThenBy(r => r.Id, StringComparer.Ordinal)];
        DispatchRule? rule = sorted.FirstOrDefault(r => number is not null && number.RuleIds.Contains(r.Id) && Fits(r))
            ?? sorted.FirstOrDefault(r => trunk is not null && r.TrunkIds.Contains(trunk.Id) && Fits(r))
            ?? sorted.FirstOrDefault(r => r.TrunkIds.Length == 0 && Fits(r));
        return rule is null ? (VerdictKind.Reject, RefusalCode.NoRule, trunk?.Id ?? "", "")
            : (rule.Pin.Length > 0 ? VerdictKind.AskPin : VerdictKind.Join, RefusalCode.None, trunk?.Id ?? "", rule.Id);
    }

    private static bool HasAuth(Trunk t) => t.AuthUsername.Length > 0 && t.AuthPassword.Length > 0;

    private static int Score(Trunk t) => (t.AllowedNumbers.Length == 0 ? 0 : t.Extras.CallerFrom == CallerFrom.AssertedIdentity ? 4 : 2) + (t.AllowedAddresses.Length > 0 ? 1 : 0);

    private static string Called(Trunk? t, CallFacts f) => t?.Extras.CalledFrom == CalledFrom.RequestUri ? f.RequestUser : f.ToUser;

    private static string Caller(Trunk? t, CallFacts f) =>
        t?.Extras.CallerFrom == CallerFrom.AssertedIdentity && f.AssertedUser.Length > 0 ? f.AssertedUser : f.FromUser;

    private static bool Same(string a, string b) => NumberText.Normalise(a) == NumberText.Normalise(b);

    private static IEnumerable<NumberPattern> Patterns(Trunk t) => t.Extras.NumberPatterns.Select(p => NumberPattern.TryParse(p, out NumberPattern? n, out _) ? n! : null!);

    /// <summary>Blocks are whole octets here, so that text is enough.</summary>
    private static bool Holds(string entry, CallFacts facts)
    {
        string address = facts.Source.Address.ToString();
        return entry.EndsWith(".0/24", StringComparison.Ordinal) ? address.StartsWith(entry[..^4], StringComparison.Ordinal) : entry == address;
    }
}
