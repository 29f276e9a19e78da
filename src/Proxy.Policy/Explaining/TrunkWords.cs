using System;
using System.Collections.Generic;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Explaining;

/// <summary>One decision. Sentences about trunks.</summary>
internal static class TrunkWords
{
    public static string Failed(in CallLook look, CompiledTrunk trunk, TrunkFail failed) => failed switch
    {
        TrunkFail.None => "",
        TrunkFail.CalledNumber => $"called number {RulePolicy.Shown(look.CalledUser(trunk))} is not in numbers",
        TrunkFail.Caller => $"caller {RulePolicy.Shown(look.CallerUser(trunk))} is not in allowed_numbers",
        _ => $"address {look.Facts.Source.Address} is not in allowed_addresses",
    };

    public static string NearMiss(in CallLook look, CompiledTrunk trunk, int index, TrunkFail failed, DecisionTrace trace) => failed switch
    {
        TrunkFail.CalledNumber => NearNumber(look, trunk, index, trace),
        TrunkFail.Caller => NearText(look.CallerUser(trunk), trunk.Trunk.AllowedNumbers, trace),
        TrunkFail.Source => NearSource(look, trunk),
        _ => "",
    };

    private static string NearNumber(in CallLook look, CompiledTrunk trunk, int index, DecisionTrace trace)
    {
        int other = trunk.Trunk.Extras.CalledFrom == CalledFrom.To ? look.RequestText : look.ToText;
        if (look.Snapshot.Trunks.OfNumber(other).BinarySearch(index) >= 0)
        {
            return trunk.Trunk.Extras.CalledFrom == CalledFrom.To
                ? $"the Request-URI user {RulePolicy.Shown(look.Facts.RequestUser)} would match"
                : $"the To user {RulePolicy.Shown(look.Facts.ToUser)} would match";
        }
        return NearText(look.CalledUser(trunk), trunk.Trunk.Numbers, trace);
    }

    private static string NearSource(in CallLook look, CompiledTrunk trunk)
    {
        if (!trunk.Addresses.HasReadable)
        {
            return $"no entry of allowed_addresses can be read: {string.Join(", ", trunk.Addresses.Unreadable)}";
        }
        string nearest = trunk.Addresses.Nearest(look.Facts.Source.Address);
        return nearest.Length == 0 ? "" : $"address {look.Facts.Source.Address} is outside {nearest}";
    }

    /// <summary>Whether a listed number has the same ending digits: a missing country code, a 00 or a 0 in front.</summary>
    public static string NearText(string user, IEnumerable<string> listed, DecisionTrace trace)
    {
        string digits = Digits(user);
        if (digits.Length < 6)
        {
            return "";
        }
        string core = digits.TrimStart('0');
        foreach (string number in listed)
        {
            if (!trace.MayLook())
            {
                return "";
            }
            string other = Digits(number);
            if (core.Length >= 6 && other.Length >= 6 && (other.EndsWith(core, StringComparison.Ordinal) || core.EndsWith(other.TrimStart('0'), StringComparison.Ordinal)))
            {
                return $"would match {number} if the call said {NumberText.Normalise(number)}";
            }
        }
        return "";
    }

    private static string Digits(string text)
    {
        Span<char> digits = stackalloc char[32];
        int length = 0;
        foreach (char c in text)
        {
            if (c == ';' || length == digits.Length)
            {
                break;
            }
            if (char.IsAsciiDigit(c))
            {
                digits[length++] = c;
            }
        }
        return digits[..length].ToString();
    }
}
