using System.Collections.Generic;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Validation;

/// <summary>Any thread. What livekit/sip would do differently with the same objects; for <c>check --against livekit</c>.</summary>
public static class LiveKitDifferences
{
    /// <returns>One sentence for each object and difference, each beginning with the object's id.</returns>
    public static IReadOnlyList<string> List(PolicyObjects objects)
    {
        List<string> all = [];
        foreach (Trunk trunk in objects.Trunks)
        {
            OfTrunk(trunk, objects, all);
        }
        OfPairs(objects.Trunks, all);
        foreach (DispatchRule rule in objects.Rules)
        {
            OfRule(rule, all);
        }
        if (objects.Numbers.Count > 0)
        {
            all.Add("numbers/: the open-source livekit-server has no phone numbers; calls to them would need a trunk");
        }
        return all;
    }

    private static void OfTrunk(Trunk trunk, PolicyObjects objects, List<string> all)
    {
        AddressList addresses = AddressList.Compile(trunk.AllowedAddresses, objects.ResolvedHosts);
        if (addresses.Unreadable.Length > 0)
        {
            string effect = addresses.HasReadable ? "it is skipped" : "none can be read, so every address is let in";
            all.Add($"{trunk.Id}: allowed_addresses holds {string.Join(", ", addresses.Unreadable)}, which is no address; with livekit/sip {effect}");
        }
        if (addresses.Hosts.Count > 0)
        {
            all.Add($"{trunk.Id}: allowed_addresses names {string.Join(", ", addresses.Hosts)}; livekit/sip compares it with the From header, which anybody can write, and never resolves it");
        }
        if (trunk.AuthUsername.Length > 0 != trunk.AuthPassword.Length > 0)
        {
            all.Add($"{trunk.Id}: only one of auth_username and auth_password is set; livekit/sip then asks nobody for a password");
        }
        if (trunk.Extras != TrunkExtras.None)
        {
            all.Add($"{trunk.Id}: its additions (x) mean nothing to livekit/sip");
        }
    }

    private static void OfPairs(IReadOnlyList<Trunk> trunks, List<string> all)
    {
        var first = new Dictionary<(string Number, string Caller), string>();
        var told = new HashSet<(string, string)>();
        foreach (Trunk trunk in trunks)
        {
            foreach (string number in trunk.Numbers.Length == 0 ? [""] : trunk.Numbers)
            {
                foreach (string caller in trunk.AllowedNumbers.Length == 0 ? [""] : trunk.AllowedNumbers)
                {
                    (string, string) key = (NumberText.Normalise(number), NumberText.Normalise(caller));
                    if (!first.TryAdd(key, trunk.Id) && first[key] != trunk.Id && told.Add((first[key], trunk.Id)))
                    {
                        all.Add($"{trunk.Id}: has the same called and calling number as {first[key]}; livekit/sip refuses to create it, and answers 503 to calls that match both");
                    }
                }
            }
        }
    }

    private static void OfRule(DispatchRule rule, List<string> all)
    {
        foreach (string number in rule.Numbers)
        {
            OfNumber(rule, "numbers", number, all);
        }
        foreach (string number in rule.InboundNumbers)
        {
            OfNumber(rule, "inbound_numbers", number, all);
        }
        if (rule.HidePhoneNumber)
        {
            all.Add($"{rule.Id}: hides the number under a keyed pseudonym; livekit/sip uses a plain hash, and one call without a From user stops its server");
        }
        if (rule.Pin.Length > 0)
        {
            all.Add($"{rule.Id}: gives {rule.Extras.Pin.Attempts} attempts for the PIN and locks after repeated failures; livekit/sip gives one and never locks");
        }
        if (rule.Extras != RuleExtras.None)
        {
            all.Add($"{rule.Id}: its additions (x) mean nothing to livekit/sip");
        }
    }

    private static void OfNumber(DispatchRule rule, string field, string number, List<string> all)
    {
        if (NumberText.Normalise(number) != number)
        {
            all.Add($"{rule.Id}: {field} holds {number}; livekit/sip compares it letter by letter and misses {NumberText.Normalise(number)}");
        }
    }
}
