using System;
using Proxy.Core.Diagnostics;
using Proxy.Sip.Writing;

namespace Proxy.Sip.Auth;

/// <summary>Any thread. Writes the value of WWW-Authenticate or Proxy-Authenticate.</summary>
/// <remarks>RFC 7616 §3.3, RFC 8760 §2.</remarks>
public static class DigestChallenge
{
    /// <param name="destination">Where the value goes.</param>
    /// <param name="realm">Without quotes; quotes and backslashes in it are escaped.</param>
    /// <param name="nonce">Without quotes; must need no escaping.</param>
    /// <param name="algorithm">The hash.</param>
    /// <param name="withQop">Adds <c>qop="auth"</c>.</param>
    /// <param name="isStale">Adds <c>stale=true</c>: the password was right, the nonce too old.</param>
    /// <returns>Bytes written, or 0 when it does not fit.</returns>
    [NoAlloc]
    public static int Write(Span<byte> destination, ReadOnlySpan<byte> realm, ReadOnlySpan<byte> nonce, DigestAlgorithm algorithm, bool withQop, bool isStale)
    {
        var writer = new SipWriter(destination);
        writer.Add("Digest realm=\""u8);
        foreach (ref readonly byte c in realm)
        {
            if (c is (byte)'"' or (byte)'\\')
            {
                writer.Add("\\"u8);
            }
            writer.AddValue(new ReadOnlySpan<byte>(in c));
        }
        writer.Add("\",nonce=\""u8);
        writer.AddValue(nonce);
        writer.Add("\",algorithm="u8);
        writer.Add(DigestAlgorithms.Name(algorithm));
        writer.Add(withQop ? ",qop=\"auth\""u8 : default);
        writer.Add(isStale ? ",stale=true"u8 : default);
        return writer.IsFull ? 0 : writer.Length;
    }
}
