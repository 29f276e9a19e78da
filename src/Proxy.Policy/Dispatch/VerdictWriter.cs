using System;
using System.Collections.Generic;
using Proxy.Policy.Caps;
using Proxy.Policy.Numbers;
using Proxy.Policy.Trunks;

namespace Proxy.Policy.Dispatch;

/// <summary>One decision. Writes the verdict of a call that a rule takes.</summary>
internal static class VerdictWriter
{
    public static Verdict Write(in CallLook look, CompiledTrunk? compiled, DispatchRule rule, int number, byte[] secret)
    {
        Trunk? trunk = compiled?.Trunk;
        string called = look.CalledUser(compiled);
        CallerName caller = CallerName.For(look.CallerUser(compiled), rule, look.Snapshot.Compat, secret);
        string called2 = called.Length == 0 ? CallerName.Anonymous : called;
        return new Verdict
        {
            Kind = VerdictKind.Join,
            TrunkId = trunk?.Id ?? "",
            TrunkName = trunk?.Name ?? "",
            Sources = compiled?.Addresses,
            Login = compiled is { HasAuth: true } ? new TrunkLogin(compiled.Trunk.AuthUsername, compiled.Trunk.AuthPassword) : null,
            RuleId = rule.Id,
            RuleName = rule.Name,
            PhoneNumberId = number < 0 ? "" : look.Snapshot.Inventory.Id(number),
            Room = RoomName.For(rule, caller.RoomPart, called2, look.Facts.CallId, secret),
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
            Caps = Claims(look, compiled, rule),
        };
    }

    /// <summary>The same verdict as a question: who is asked, how often, and with which media.</summary>
    public static Verdict AskPin(Verdict verdict, DispatchRule rule) => verdict with
    {
        Kind = VerdictKind.AskPin,
        Room = "",
        Pin = rule.Extras.Pin,
        PinAttemptsLeft = rule.Extras.Pin.Attempts,
        Sentence = $"rule {rule.Id} asks for a PIN",
    };

    /// <returns>The first claim that one more call would break, or null.</returns>
    public static CapClaim? BrokenCap(CapClaim[] claims, in CapsView limits)
    {
        foreach (CapClaim claim in claims)
        {
            if (!limits.Allows(claim))
            {
                return claim;
            }
        }
        return null;
    }

    public static string CapSentence(in CapClaim claim)
    {
        string what = claim.Scope switch
        {
            CapScope.Trunk => "trunk " + claim.Id,
            CapScope.Rule => "rule " + claim.Id,
            CapScope.Number => "called number " + RulePolicy.Shown(claim.Id[(claim.Id.IndexOf('|') + 1)..]),
            _ => "caller " + RulePolicy.Shown(claim.Id[(claim.Id.IndexOf('|') + 1)..]),
        };
        return $"{what} has all the calls it may have ({claim.MaxCalls} at once, {claim.MaxPerSecond} a second; 0 is no limit)";
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

    private static CapClaim[] Claims(in CallLook look, CompiledTrunk? compiled, DispatchRule rule)
    {
        List<CapClaim> claims = [];
        if (compiled is not null)
        {
            TrunkExtras extras = compiled.Trunk.Extras;
            claims.Add(new CapClaim(CapScope.Trunk, compiled.Trunk.Id, extras.MaxCalls, extras.MaxCallsPerSecond));
            if (extras.MaxCallsPerNumber > 0)
            {
                claims.Add(new CapClaim(CapScope.Number, compiled.Trunk.Id + "|" + NumberText.Normalise(look.CalledUser(compiled)), extras.MaxCallsPerNumber, 0));
            }
            if (extras.MaxCallsPerCaller > 0)
            {
                claims.Add(new CapClaim(CapScope.Caller, compiled.Trunk.Id + "|" + NumberText.Normalise(look.CallerUser(compiled)), extras.MaxCallsPerCaller, 0));
            }
        }
        if (rule.Extras.MaxCalls > 0 || rule.Extras.MaxCallsPerSecond > 0)
        {
            claims.Add(new CapClaim(CapScope.Rule, rule.Id, rule.Extras.MaxCalls, rule.Extras.MaxCallsPerSecond));
        }
        return [.. claims];
    }
}
