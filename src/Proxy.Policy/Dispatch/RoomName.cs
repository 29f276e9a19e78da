using System;
using System.Security.Cryptography;

namespace Proxy.Policy.Dispatch;

/// <summary>One decision. The room's name that a rule gives.</summary>
internal static class RoomName
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    private const int SuffixLength = 12;

    public static string For(DispatchRule rule, string caller, string called, string callId, byte[] secret) => rule.Kind switch
    {
        RuleKind.Direct => rule.Room,
        RuleKind.Individual => Join(rule.Room, caller, rule.NoRandomness ? "" : Suffix(callId, secret)),
        _ => Join(rule.Room, called, rule.Randomize ? Suffix(callId, secret) : ""),
    };

    /// <summary>Twelve letters drawn from our call id: nobody can guess them, and explain gives the same ones for the same call.</summary>
    public static string Suffix(string callId, byte[] secret)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        KeyedText.Hash(secret, "siproom room\0"u8, callId, hash);
        Span<char> suffix = stackalloc char[SuffixLength];
        for (int i = 0; i < suffix.Length; i++)
        {
            suffix[i] = Letters[((hash[2 * i] << 8) | hash[(2 * i) + 1]) % Letters.Length];
        }
        return suffix.ToString();
    }

    private static string Join(string prefix, string middle, string suffix)
    {
        string name = prefix.Length == 0 ? middle : prefix + "_" + middle;
        return suffix.Length == 0 ? name : name + "_" + suffix;
    }
}
