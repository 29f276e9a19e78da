using System;
using System.Collections.Generic;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using Proxy.Core.Memory;
using Proxy.LiveKit.ProtoJson;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;
using Wire = Proxy.LiveKit.Protocol;

namespace Proxy.Server.Store;

/// <summary>Any thread. LiveKit's messages as the policy's own plain values.</summary>
internal static class ObjectConversion
{
    public static Trunk ToTrunk(Wire.SIPInboundTrunkInfo info, TrunkExtras extras, ByteArena texts) => new()
    {
        Id = info.SipTrunkId,
        Name = info.Name,
        Metadata = info.Metadata,
        Numbers = TextList.Of(info.Numbers, texts),
        AllowedAddresses = [.. info.AllowedAddresses],
        AllowedNumbers = TextList.Of(info.AllowedNumbers, texts),
        AuthUsername = info.AuthUsername,
        AuthPassword = info.AuthPassword,
        AuthRealm = info.AuthRealm,
        Headers = Pairs(info.Headers),
        HeadersToAttributes = Pairs(info.HeadersToAttributes),
        AttributesToHeaders = Pairs(info.AttributesToHeaders),
        IncludeHeaders = (IncludeHeaders)info.IncludeHeaders,
        RingingTimeout = Span(info.RingingTimeout) ?? TimeSpan.Zero,
        MaxCallDuration = Span(info.MaxCallDuration) ?? TimeSpan.Zero,
        KrispEnabled = info.KrispEnabled,
        MediaEncryption = (MediaEncryption)info.MediaEncryption,
        Media = ToMedia(info.Media),
        Extras = extras,
    };

    public static DispatchRule ToRule(Wire.SIPDispatchRuleInfo info, RuleExtras extras)
    {
        Wire.SIPDispatchRule rule = info.Rule ?? new Wire.SIPDispatchRule();
        (RuleKind kind, string room, string pin) = rule.RuleCase switch
        {
            Wire.SIPDispatchRule.RuleOneofCase.DispatchRuleIndividual =>
                (RuleKind.Individual, rule.DispatchRuleIndividual.RoomPrefix, rule.DispatchRuleIndividual.Pin),
            Wire.SIPDispatchRule.RuleOneofCase.DispatchRuleCallee =>
                (RuleKind.Callee, rule.DispatchRuleCallee.RoomPrefix, rule.DispatchRuleCallee.Pin),
            _ => (RuleKind.Direct, rule.DispatchRuleDirect?.RoomName ?? "", rule.DispatchRuleDirect?.Pin ?? ""),
        };
        return new DispatchRule
        {
            Id = info.SipDispatchRuleId,
            Name = info.Name,
            Metadata = info.Metadata,
            Kind = kind,
            Room = room,
            Pin = pin,
            NoRandomness = rule.DispatchRuleIndividual?.NoRandomness ?? false,
            Randomize = rule.DispatchRuleCallee?.Randomize ?? false,
            TrunkIds = [.. info.TrunkIds],
            Numbers = [.. info.Numbers],
            InboundNumbers = [.. info.InboundNumbers],
            HidePhoneNumber = info.HidePhoneNumber,
            Attributes = Pairs(info.Attributes),
            RoomPreset = info.RoomPreset,
            RoomConfigJson = info.RoomConfig is null ? "" : Encoding.UTF8.GetString(ProtoJson.Write(info.RoomConfig, ProtoJsonStyle.Camel)),
            Agents = Agents(info.RoomConfig),
            KrispEnabled = info.KrispEnabled,
            MediaEncryption = (MediaEncryption)info.MediaEncryption,
            Media = ToMedia(info.Media),
            Extras = extras,
        };
    }

    public static PhoneNumber ToNumber(Wire.PhoneNumber info)
    {
        string[] rules = info.SipDispatchRuleIds.Count > 0 ? [.. info.SipDispatchRuleIds]
            : info.SipDispatchRuleId.Length > 0 ? [info.SipDispatchRuleId] : [];
        bool isAssigned = info.Status is Wire.PhoneNumberStatus.Active or Wire.PhoneNumberStatus.Offline || rules.Length > 0;
        return new PhoneNumber
        {
            Id = info.Id,
            E164 = info.E164Format,
            CountryCode = info.CountryCode,
            AreaCode = info.AreaCode,
            Locality = info.Locality,
            Region = info.Region,
            NumberType = (int)info.NumberType,
            IsAssigned = isAssigned && info.Status != Wire.PhoneNumberStatus.Released,
            Status = !isAssigned ? (PhoneNumberStatus)info.Status : rules.Length > 0 ? PhoneNumberStatus.Active : PhoneNumberStatus.Offline,
            RuleIds = rules,
        };
    }

    private static MediaPolicy? ToMedia(Wire.SIPMediaConfig? media)
    {
        if (media is null)
        {
            return null;
        }
        var codecs = new CodecChoice[media.Codecs.Count];
        for (int i = 0; i < codecs.Length; i++)
        {
            codecs[i] = new CodecChoice(media.Codecs[i].Name, media.Codecs[i].Rate);
        }
        return new MediaPolicy
        {
            Codecs = codecs,
            OnlyListedCodecs = media.OnlyListedCodecs,
            Encryption = media.HasEncryption ? (MediaEncryption)media.Encryption : null,
            MediaTimeout = Span(media.MediaTimeout) is { Ticks: > 0 } timeout ? timeout : null,
        };
    }

    private static string[] Agents(Wire.RoomConfiguration? config)
    {
        if (config is null)
        {
            return [];
        }
        var names = new string[config.Agents.Count];
        for (int i = 0; i < names.Length; i++)
        {
            names[i] = config.Agents[i].AgentName;
        }
        return names;
    }

    /// <summary>Ordered by key: protobuf maps have no order, verdicts shall not change from run to run.</summary>
    private static KeyValuePair<string, string>[] Pairs(Google.Protobuf.Collections.MapField<string, string> map)
    {
        var pairs = new KeyValuePair<string, string>[map.Count];
        int at = 0;
        foreach (KeyValuePair<string, string> pair in map)
        {
            pairs[at++] = pair;
        }
        Array.Sort(pairs, (a, b) => string.CompareOrdinal(a.Key, b.Key));
        return pairs;
    }

    /// <summary>Null when unset; zero or less also means unset, as LiveKit reads it.</summary>
    private static TimeSpan? Span(Duration? duration)
    {
        if (duration is null || duration.Seconds < 0)
        {
            return null;
        }
        return duration.Seconds > 10L * 365 * 86_400 ? TimeSpan.FromDays(3650) : TimeSpan.FromTicks((duration.Seconds * TimeSpan.TicksPerSecond) + (duration.Nanos / 100));
    }
}
