using System;
using System.Collections.Generic;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Dispatch;

/// <summary>One decision. Writes the verdict of a call that a rule takes.</summary>
internal static class VerdictWriter
{
    /// <param name="isPinAnswered">The PIN was keyed: a rule that has one lets the caller in.</param>
    public static Verdict Write(in CallLook look, in Decision decision, CompiledTrunk? compiled, DispatchRule rule, byte[] secret, bool isPinAnswered = false)
    {
        bool asks = rule.Pin.Length > 0 && !isPinAnswered;
        Trunk? trunk = compiled?.Trunk;
        string called = look.CalledUser(compiled);
        CallerName caller = CallerName.For(look.CallerUser(compiled), rule, look.Snapshot.Compat, secret);
        string called2 = called.Length == 0 ? CallerName.Anonymous : called;
        return new Verdict
        {
            Kind = asks ? VerdictKind.AskPin : VerdictKind.Join,
            PolicyVersion = look.Snapshot.Version,
            IsListedSource = decision.IsListed,
            MayTellWhy = decision.IsListed,
            Compat = decision.Trunk.Compat,
            Sentence = asks ? $"rule {rule.Id} asks for a PIN" : "",
            Pin = asks ? rule.Extras.Pin : null,
            PinAttemptsLeft = asks ? rule.Extras.Pin.Attempts : 0,
            TrunkId = trunk?.Id ?? "",
            TrunkName = trunk?.Name ?? "",
            Sources = compiled?.Addresses,
            Login = compiled is { HasAuth: true } ? new TrunkLogin(compiled.Trunk.AuthUsername, compiled.Trunk.AuthPassword) : null,
            RuleId = rule.Id,
            RuleName = rule.Name,
            PhoneNumberId = decision.Number < 0 ? "" : look.Snapshot.Inventory.Id(decision.Number),
            Room = asks ? "" : RoomName.For(rule, caller.RoomPart, called2, look.Facts.CallId, secret),
            Identity = caller.Identity,
            Name = caller.Name,
            Metadata = rule.Metadata,
            Attributes = Attributes(look, trunk, rule, caller, called),
            Headers = trunk?.Headers ?? [],
            HeadersToAttributes = trunk?.HeadersToAttributes ?? [],
            AttributesToHeaders = trunk?.AttributesToHeaders ?? [],
            IncludeHeaders = trunk?.IncludeHeaders ?? IncludeHeaders.None,
            RoomConfigJson = rule.RoomConfigJson,
            RoomPreset = rule.RoomPreset,
            Agents = rule.Agents,
            DispatchAgentsAlways = rule.Extras.DispatchAgentsAlways,
            WhenAlone = rule.Extras.WhenAlone,
            AloneFor = rule.Extras.AloneFor,
            RingingTimeout = trunk?.RingingTimeout ?? TimeSpan.Zero,
            MaxCallDuration = trunk?.MaxCallDuration ?? TimeSpan.Zero,
            Media = MergeMedia(trunk, rule),
            AnswerMode = rule.Extras.AnswerMode,
            FallbackRoom = rule.Extras.FallbackRoom,
            HidesNumber = rule.HidePhoneNumber,
            Caps = CallClaims.All(look, compiled, rule),
        };
    }

    private static KeyValuePair<string, string>[] Attributes(in CallLook look, Trunk? trunk, DispatchRule rule, in CallerName caller, string called)
    {
        ref readonly CallFacts facts = ref look.Facts;
        var attributes = new CallAttributes();
        attributes.SetAll(rule.Attributes);
        if (trunk is not null)
        {
            attributes.SetHeaders(facts, trunk.IncludeHeaders, rule.HidePhoneNumber);
            attributes.SetMapped(facts, trunk.HeadersToAttributes);
        }
        attributes.Set("sip.callID", facts.CallId);
        attributes.Set("sip.callIDFull", facts.SipCallId);
        attributes.Set("sip.callTag", facts.FromTag);
        attributes.Set("sip.trunkID", trunk?.Id ?? "");
        attributes.Set("sip.ruleID", rule.Id);
        if (!rule.HidePhoneNumber)
        {
            attributes.Set("sip.phoneNumber", caller.User);
            attributes.Set("sip.hostname", facts.FromHost);
            attributes.Set("sip.trunkPhoneNumber", called);
        }
        attributes.SetProvider(facts);
        return attributes.ToArray();
    }

    /// <summary>A rule may ask for more encryption than its trunk, never for less; its codecs replace the trunk's where it lists any.</summary>
    private static MediaPolicy MergeMedia(Trunk? trunk, DispatchRule rule)
    {
        if (rule.Media is null && rule.MediaEncryption == MediaEncryption.Disable && rule.Extras.Passthrough == Passthrough.Auto
            && (trunk is null || (trunk.MediaEncryption == MediaEncryption.Disable && trunk.Extras.Passthrough == Passthrough.Auto)))
        {
            return trunk?.Media ?? MediaPolicy.Default;
        }
        MediaPolicy outer = trunk?.Media ?? MediaPolicy.Default;
        MediaPolicy inner = rule.Media ?? MediaPolicy.Default;
        MediaEncryption? trunkWish = outer.Encryption ?? Legacy(trunk?.MediaEncryption ?? MediaEncryption.Disable);
        MediaEncryption? ruleWish = inner.Encryption ?? Legacy(rule.MediaEncryption);
        bool hasCodecs = inner.Codecs.Length > 0;
        Passthrough own = rule.Extras.Passthrough;
        return new MediaPolicy
        {
            Codecs = hasCodecs ? inner.Codecs : outer.Codecs,
            OnlyListedCodecs = hasCodecs ? inner.OnlyListedCodecs : outer.OnlyListedCodecs,
            Encryption = ruleWish is null or MediaEncryption.Disable ? trunkWish ?? ruleWish : ruleWish,
            MediaTimeout = inner.MediaTimeout ?? outer.MediaTimeout,
            Passthrough = own != Passthrough.Auto ? own : trunk?.Extras.Passthrough ?? Passthrough.Auto,
        };
    }

    private static MediaEncryption? Legacy(MediaEncryption wish) => wish == MediaEncryption.Disable ? null : wish;
}
