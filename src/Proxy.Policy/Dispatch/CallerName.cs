using System;
using System.Security.Cryptography;
using System.Text;

namespace Proxy.Policy.Dispatch;

/// <summary>One decision. How a caller appears in the room: identity, name, and the part of a room's name.</summary>
/// <param name="Identity"><c>sip_</c> and the number, or its pseudonym.</param>
/// <param name="Name"><c>Phone</c> and the number, or its last digits.</param>
/// <param name="RoomPart">What an individual rule's room is named after.</param>
/// <param name="User">The caller as attributes and rooms may show it; empty when hidden.</param>
internal readonly record struct CallerName(string Identity, string Name, string RoomPart, string User)
{
    /// <summary>What an empty or odd caller is called.</summary>
    public const string Anonymous = "anonymous";

    private const int LongestUser = 128;

    /// <param name="user">The caller's user part as it stood on the wire.</param>
    /// <param name="rule">Says whether the number is hidden.</param>
    /// <param name="compat">LiveKit: its plain SHA-256, which a list of all numbers undoes; ours: keyed.</param>
    /// <param name="secret">The key.</param>
    public static CallerName For(string user, DispatchRule rule, Compat compat, byte[] secret)
    {
        string known = IsOdd(user) ? Anonymous : user;
        if (!rule.HidePhoneNumber)
        {
            return new CallerName("sip_" + known, "Phone " + known, known, known);
        }
        string pseudonym = compat == Compat.LiveKit ? PlainHash(known) : KeyedHash(known, secret);
        string last = known.Length == user.Length ? known[^(known.Length > 4 ? 4 : 1)..] : Anonymous;
        bool sharesRooms = rule.Kind == RuleKind.Individual && rule.NoRandomness && compat == Compat.Strict;
        return new CallerName("sip_" + pseudonym, "Phone " + last, sharesRooms ? pseudonym : last, "");
    }

    /// <summary>Empty, longer than any address, or with characters that do not belong into names and logs.</summary>
    private static bool IsOdd(string user)
    {
        if (user.Length is 0 or > LongestUser)
        {
            return true;
        }
        foreach (char c in user)
        {
            if (char.IsControl(c) || char.IsSurrogate(c) || c == '�')
            {
                return true;
            }
        }
        return false;
    }

    private static string PlainHash(string user)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(user), hash);
        return Convert.ToHexStringLower(hash[..8]);
    }

    private static string KeyedHash(string user, byte[] secret)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        KeyedText.Hash(secret, "siproom caller\0"u8, user, hash);
        return Convert.ToHexStringLower(hash[..8]);
    }
}
