using System;
using System.Collections.Generic;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Validation;

/// <summary>
/// One owner. Trunks that own the same called number (or any number) and are asked in the same step: they must differ in a listed
/// caller, in a listed source, or, when all of them ask for a password in one realm, in the user name.
/// </summary>
internal sealed class TrunkPairs(PolicyObjects objects, List<PolicyProblem> problems)
{
    private readonly Dictionary<Trunk, Prepared> _prepared = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<(string, string)> _told = [];

    public void Run()
    {
        // One flat array: a text and a list for each of a million numbers would be millions of objects for the collector.
        var sorted = new List<Trunk>(objects.Trunks);
        sorted.Sort((a, b) => string.CompareOrdinal(a.Id, b.Id));
        int most = 0;
        foreach (Trunk trunk in sorted)
        {
            most += trunk.Numbers.Length + trunk.Extras.NumberPatterns.Length + 1;
        }
        var keys = new (ulong Hash, int Trunk)[most];
        int count = 0;
        var ids = new HashSet<string>();
        for (int i = 0; i < sorted.Count; i++)
        {
            Trunk trunk = sorted[i];
            if (!ids.Add(trunk.Id))
            {
                problems.Add(new PolicyProblem(ProblemKind.SameId, trunk.Id, trunk.Id, "", "", $"two trunks have the id {trunk.Id}"));
            }
            _prepared[trunk] = new Prepared(trunk, objects);
            foreach (string key in Keys(trunk))
            {
                keys[count++] = (Hash(key), i);
            }
        }
        Span<(ulong Hash, int Trunk)> all = keys.AsSpan(0, count);
        all.Sort();
        for (int first = 0; first < count;)
        {
            int end = first + 1;
            while (end < count && all[end].Hash == all[first].Hash)
            {
                end++;
            }
            if (all[first].Trunk != all[end - 1].Trunk)
            {
                CheckShared(sorted, all[first..end]);
            }
            first = end;
        }
        CheckRanges(sorted);
    }

    /// <summary>Trunks with a key of the same hash: which text is it that they share?</summary>
    private void CheckShared(List<Trunk> trunks, ReadOnlySpan<(ulong Hash, int Trunk)> same)
    {
        var byText = new SortedDictionary<string, List<Trunk>>(StringComparer.Ordinal);
        int last = -1;
        foreach ((ulong hash, int place) in same)
        {
            if (place == last)
            {
                continue;
            }
            last = place;
            foreach (string key in Keys(trunks[place]))
            {
                if (Hash(key) != hash)
                {
                    continue;
                }
                if (!byText.TryGetValue(key, out List<Trunk>? owners))
                {
                    byText[key] = owners = [];
                }
                if (owners.Count == 0 || !ReferenceEquals(owners[^1], trunks[place]))
                {
                    owners.Add(trunks[place]);
                }
            }
        }
        foreach ((string number, List<Trunk> owners) in byText)
        {
            if (owners.Count > 1)
            {
                CheckOwners(number, owners);
            }
        }
    }

    private static ulong Hash(string key)
    {
        ulong hash = 14_695_981_039_346_656_037;
        foreach (char c in key)
        {
            hash = (hash ^ c) * 1_099_511_628_211;
        }
        return hash ^ (hash >> 29);
    }

    /// <summary>Ranges that overlap without being the same text.</summary>
    private void CheckRanges(List<Trunk> trunks)
    {
        var ranges = new List<(int Digits, ulong First, ulong Last, Trunk Trunk, string Text)>();
        foreach (Trunk trunk in trunks)
        {
            foreach (string text in trunk.Extras.NumberPatterns)
            {
                if (NumberPattern.TryParse(text, out NumberPattern? pattern, out _) && pattern.Digits > 0)
                {
                    ranges.Add((pattern.Digits, pattern.First, pattern.Last, trunk, text));
                }
            }
        }
        ranges.Sort((a, b) => (a.Digits, a.First, a.Last).CompareTo((b.Digits, b.First, b.Last)));
        for (int i = 0; i < ranges.Count; i++)
        {
            for (int j = i + 1; j < ranges.Count && ranges[j].Digits == ranges[i].Digits && ranges[j].First <= ranges[i].Last; j++)
            {
                if (!ReferenceEquals(ranges[i].Trunk, ranges[j].Trunk) && ranges[i].Trunk.Extras.CalledFrom == ranges[j].Trunk.Extras.CalledFrom)
                {
                    CheckOwners(ranges[j].Text, [ranges[i].Trunk, ranges[j].Trunk]);
                }
            }
        }
    }

