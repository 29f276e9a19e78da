using System.Globalization;
using Proxy.Policy;

namespace Proxy.Server.Store;

/// <summary>Any thread. Phone numbers that have a rule and yet can never be called, because nobody said where their calls come from.</summary>
public static class InventoryNotice
{
    /// <returns>Null where there is nothing to tell.</returns>
    public static string? Of(PolicyObjects objects)
    {
        if (objects.InterconnectAddresses.Length > 0)
        {
            return null;
        }
        int active = objects.Stock.ActiveCount;
        return active == 0 ? null
            : string.Create(CultureInfo.InvariantCulture, $"{active} active phone numbers answer no call: interconnect: {{ allowed_addresses: [...] }} is missing in the configuration");
    }
}
