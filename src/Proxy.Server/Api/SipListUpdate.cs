using System.Collections.Generic;
using Google.Protobuf.Collections;
using Proxy.LiveKit.Protocol;

namespace Proxy.Server.Api;

/// <summary>Any thread. LiveKit's ListUpdate: exactly one of clear, set, and add or remove; remove goes before add, add takes each value once.</summary>
internal static class SipListUpdate
{
    /// <summary>Throws when the combination or an element is not allowed.</summary>
    public static void Check(ListUpdate? update)
    {
        if (update is null)
        {
            return;
        }
        bool changes = update.Add.Count > 0 || update.Remove.Count > 0;
        if (update.Clear && (changes || update.Set.Count > 0))
        {
            throw SipApiException.Invalid("cannot clear and change the list at the same time");
        }
        if (update.Set.Count > 0 && changes)
        {
            throw SipApiException.Invalid("cannot set and change the list at the same time");
        }
        if (!update.Clear && !changes && update.Set.Count == 0)
        {
            throw SipApiException.Invalid("unsupported list update operation");
        }
        if (update.Set.Contains("") || update.Add.Contains("") || update.Remove.Contains(""))
        {
            throw SipApiException.Invalid("empty element in the list");
        }
    }

    public static void Apply(ListUpdate? update, RepeatedField<string> list)
    {
        if (update is null)
        {
            return;
        }
        if (update.Clear || update.Set.Count > 0)
        {
            list.Clear();
            list.Add(update.Set);
            return;
        }
        var removed = new HashSet<string>(update.Remove);
        for (int i = list.Count - 1; i >= 0; i--)
        {
            if (removed.Contains(list[i]))
            {
                list.RemoveAt(i);
            }
        }
        foreach (string item in update.Add)
        {
            if (!list.Contains(item))
            {
                list.Add(item);
            }
        }
    }
}
