using System;
using System.Security.Cryptography;

namespace Proxy.Sip.Auth;

/// <summary>Any thread. The sums of RFC 7616 §3.4, and their comparison in constant time.</summary>
public static class DigestResponse
{
    /// <summary>H(user:realm:password) as lower-case hex.</summary>
    /// <param name="algorithm">The hash.</param>
    /// <param name="user">UTF-8.</param>
    /// <param name="realm">UTF-8.</param>
    /// <param name="password">UTF-8.</param>
    /// <param name="ha1Hex">At least <see cref="DigestAlgorithms.HexMax"/> bytes.</param>
    /// <returns>Bytes written: 32 or 64.</returns>
    public static int ComputeHa1(DigestAlgorithm algorithm, ReadOnlySpan<byte> user, ReadOnlySpan<byte> realm, ReadOnlySpan<byte> password, Span<byte> ha1Hex)
    {
        var sum = new DigestSum(algorithm, stackalloc byte[DigestSum.SpaceMax]);
        sum.Add(user);
        sum.AddColon();
        sum.Add(realm);
        sum.AddColon();
        sum.Add(password);
        return sum.Finish(ha1Hex);
    }

    /// <summary>The response that the credentials should carry, as lower-case hex.</summary>
    /// <param name="credentials">Nonce, uri, qop, nc and cnonce are taken from here.</param>
    /// <param name="ha1Hex">From <see cref="ComputeHa1"/>.</param>
    /// <param name="method">The request's method.</param>
    /// <param name="body">The request's body; counts only for qop=auth-int.</param>
    /// <param name="responseHex">At least <see cref="DigestAlgorithms.HexMax"/> bytes.</param>
    /// <returns>Bytes written: 32 or 64.</returns>
    public static int Compute(in DigestCredentialsView credentials, ReadOnlySpan<byte> ha1Hex, ReadOnlySpan<byte> method, ReadOnlySpan<byte> body, Span<byte> responseHex)
    {
        Span<byte> space = stackalloc byte[DigestSum.SpaceMax];
        Span<byte> ha1 = stackalloc byte[DigestAlgorithms.HexMax];
        int ha1Length = SessionHa1(in credentials, ha1Hex, space, ha1);
        Span<byte> ha2 = stackalloc byte[DigestAlgorithms.HexMax];
        var sum = new DigestSum(credentials.Algorithm, space);
        sum.Add(method);
        sum.AddColon();
        sum.Add(credentials.Uri);
        if (credentials.Qop.SequenceEqual("auth-int"u8))
        {
            Span<byte> bodyHex = stackalloc byte[DigestAlgorithms.HexMax];
            sum.AddColon();
            sum.Add(bodyHex[..DigestSum.Hash(credentials.Algorithm, body, bodyHex)]);
        }
        int ha2Length = sum.Finish(ha2);
        sum = new DigestSum(credentials.Algorithm, space);
        sum.Add(ha1[..ha1Length]);
        sum.AddColon();
        sum.Add(credentials.Nonce);
        sum.AddColon();
        if (!credentials.Qop.IsEmpty)
        {
            sum.Add(credentials.NonceCount);
            sum.AddColon();
            sum.Add(credentials.CNonce);
            sum.AddColon();
            sum.Add(credentials.Qop);
            sum.AddColon();
        }
        sum.Add(ha2[..ha2Length]);
        return sum.Finish(responseHex);
    }

    /// <summary>Whether the credentials' response is right for that HA1 and method; compares in constant time.</summary>
    /// <param name="credentials">As sent.</param>
    /// <param name="ha1Hex">From <see cref="ComputeHa1"/> with the same algorithm.</param>
    /// <param name="method">The request's method.</param>
    public static bool Verify(in DigestCredentialsView credentials, ReadOnlySpan<byte> ha1Hex, ReadOnlySpan<byte> method)
    {
        Span<byte> expected = stackalloc byte[DigestAlgorithms.HexMax];
        int length = Compute(in credentials, ha1Hex, method, default, expected);
        Span<byte> sent = stackalloc byte[DigestAlgorithms.HexMax];
        sent.Clear();
        bool hasLength = credentials.Response.Length == length;
        if (hasLength)
        {
            credentials.Response.CopyTo(sent);
        }
        // Some phones send upper case; 0x20 turns A–F into a–f and leaves digits as they are.
        foreach (ref byte c in sent)
        {
            c |= 0x20;
        }
        return CryptographicOperations.FixedTimeEquals(expected[..length], sent[..length]) & hasLength;
    }

    private static int SessionHa1(in DigestCredentialsView credentials, ReadOnlySpan<byte> ha1Hex, Span<byte> space, Span<byte> result)
    {
        if (!credentials.IsSession)
        {
            ha1Hex.CopyTo(result);
            return ha1Hex.Length;
        }
        var sum = new DigestSum(credentials.Algorithm, space);
        sum.Add(ha1Hex);
        sum.AddColon();
        sum.Add(credentials.Nonce);
        sum.AddColon();
        sum.Add(credentials.CNonce);
        return sum.Finish(result);
    }
}
