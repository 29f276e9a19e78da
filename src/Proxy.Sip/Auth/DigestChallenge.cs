using System;

namespace Proxy.Sip.Auth;

/// <summary>Any thread. Writes the value of WWW-Authenticate or Proxy-Authenticate.</summary>
/// <remarks>RFC 7616 §3.3, RFC 8760 §2.</remarks>
public static class DigestChallenge
{
    /// <param name="withQop">Adds <c>qop="auth"</c>.</param>
    /// <returns>Bytes written, or 0 when it does not fit.</returns>
    public static int Write(Span<byte> destination, ReadOnlySpan<byte> realm, ReadOnlySpan<byte> nonce, DigestAlgorithm algorithm, bool withQop, bool isStale) =>
        throw new NotImplementedException();
}
