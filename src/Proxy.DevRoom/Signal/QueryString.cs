using System;

namespace Proxy.DevRoom.Signal;

/// <summary>Any thread. Reads one parameter out of a URL's query.</summary>
internal static class QueryString
{
    /// <returns>The decoded value, or null when the parameter is not there. A plus sign stays one: base64 uses it.</returns>
    public static string? Get(string query, string name)
    {
        foreach (string pair in query.Split('&'))
        {
            int equals = pair.IndexOf('=');
            if (equals == name.Length && pair.StartsWith(name, StringComparison.Ordinal))
            {
                return Uri.UnescapeDataString(pair[(equals + 1)..]);
            }
        }
        return null;
    }
}
