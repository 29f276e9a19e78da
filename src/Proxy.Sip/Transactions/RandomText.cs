using System;
using Proxy.Core.Memory;

namespace Proxy.Sip.Transactions;

/// <summary>Any thread. Random characters that need no escaping anywhere and cannot be misread (base57).</summary>
internal static class RandomText
{
    private static ReadOnlySpan<byte> Alphabet => "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"u8;

    /// <summary>Fills the whole span, each character uniform over 57.</summary>
    public static void Fill(Span<byte> text, IRandom random)
    {
        Span<byte> bytes = stackalloc byte[32];
        int at = 0;
        while (at < text.Length)
        {
            random.Fill(bytes);
            foreach (byte b in bytes)
            {
                // 228 = 4 × 57: values above would favour the first letters.
                if (b < 228 && at < text.Length)
                {
                    text[at++] = Alphabet[b % 57];
                }
            }
        }
    }
}
