using System;
using System.Collections.Generic;
using System.Security.Cryptography;
using System.Text;

namespace Proxy.Server.Twilio;

/// <summary>
/// Any thread. <c>X-Twilio-Signature</c> of a form: Base64 of HMAC-SHA1, keyed with the auth token, over the URL and the form's names and
/// values in the order of the names.
/// </summary>
/// <remarks>https://www.twilio.com/docs/usage/security. Twilio adds the scheme's usual port to the URL or leaves it out, whatever its console holds: both are taken.</remarks>
public static class TwilioSignature
{
    private const int SignatureBytes = 20;

    /// <summary>The signature of a request.</summary>
    /// <param name="url">The whole URL with its query.</param>
    /// <param name="form">The form's pairs in any order; a name may come twice.</param>
    public static string Of(string authToken, string url, IReadOnlyCollection<KeyValuePair<string, string>> form) =>
        Convert.ToBase64String(Sign(authToken, url, Tail(form)));

    /// <summary>Whether the header is the request's signature, in constant time.</summary>
    public static bool IsRight(string authToken, string url, IReadOnlyCollection<KeyValuePair<string, string>> form, string header)
    {
        Span<byte> given = stackalloc byte[SignatureBytes];
        bool isReadable = authToken.Length > 0 && header.Length <= 64 && Convert.TryFromBase64String(header, given, out int length) && length == SignatureBytes;
        string tail = Tail(form);
        bool isRight = false;
        foreach (string form2 in Spellings(url))
        {
            isRight |= CryptographicOperations.FixedTimeEquals(Sign(authToken, form2, tail), given);
        }
        return isReadable && isRight;
    }

    private static byte[] Sign(string authToken, string url, string tail) =>
        HMACSHA1.HashData(Encoding.UTF8.GetBytes(authToken), Encoding.UTF8.GetBytes(url + tail));

    private static string Tail(IReadOnlyCollection<KeyValuePair<string, string>> form)
    {
        var sorted = new SortedDictionary<string, SortedSet<string>>(StringComparer.Ordinal);
        foreach (KeyValuePair<string, string> pair in form)
        {
            if (!sorted.TryGetValue(pair.Key, out SortedSet<string>? values))
            {
                sorted[pair.Key] = values = new SortedSet<string>(StringComparer.Ordinal);
            }
            values.Add(pair.Value);
        }
        var text = new StringBuilder();
        foreach ((string name, SortedSet<string> values) in sorted)
        {
            foreach (string value in values)
            {
                text.Append(name).Append(value);
            }
        }
        return text.ToString();
    }

    /// <summary>The URL as it is, with the port named, and without it.</summary>
    private static List<string> Spellings(string url)
    {
        List<string> all = [url];
        int start = url.IndexOf("://", StringComparison.Ordinal) + 3;
        if (start < 3)
        {
            return all;
        }
        int end = url.IndexOfAny(['/', '?'], start);
        string authority = end < 0 ? url[start..] : url[start..end];
        string rest = end < 0 ? "" : url[end..];
        int colon = authority.LastIndexOf(':');
        bool hasPort = colon > authority.LastIndexOf(']');
        all.Add(url[..start] + (hasPort ? authority[..colon] : authority + (url.StartsWith("https", StringComparison.Ordinal) ? ":443" : ":80")) + rest);
        return all;
    }
}