    /// <summary>What a trunk is asked for; two of them meet where they share a key. The empty one is "any number".</summary>
    private static IEnumerable<string> Keys(Trunk trunk)
    {
        string field = trunk.Extras.CalledFrom == CalledFrom.To ? "" : "Request-URI ";
        foreach (string number in trunk.Numbers)
        {
            yield return field + NumberText.Normalise(number);
        }
        foreach (string pattern in trunk.Extras.NumberPatterns)
        {
            yield return field + pattern;
        }
        if (trunk.Numbers.Length == 0 && trunk.Extras.NumberPatterns.Length == 0)
        {
            yield return "";
        }
    }

    /// <summary>Trunks with different user names need not be compared with each other, so that thousands of them stay cheap.</summary>
    private void CheckOwners(string number, List<Trunk> owners)
    {
        var byUser = new Dictionary<string, List<Trunk>>();
        List<Trunk> open = [];
        foreach (Trunk trunk in owners)
        {
            Prepared prepared = _prepared[trunk];
            List<Trunk> group = open;
            if (prepared.HasAuth)
            {
                string user = trunk.AuthUsername;
                group = byUser.TryGetValue(user, out List<Trunk>? same) ? same : byUser[user] = [];
            }
            foreach (Trunk other in group)
            {
                Compare(number, other, trunk);
            }
            foreach (Trunk other in prepared.HasAuth ? open : owners)
            {
                if (!ReferenceEquals(other, trunk) && (prepared.HasAuth || _prepared[other].HasAuth))
                {
                    Compare(number, other, trunk);
                }
            }
            group.Add(trunk);
        }
        CheckRealms(number, owners);
    }

    /// <summary>One challenge names one realm: trunks told apart by user name alone must share it.</summary>
    private void CheckRealms(string number, List<Trunk> owners)
    {
        Trunk first = owners[0];
        foreach (Trunk trunk in owners)
        {
            if (_prepared[first].HasAuth && _prepared[trunk].HasAuth && _prepared[first].Realm != _prepared[trunk].Realm)
            {
                Compare(number, first, trunk);
            }
        }
    }

    private void Compare(string number, Trunk a, Trunk b)
    {
        (a, b) = string.CompareOrdinal(a.Id, b.Id) <= 0 ? (a, b) : (b, a);
        Prepared first = _prepared[a];
        Prepared second = _prepared[b];
        if (first.Specificity != second.Specificity || !first.Addresses.Overlaps(second.Addresses)
            || !first.SharesCaller(second, out string caller) || problems.Count >= PolicyValidation.Most || !_told.Add((a.Id, b.Id)))
        {
            return;
        }
        string called = number.Length == 0 ? "any number" : "number " + number;
        string from = caller.Length == 0 ? "any caller" : "caller " + caller;
        problems.Add(new PolicyProblem(ProblemKind.AmbiguousTrunks, a.Id, b.Id, number, caller,
            $"trunks {a.Id} and {b.Id} both take calls to {called} from {from}, and neither source address nor user name tells them apart"));
    }

    private sealed class Prepared
    {
        private readonly HashSet<string> _callers = [];

        public Prepared(Trunk trunk, PolicyObjects objects)
        {
            Addresses = AddressList.Compile(trunk.AllowedAddresses, objects.ResolvedHosts);
            HasAuth = trunk.AuthUsername.Length > 0 && trunk.AuthPassword.Length > 0;
            Realm = trunk.AuthRealm.Length > 0 ? trunk.AuthRealm : "LiveKit";
            Specificity = CompiledTrunk.SpecificityOf(trunk);
            foreach (string caller in trunk.AllowedNumbers)
            {
                _callers.Add(NumberText.Normalise(caller));
            }
        }

        public AddressList Addresses { get; }

        public bool HasAuth { get; }

        public string Realm { get; }

        public int Specificity { get; }

        public bool SharesCaller(Prepared other, out string caller)
        {
            caller = "";
            if (_callers.Count == 0 && other._callers.Count == 0)
            {
                return true;
            }
            foreach (string mine in _callers)
            {
                if (other._callers.Contains(mine))
                {
                    caller = mine;
                    return true;
                }
            }
            return false;
        }
    }
}
