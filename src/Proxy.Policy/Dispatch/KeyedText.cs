using System;
using System.Security.Cryptography;
using System.Text;

namespace Proxy.Policy.Dispatch;

/// <summary>One decision. Names that nobody can guess or undo without the key.</summary>
internal static class KeyedText
{
    /// <summary>HMAC-SHA256 of a purpose and a text.</summary>
    public static void Hash(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> purpose, string text, Span<byte> hash)
    {
        int most = purpose.Length + Encoding.UTF8.GetMaxByteCount(text.Length);
        Span<byte> bytes = most <= 512 ? stackalloc byte[512] : new byte[most];
        purpose.CopyTo(bytes);
        int length = purpose.Length + Encoding.UTF8.GetBytes(text, bytes[purpose.Length..]);
        HMACSHA256.HashData(secret, bytes[..length], hash);
    }
}
