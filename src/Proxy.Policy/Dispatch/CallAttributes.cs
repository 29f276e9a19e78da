using System;
using System.Collections.Generic;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Dispatch;

/// <summary>One decision. The participant's attributes: the rule's, the INVITE's headers, the trunk's mappings, ours; later ones win.</summary>
internal sealed class CallAttributes
{
    /// <summary>The room server takes 64 KiB of attributes; headers stop earlier, so that a caller cannot make the join fail.</summary>
    private const int MostHeaderCharacters = 48 * 1024;

    private static readonly (string Header, string Attribute)[] s_provider =
    [
        ("X-Twilio-AccountSid", "sip.twilio.accountSid"),
        ("X-Twilio-CallSid", "sip.twilio.callSid"),
        ("X-call_leg_id", "sip.telnyx.callLegID"),
        ("X-call_session_id", "sip.telnyx.callSessionID"),
        ("X-Amzn-ConnectContactId", "sip.amazon.contactId"),
        ("X-Amzn-ConnectInitialContactId", "sip.amazon.initialContactId"),
        ("X-Amzn-SourceAccount", "sip.amazon.sourceAccount"),
        ("X-Amzn-SourceArn", "sip.amazon.sourceArn"),
        ("X-Amzn-TargetArn", "sip.amazon.targetArn"),
        ("X-Lk-Test-Id", "lktest.id"),
    ];

    /// <summary>Up to so many names are compared one by one.</summary>
    private const int Few = 24;

    private readonly List<KeyValuePair<string, string>> _items = new(12);
    private Dictionary<string, int>? _places;

    public KeyValuePair<string, string>[] ToArray() => [.. _items];

    /// <summary>Sets or overrides; an empty value is no attribute.</summary>
    public void Set(string name, string value)
    {
        if (value.Length == 0)
        {
            return;
        }
        var item = KeyValuePair.Create(name, value);
        int place = Find(name);
        if (place >= 0)
        {
            _items[place] = item;
            return;
        }
        _places?.Add(name, _items.Count);
        _items.Add(item);
    }

    private int Find(string name)
    {
        if (_items.Count <= Few)
        {
            for (int i = 0; i < _items.Count; i++)
            {
                if (_items[i].Key == name)
                {
                    return i;
                }
            }
            return -1;
        }
        if (_places is null)
        {
            _places = new Dictionary<string, int>(2 * Few);
            for (int i = 0; i < _items.Count; i++)
            {
                _places[_items[i].Key] = i;
            }
        }
        return _places.GetValueOrDefault(name, -1);
    }

    public void SetAll(KeyValuePair<string, string>[] pairs)
    {
        foreach (KeyValuePair<string, string> pair in pairs)
        {
            Set(pair.Key, pair.Value);
        }
    }

    /// <summary>Header → attribute by the trunk's map: any header, the first of several.</summary>
    public void SetMapped(in CallFacts facts, KeyValuePair<string, string>[] headersToAttributes)
    {
        foreach (KeyValuePair<string, string> pair in headersToAttributes)
        {
            Set(pair.Value, facts.Header(pair.Key));
        }
    }

    /// <summary><c>sip.h.*</c>: the last of several; credentials never.</summary>
    public void SetHeaders(in CallFacts facts, IncludeHeaders include, bool hidesNumber)
    {
        int characters = 0;
        foreach (FactHeader header in facts.Headers)
        {
            bool isWanted = include == IncludeHeaders.All
                || (include == IncludeHeaders.XHeaders && header.Name.StartsWith("X-", StringComparison.OrdinalIgnoreCase));
            if (!isWanted || IsSecret(header.Name) || (hidesNumber && CallerHeaders.Tell(header.Name)))
            {
                continue;
            }
            characters += header.Name.Length + header.Value.Length;
            if (characters > MostHeaderCharacters)
            {
                return;
            }
            Set("sip.h." + header.Name.ToLowerInvariant(), header.Value);
        }
    }

    /// <summary>What providers put into headers of their own.</summary>
    public void SetProvider(in CallFacts facts)
    {
        foreach ((string header, string attribute) in s_provider)
        {
            Set(attribute, facts.Header(header));
        }
    }

    private static bool IsSecret(string header) =>
        header.Equals("Authorization", StringComparison.OrdinalIgnoreCase) || header.Equals("Proxy-Authorization", StringComparison.OrdinalIgnoreCase);
}
