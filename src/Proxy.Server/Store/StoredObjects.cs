using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Text.Json;
using Google.Protobuf;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;
using Wire = Proxy.LiveKit.Protocol;

namespace Proxy.Server.Store;

/// <summary>Any thread. The kinds of stored object.</summary>
public enum ObjectKind
{
    InboundTrunk,
    OutboundTrunk,
    Rule,
    Number,
}

/// <summary>Any thread. Every stored object of one moment as LiveKit's own messages, by id; immutable. Messages in it are never changed.</summary>
public sealed record StoredObjects
{
    public static StoredObjects Empty { get; } = new();

    public MessageMap<Wire.SIPInboundTrunkInfo> Inbound { get; init; } = MessageMap<Wire.SIPInboundTrunkInfo>.Empty(Wire.SIPInboundTrunkInfo.Parser);

    public MessageMap<Wire.SIPOutboundTrunkInfo> Outbound { get; init; } = MessageMap<Wire.SIPOutboundTrunkInfo>.Empty(Wire.SIPOutboundTrunkInfo.Parser);

    public MessageMap<Wire.SIPDispatchRuleInfo> Rules { get; init; } = MessageMap<Wire.SIPDispatchRuleInfo>.Empty(Wire.SIPDispatchRuleInfo.Parser);

    public MessageMap<Wire.PhoneNumber> Numbers { get; init; } = MessageMap<Wire.PhoneNumber>.Empty(Wire.PhoneNumber.Parser);

    /// <summary>The numbers as the policy needs them, made once for all versions that share them.</summary>
    public NumberStock Stock => Numbers.Derived(static all => new InventoryNumbers(all)).Stock;

    /// <summary>Our additions by id, JSON objects as text.</summary>
    public ImmutableDictionary<string, string> Extras { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>A copy with one object set, or removed where <paramref name="message"/> is null.</summary>
    public StoredObjects With(ObjectKind kind, string id, IMessage? message) => kind switch
    {
        ObjectKind.InboundTrunk => this with { Inbound = Inbound.With(id, (Wire.SIPInboundTrunkInfo?)message) },
        ObjectKind.OutboundTrunk => this with { Outbound = Outbound.With(id, (Wire.SIPOutboundTrunkInfo?)message) },
        ObjectKind.Rule => this with { Rules = Rules.With(id, (Wire.SIPDispatchRuleInfo?)message) },
        _ => this with { Numbers = Numbers.With(id, (Wire.PhoneNumber?)message) },
    };

    /// <summary>Of a stock those that are not here yet, each once.</summary>
    public IReadOnlyList<Wire.PhoneNumber> Unknown(IReadOnlyList<Wire.PhoneNumber> numbers)
    {
        List<Wire.PhoneNumber> unknown = [];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (Wire.PhoneNumber number in numbers)
        {
            if (!Numbers.ContainsKey(number.Id) && seen.Add(number.Id))
            {
                unknown.Add(number);
            }
        }
        return unknown;
    }

    /// <summary>The policy's own values; what cannot be read in an addition is left out (the stores refuse it before).</summary>
    public PolicyObjects ToPolicy(Compat compat, string[] interconnect, IReadOnlyDictionary<string, NetAddress[]> resolved)
    {
        var texts = new ByteArena();
        List<Trunk> trunks = new(Inbound.Count);
        foreach (Wire.SIPInboundTrunkInfo info in Inbound.Values)
        {
            trunks.Add(ObjectConversion.ToTrunk(info, Read(info.SipTrunkId, ExtrasJson.ReadTrunk, TrunkExtras.None), texts));
        }
        List<DispatchRule> rules = new(Rules.Count);
        foreach (Wire.SIPDispatchRuleInfo info in Rules.Values)
        {
            rules.Add(ObjectConversion.ToRule(info, Read(info.SipDispatchRuleId, ExtrasJson.ReadRule, RuleExtras.None)));
        }
        InventoryNumbers numbers = Numbers.Derived(static all => new InventoryNumbers(all));
        return new PolicyObjects { Trunks = trunks, Rules = rules, Numbers = numbers, Stock = numbers.Stock, Compat = compat, InterconnectAddresses = interconnect, ResolvedHosts = resolved };
    }

    private T Read<T>(string id, Func<JsonElement, List<string>, T> read, T none)
    {
        if (!Extras.TryGetValue(id, out string? json))
        {
            return none;
        }
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object ? read(document.RootElement, []) : none;
        }
        catch (JsonException)
        {
            return none;
        }
    }
}
