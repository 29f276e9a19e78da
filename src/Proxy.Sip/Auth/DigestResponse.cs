using System;

namespace Proxy.Sip.Auth;

/// <summary>Any thread. The sums of RFC 7616 §3.4, and their comparison in constant time.</summary>
public static class DigestResponse
{
    /// <summary>H(user:realm:password) as lower-case hex.</summary>
    /// <returns>Bytes written: 32 or 64.</returns>
    public static int ComputeHa1(DigestAlgorithm algorithm, ReadOnlySpan<byte> user, ReadOnlySpan<byte> realm, ReadOnlySpan<byte> password, Span<byte> ha1Hex) =>
        throw new NotImplementedException();

    /// <summary>Whether the credentials' response is right for that HA1 and method; compares in constant time.</summary>
    public static bool Verify(in DigestCredentialsView credentials, ReadOnlySpan<byte> ha1Hex, ReadOnlySpan<byte> method) => throw new NotImplementedException();
}
