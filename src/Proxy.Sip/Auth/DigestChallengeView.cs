using System;
using Proxy.Core.Diagnostics;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Auth;

/// <summary>One owner. The value of a WWW-Authenticate or Proxy-Authenticate field.</summary>
/// <remarks>RFC 7616 §3.3; quoted values are taken as written, backslashes left in.</remarks>
public readonly ref struct DigestChallengeView
{
    private DigestChallengeView(scoped in Reader reader)
    {
        Realm = reader.Realm;
        Nonce = reader.Nonce;
        Opaque = reader.Opaque;
        Algorithm = reader.Algorithm;
        AlgorithmText = reader.AlgorithmText;
        HasQop = reader.HasQop;
        IsStale = reader.IsStale;
    }

    public ReadOnlySpan<byte> Realm { get; }

    public ReadOnlySpan<byte> Nonce { get; }

    /// <summary>Given back as it came; empty when absent.</summary>
    public ReadOnlySpan<byte> Opaque { get; }

    /// <summary>MD5 when none is named.</summary>
    public DigestAlgorithm Algorithm { get; }

    /// <summary>As written; empty when absent.</summary>
    public ReadOnlySpan<byte> AlgorithmText { get; }

    /// <summary>qop=auth is offered; else the sums of RFC 2069 are meant.</summary>
    public bool HasQop { get; }

    /// <summary>The password was right, the nonce too old.</summary>
    public bool IsStale { get; }

    /// <returns>False when it is no Digest, malformed, lacks realm or nonce, or asks for what we do not compute (-sess, auth-int alone, another hash).</returns>
    [NoAlloc]
    public static bool TryParse(ReadOnlySpan<byte> value, out DigestChallengeView view)
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
        view = new DigestChallengeView(in reader);
        return reader.HasRealm && !reader.Nonce.IsEmpty;
    }

    private ref struct Reader
    {
        public ReadOnlySpan<byte> Realm;
        public ReadOnlySpan<byte> Nonce;
        public ReadOnlySpan<byte> Opaque;
        public ReadOnlySpan<byte> AlgorithmText;
        public DigestAlgorithm Algorithm;
        public bool HasQop;
        public bool IsStale;
        public bool HasRealm;

        /// <returns>False when the challenge cannot be answered.</returns>
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

        private bool TryKeep(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            if (SipText.Same(name, "realm"u8))
            {
                Realm = value;
                HasRealm = true;
            }
            else if (SipText.Same(name, "nonce"u8))
            {
                Nonce = value;
            }
            else if (SipText.Same(name, "opaque"u8))
            {
                Opaque = value;
            }
            else if (SipText.Same(name, "stale"u8))
            {
                IsStale = SipText.Same(value, "true"u8);
            }
            else if (SipText.Same(name, "algorithm"u8))
            {
                AlgorithmText = value;
                return DigestAlgorithms.TryFind(value, out Algorithm, out bool isSession) && !isSession;
            }
            else if (SipText.Same(name, "qop"u8))
            {
                foreach (ReadOnlySpan<byte> kind in new SipValueEnumerator(value))
                {
                    HasQop |= SipText.Same(kind, "auth"u8);
                }
                return HasQop;
            }
            return true;
        }
    }
}
