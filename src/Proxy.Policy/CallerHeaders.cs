using System;
using System.Collections.Generic;

namespace Proxy.Policy;

/// <summary>Any thread. Header fields that hold the caller's number.</summary>
public static class CallerHeaders
{
    private static readonly HashSet<string> s_telling = new(StringComparer.OrdinalIgnoreCase)
    {
        "From", "Contact", "P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Diversion", "History-Info", "Referred-By", "Identity",
    };

    /// <summary>Whether the room must not see that field of a caller who is hidden.</summary>
    public static bool Tell(string name) => s_telling.Contains(name);
}
