using System;
using System.Security.Cryptography;
using System.Text;
using Proxy.Core.Hashing;

namespace Proxy.Policy.Digest;

/// <summary>Any thread. The response value of RFC 7616 §3.4.1, with qop=auth or without qop (RFC 2069's form).</summary>
internal static class DigestResponse
{
    /// <summary>Algorithms that can be computed here.</summary>
    public static bool Knows(string algorithm) =>
        algorithm.Equals("MD5", StringComparison.OrdinalIgnoreCase) || algorithm.Equals("SHA-256", StringComparison.OrdinalIgnoreCase)
            || algorithm.Equals("SHA-512-256", StringComparison.OrdinalIgnoreCase);

    /// <returns>Whether the offered response is the right one; false for unreadable credentials. Takes the same time either way.</returns>
    public static bool Verify(DigestCredentials offered, string algorithm, string userName, string realm, string password, string method)
    {
        string ha1 = Hash(algorithm, $"{userName}:{realm}:{password}");
        string ha2 = Hash(algorithm, $"{method}:{offered.Uri}");
        string middle = offered.Qop.Length == 0
            ? offered.Nonce
            : $"{offered.Nonce}:{offered.NonceCount}:{offered.ClientNonce}:auth";
        string right = Hash(algorithm, $"{ha1}:{middle}:{ha2}");
        Span<byte> a = stackalloc byte[64];
        Span<byte> b = stackalloc byte[64];
        int length = right.Length / 2;
        Convert.FromHexString(right, a, out _, out _);
        bool isReadable = offered.Response.Length == right.Length
            && Convert.FromHexString(offered.Response, b, out _, out _) == System.Buffers.OperationStatus.Done;
        return CryptographicOperations.FixedTimeEquals(a[..length], b[..length]) && isReadable;
    }

    private static string Hash(string algorithm, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return Convert.ToHexStringLower(algorithm.Equals("MD5", StringComparison.OrdinalIgnoreCase) ? MD5.HashData(bytes)
            : algorithm.Equals("SHA-256", StringComparison.OrdinalIgnoreCase) ? SHA256.HashData(bytes)
            : Sha512T256Of(bytes));
    }

    private static byte[] Sha512T256Of(byte[] bytes)
    {
        byte[] hash = new byte[Sha512T256.HashBytes];
        Sha512T256.Hash(bytes, hash);
        return hash;
    }
}
