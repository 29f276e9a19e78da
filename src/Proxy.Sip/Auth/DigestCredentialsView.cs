using System;

namespace Proxy.Sip.Auth;

/// <summary>One owner. The value of an Authorization or Proxy-Authorization field.</summary>
public readonly ref struct DigestCredentialsView
{
    /// <returns>False when it is no Digest or lacks username, realm, nonce, uri or response.</returns>
    public static bool TryParse(ReadOnlySpan<byte> value, out DigestCredentialsView view) => throw new NotImplementedException();

    public ReadOnlySpan<byte> Username => throw new NotImplementedException();

    public ReadOnlySpan<byte> Realm => throw new NotImplementedException();

    public ReadOnlySpan<byte> Nonce => throw new NotImplementedException();

    public ReadOnlySpan<byte> Uri => throw new NotImplementedException();

    /// <summary>Hex digits as sent.</summary>
    public ReadOnlySpan<byte> Response => throw new NotImplementedException();

    public ReadOnlySpan<byte> CNonce => throw new NotImplementedException();

    /// <summary>Eight hex digits as sent; empty without qop.</summary>
    public ReadOnlySpan<byte> NonceCount => throw new NotImplementedException();

    public ReadOnlySpan<byte> Qop => throw new NotImplementedException();

    public ReadOnlySpan<byte> Opaque => throw new NotImplementedException();

    public DigestAlgorithm Algorithm => throw new NotImplementedException();
}
