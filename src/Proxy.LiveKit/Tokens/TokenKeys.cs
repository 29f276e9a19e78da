using System;
using System.Collections.Generic;
using System.Text;

namespace Proxy.LiveKit.Tokens;

/// <summary>Any thread. API keys and their secrets. Immutable; two keys valid at once allow a change of secret without a gap.</summary>
public sealed class TokenKeys
{
    private readonly Dictionary<string, byte[]> _secrets = new(StringComparer.Ordinal);

    /// <param name="secrets">API key to secret, both as text.</param>
    public TokenKeys(IEnumerable<KeyValuePair<string, string>> secrets)
    {
        foreach (KeyValuePair<string, string> pair in secrets)
        {
            _secrets[pair.Key] = Encoding.UTF8.GetBytes(pair.Value);
        }
    }

    public int Count => _secrets.Count;

    /// <summary>Finds the signing key: the UTF-8 bytes of the secret.</summary>
    public bool TryGetSecret(string apiKey, out ReadOnlySpan<byte> secret)
    {
        bool isKnown = _secrets.TryGetValue(apiKey, out byte[]? bytes);
        secret = bytes;
        return isKnown;
    }

    /// <summary>Names of keys whose secret is shorter than 32 bytes: worth a warning at start.</summary>
    public IEnumerable<string> ShortSecrets()
    {
        foreach (KeyValuePair<string, byte[]> pair in _secrets)
        {
            if (pair.Value.Length < 32)
            {
                yield return pair.Key;
            }
        }
    }

    public override string ToString() => _secrets.Count + " API keys";
}
