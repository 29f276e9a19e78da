using System;
using Proxy.Core.Diagnostics;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Auth;

/// <summary>One owner. The value of an Authorization or Proxy-Authorization field.</summary>
/// <remarks>RFC 7616 §3.4; quoted values are taken as written, backslashes left in.</remarks>
public readonly ref struct DigestCredentialsView
{
    private DigestCredentialsView(scoped in Reader reader)
    {
        Username = reader.Username;
        Realm = reader.Realm;
        Nonce = reader.Nonce;
        Uri = reader.Uri;
        Response = reader.Response;
        CNonce = reader.CNonce;
        NonceCount = reader.NonceCount;
        Qop = reader.Qop;
        Opaque = reader.Opaque;
        Algorithm = reader.Algorithm;
        IsSession = reader.IsSession;
    }

    public ReadOnlySpan<byte> Username { get; }

    public ReadOnlySpan<byte> Realm { get; }

    public ReadOnlySpan<byte> Nonce { get; }

    public ReadOnlySpan<byte> Uri { get; }

    /// <summary>Hex digits as sent.</summary>
    public ReadOnlySpan<byte> Response { get; }

    public ReadOnlySpan<byte> CNonce { get; }

    /// <summary>Eight hex digits as sent; empty without qop.</summary>
    public ReadOnlySpan<byte> NonceCount { get; }

    /// <summary>auth, auth-int or empty.</summary>
    public ReadOnlySpan<byte> Qop { get; }

    public ReadOnlySpan<byte> Opaque { get; }

    /// <summary>MD5 when none is named.</summary>
    public DigestAlgorithm Algorithm { get; }

    /// <summary>Whether it is a -sess variant, which we never offer.</summary>
    public bool IsSession { get; }

    /// <returns>False when it is no Digest, malformed, of an unknown algorithm, or lacks username, realm, nonce, uri or response.</returns>
    [NoAlloc]
    public static bool TryParse(ReadOnlySpan<byte> value, out DigestCredentialsView view)
    {
        view = default;
        ReadOnlySpan<byte> rest = SipText.SkipSpace(value);
        if (!SipText.Same(SipText.ReadToken(ref rest), "Digest"u8))
        {
            return false;
        }
        Reader reader = default;
        foreach (ReadOnlySpan<byte> item in new SipValueEnumerator(rest))
        {
            if (!reader.TryTake(item))
            {
                return false;
            }
        }
        view = new DigestCredentialsView(in reader);
        return !reader.Username.IsEmpty && reader.HasRealm && !reader.Nonce.IsEmpty && !reader.Uri.IsEmpty && !reader.Response.IsEmpty;
    }

    /// <summary>What our own answer to a challenge is computed from.</summary>
    internal static DigestCredentialsView Of(
        in DigestChallengeView challenge, ReadOnlySpan<byte> userName, ReadOnlySpan<byte> uri, ReadOnlySpan<byte> clientNonce, ReadOnlySpan<byte> count)
    {
        var reader = new Reader
        {
            Username = userName,
            Realm = challenge.Realm,
            Nonce = challenge.Nonce,
            Uri = uri,
            Algorithm = challenge.Algorithm,
        };
        if (challenge.HasQop)
        {
            reader.Qop = "auth"u8;
            reader.NonceCount = count;
            reader.CNonce = clientNonce;
        }
        return new DigestCredentialsView(in reader);
    }

    private ref struct Reader
    {
        public ReadOnlySpan<byte> Username;
        public ReadOnlySpan<byte> Realm;
        public ReadOnlySpan<byte> Nonce;
        public ReadOnlySpan<byte> Uri;
        public ReadOnlySpan<byte> Response;
        public ReadOnlySpan<byte> CNonce;
        public ReadOnlySpan<byte> NonceCount;
        public ReadOnlySpan<byte> Qop;
        public ReadOnlySpan<byte> Opaque;
        public DigestAlgorithm Algorithm;
        public bool IsSession;
        public bool HasRealm;

        public bool TryTake(ReadOnlySpan<byte> item)
        {
            ReadOnlySpan<byte> name = SipText.ReadToken(ref item);
            if (name.IsEmpty || !SipText.TryTake(ref item, (byte)'='))
            {
                return false;
            }
            ReadOnlySpan<byte> value = item;
            if (item.StartsWith("\""u8))
            {
                if (SipText.QuotedLength(item) != item.Length)
                {
                    return false;
                }
                value = item[1..^1];
            }
            return TryKeep(name, value);
        }

        /// <summary>A parameter that comes twice is refused: which one counts would be a matter of taste.</summary>
        private bool TryKeep(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            if (SipText.Same(name, "username"u8))
            {
                return TrySet(ref Username, value);
            }
            else if (SipText.Same(name, "realm"u8))
            {
                bool isFirst = !HasRealm;
                Realm = value;
                HasRealm = true;
                return isFirst;
            }
            else if (SipText.Same(name, "nonce"u8))
            {
                return TrySet(ref Nonce, value);
            }
            else if (SipText.Same(name, "uri"u8))
            {
                return TrySet(ref Uri, value);
            }
            else if (SipText.Same(name, "response"u8))
            {
                return TrySet(ref Response, value);
            }
            else if (SipText.Same(name, "cnonce"u8))
            {
                return TrySet(ref CNonce, value);
            }
            else if (SipText.Same(name, "nc"u8))
            {
                return TrySet(ref NonceCount, value);
            }
            else if (SipText.Same(name, "qop"u8))
            {
                return TrySet(ref Qop, value);
            }
            else if (SipText.Same(name, "opaque"u8))
            {
                return TrySet(ref Opaque, value);
            }
            else if (SipText.Same(name, "algorithm"u8))
            {
                return DigestAlgorithms.TryFind(value, out Algorithm, out IsSession);
            }
            return true;
        }

        private static bool TrySet(ref ReadOnlySpan<byte> field, ReadOnlySpan<byte> value)
        {
            bool isFirst = field.IsEmpty;
            field = value;
            return isFirst;
        }
    }
}
