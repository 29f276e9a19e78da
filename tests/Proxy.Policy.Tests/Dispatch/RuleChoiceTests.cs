using System.Collections.Generic;
using System.Linq;
using Proxy.Policy.Caps;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;
using Xunit;

namespace Proxy.Policy.Tests.Dispatch;

public sealed class RuleChoiceTests
{
    private static readonly Trunk s_trunk = Given.Trunk("ST_1", "+15550200");

    private static Verdict Decide(params DispatchRule[] rules) => new PolicyObjects { Trunks = [s_trunk], Rules = rules }.Decide(Given.Call());

    [Fact]
    public void A_rule_for_the_trunk_goes_before_one_for_any()
    {
        Assert.Equal("SDR_b", Decide(Given.Direct("SDR_a", "a"), Given.Callee("SDR_b", "b") with { TrunkIds = ["ST_1"] }).RuleId);
        Assert.Equal("SDR_a", Decide(Given.Direct("SDR_a", "a"), Given.Callee("SDR_b", "b") with { TrunkIds = ["ST_2"] }).RuleId);
    }

    [Fact]
    public void Direct_goes_before_individual_before_callee_and_then_by_room()
    {
        Assert.Equal("SDR_d", Decide(Given.Callee("SDR_c", ""), Given.Individual("SDR_i", ""), Given.Direct("SDR_d", "z")).RuleId);
        Assert.Equal("SDR_i", Decide(Given.Callee("SDR_c", ""), Given.Individual("SDR_i", "")).RuleId);
        Assert.Equal("SDR_z", Decide(Given.Direct("SDR_a", "b"), Given.Direct("SDR_z", "a")).RuleId);
    }

    [Fact]
    public void A_rule_that_names_the_numbers_goes_before_a_PIN_rule_for_everybody()
    {
        DispatchRule named = Given.Callee("SDR_n", "") with { Numbers = ["1 555 0200"] };
        DispatchRule pin = Given.Direct("SDR_p", "p") with { Pin = "1234" };
        Assert.Equal("SDR_n", Decide(pin, named).RuleId);
    }

    [Fact]
    public void Rule_numbers_are_compared_normalised()
    {
        Assert.Equal(VerdictKind.Join, Decide(Given.Direct("SDR_1", "a") with { Numbers = ["(1) 555-0200"], InboundNumbers = ["1 555 0100"] }).Kind);
        Assert.Equal(RefusalCode.NoRule, Decide(Given.Direct("SDR_1", "a") with { InboundNumbers = ["+15550101"] }).Code);
    }

    [Fact]
    public void A_rule_with_more_callers_than_are_posted_still_finds_each()
    {
        string[] callers = [.. Enumerable.Range(0, 100).Select(i => $"+1555{i:0000}")];
        DispatchRule rule = Given.Direct("SDR_1", "a") with { InboundNumbers = callers };
        var objects = new PolicyObjects { Trunks = [s_trunk], Rules = [rule] };
        Assert.All(callers, caller => Assert.Equal(VerdictKind.Join, objects.Decide(Given.Call(from: caller)).Kind));
        Assert.Equal(RefusalCode.NoRule, objects.Decide(Given.Call(from: "+15559999")).Code);
    }

    [Fact]
    public void No_rule_is_404_and_says_what_was_looked_for()
    {
        Verdict verdict = Decide();
        Assert.Equal((RefusalCode.NoRule, 404, "Not Found"), (verdict.Code, verdict.SipStatus, verdict.SipReason));
        Assert.Equal("no dispatch rule takes a call from +15550100 to +15550200 on trunk ST_1", verdict.Sentence);
    }

    [Fact]
    public void Rooms_are_named_as_LiveKit_names_them()
    {
        Assert.Equal("lobby", Decide(Given.Direct("SDR_1", "lobby")).Room);
        Assert.Matches("^call-_\\+15550100_[a-zA-Z0-9]{12}$", Decide(Given.Individual("SDR_1", "call-")).Room);
        Assert.Matches("^\\+15550100_[a-zA-Z0-9]{12}$", Decide(Given.Individual("SDR_1", "")).Room);
        Assert.Equal("call_+15550100", Decide(Given.Individual("SDR_1", "call") with { NoRandomness = true }).Room);
        Assert.Equal("n_+15550200", Decide(Given.Callee("SDR_1", "n")).Room);
        Assert.Matches("^n_\\+15550200_[a-zA-Z0-9]{12}$", Decide(Given.Callee("SDR_1", "n") with { Randomize = true }).Room);
    }

    [Fact]
    public void The_random_part_depends_on_the_call_and_repeats_for_the_same_call()
    {
        var objects = new PolicyObjects { Trunks = [s_trunk], Rules = [Given.Individual("SDR_1", "")] };
        Assert.Equal(objects.Decide(Given.Call()).Room, objects.Decide(Given.Call()).Room);
        Assert.NotEqual(objects.Decide(Given.Call()).Room, objects.Decide(Given.Call() with { CallId = "SCL_zzzzzzzzzzzz" }).Room);
    }

    [Fact]
    public void Participant_is_named_after_the_caller_with_LiveKits_attributes()
    {
        Verdict verdict = Decide(Given.Direct("SDR_1", "lobby") with { Metadata = "m", Attributes = [KeyValuePair.Create("tier", "gold"), KeyValuePair.Create("sip.callID", "spoofed")] });
        Assert.Equal(("sip_+15550100", "Phone +15550100", "m"), (verdict.Identity, verdict.Name, verdict.Metadata));
        Assert.Equal("gold", verdict.Attribute("tier"));
        Assert.Equal("SCL_abcdefghijkl", verdict.Attribute("sip.callID"));
        Assert.Equal("call-1@carrier.example", verdict.Attribute("sip.callIDFull"));
        Assert.Equal("tag1", verdict.Attribute("sip.callTag"));
        Assert.Equal("ST_1", verdict.Attribute("sip.trunkID"));
        Assert.Equal("SDR_1", verdict.Attribute("sip.ruleID"));
        Assert.Equal("+15550100", verdict.Attribute("sip.phoneNumber"));
        Assert.Equal("+15550200", verdict.Attribute("sip.trunkPhoneNumber"));
        Assert.Equal("carrier.example", verdict.Attribute("sip.hostname"));
    }

    [Fact]
    public void A_hidden_caller_shows_neither_number_nor_headers_that_hold_it()
    {
        Trunk trunk = s_trunk with { IncludeHeaders = IncludeHeaders.All };
        DispatchRule rule = Given.Individual("SDR_1", "call") with { HidePhoneNumber = true };
        FactHeader[] headers = [new("From", "<sip:+15550100@x>"), new("P-Asserted-Identity", "<sip:+15550100@x>"), new("X-Id", "7")];
        var objects = new PolicyObjects { Trunks = [trunk], Rules = [rule] };
        Verdict verdict = objects.Decide(Given.Call() with { Headers = headers });
        Assert.Equal("Phone 0100", verdict.Name);
        Assert.Matches("^sip_[0-9a-f]{16}$", verdict.Identity);
        Assert.Matches("^call_0100_[a-zA-Z0-9]{12}$", verdict.Room);
        Assert.Equal("7", verdict.Attribute("sip.h.x-id"));
        Assert.DoesNotContain(verdict.Attributes, pair => pair.Value.Contains("15550100"));
        Assert.NotEqual(verdict.Identity, (objects with { Compat = Compat.LiveKit }).Decide(Given.Call()).Identity);
    }

    [Fact]
    public void Under_livekit_a_hidden_caller_has_LiveKits_own_pseudonym()
    {
        var objects = new PolicyObjects { Trunks = [s_trunk], Rules = [Given.Direct("SDR_1", "a") with { HidePhoneNumber = true }], Compat = Compat.LiveKit };
        string hash = System.Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("+15550100"u8))[..16];
        Assert.Equal("sip_" + hash, objects.Decide(Given.Call()).Identity);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\r\nb")]
    [InlineData("\0")]
    public void An_empty_or_odd_caller_is_anonymous_and_hurts_nobody(string from)
    {
        foreach (bool hides in new[] { false, true })
        {
            DispatchRule rule = Given.Individual("SDR_1", "") with { HidePhoneNumber = hides };
            Verdict verdict = new PolicyObjects { Trunks = [s_trunk], Rules = [rule] }.Decide(Given.Call(from: from));
            Assert.Equal("Phone anonymous", verdict.Name);
            Assert.StartsWith("anonymous_", verdict.Room);
        }
    }

    [Fact]
    public void Headers_become_attributes_by_map_by_prefix_and_by_provider()
    {
        Trunk trunk = s_trunk with
        {
            IncludeHeaders = IncludeHeaders.XHeaders,
            HeadersToAttributes = [KeyValuePair.Create("user-agent", "ua"), KeyValuePair.Create("X-Multi", "first")],
        };
        FactHeader[] headers =
        [
            new("User-Agent", "Twilio Gateway"), new("X-Multi", "1"), new("x-multi", "2"), new("X-Twilio-CallSid", "CA1"), new("Proxy-Authorization", "Digest"),
        ];
        Verdict verdict = new PolicyObjects { Trunks = [trunk], Rules = [Given.Direct("SDR_1", "a")] }.Decide(Given.Call() with { Headers = headers });
        Assert.Equal("Twilio Gateway", verdict.Attribute("ua"));
        Assert.Equal("1", verdict.Attribute("first"));
        Assert.Equal("2", verdict.Attribute("sip.h.x-multi"));
        Assert.Equal("CA1", verdict.Attribute("sip.twilio.callSid"));
        Assert.Null(verdict.Attribute("sip.h.user-agent"));
    }

    [Fact]
    public void The_right_PIN_joins_the_wrong_one_asks_again_and_then_refuses()
    {
        DispatchRule pin = Given.Direct("SDR_p", "secret") with { Pin = "1234" };
        DispatchRule open = Given.Direct("SDR_o", "open");
        RulePolicy policy = Given.Policy(new PolicyObjects { Trunks = [s_trunk], Rules = [pin, open] });
        CallFacts facts = Given.Call();
        Verdict asked = policy.Decide(facts, default, null);
        Assert.Equal((VerdictKind.AskPin, 3, ""), (asked.Kind, asked.PinAttemptsLeft, asked.Room));
        Assert.Equal("secret", policy.DecidePin(facts, asked, "1234", default, null).Room);
        Assert.Equal("open", policy.DecidePin(facts, asked, "", default, null).Room);
        Verdict again = policy.DecidePin(facts, asked, "9999", default, null);
        again = policy.DecidePin(facts, again, "9998", default, null);
        Assert.Equal((VerdictKind.AskPin, 1), (again.Kind, again.PinAttemptsLeft));
        Assert.Equal(RefusalCode.WrongPin, policy.DecidePin(facts, again, "9997", default, null).Code);
    }

    [Fact]
    public void Ten_wrong_PINs_lock_the_caller_for_that_rule_only()
    {
        DispatchRule pin = Given.Direct("SDR_p", "secret") with { Pin = "1234" };
        RulePolicy policy = Given.Policy(new PolicyObjects { Trunks = [s_trunk], Rules = [pin] });
        CapsView caps = new CallCaps().At(default);
        CallFacts facts = Given.Call();
        Verdict asked = policy.Decide(facts, caps, null);
        for (int i = 0; i < 10; i++)
        {
            policy.DecidePin(facts, asked, "0000", caps, null);
        }
        Assert.Equal(RefusalCode.PinLockedOut, policy.Decide(facts, caps, null).Code);
        Assert.Equal(VerdictKind.AskPin, policy.Decide(Given.Call(from: "+15550101"), caps, null).Kind);
        Assert.Equal(VerdictKind.AskPin, policy.Decide(facts with { Utc = Given.Noon.AddMinutes(16) }, caps, null).Kind);
    }

    [Fact]
    public void A_locked_caller_cannot_get_out_by_writing_its_number_in_another_way()
    {
        DispatchRule pin = Given.Direct("SDR_p", "secret") with { Pin = "1234" };
        var settings = new PolicySettings { Secret = Given.Secret, Limits = new Proxy.Core.Limits { PinWrongMost = 2, PinCallersRemembered = 2 } };
        var policy = new RulePolicy(new FixedStore(PolicySnapshot.Build(new PolicyObjects { Trunks = [s_trunk], Rules = [pin] }, 1)), settings);
        CapsView caps = new CallCaps().At(default);
        void Wrong(string from) => policy.DecidePin(Given.Call(from: from), policy.Decide(Given.Call(from: from), caps, null), "0000", caps, null);
        Wrong("+1 555-0100");
        Wrong("15550100");
        Assert.Equal(RefusalCode.PinLockedOut, policy.Decide(Given.Call(from: "+15550100"), caps, null).Code);
        Wrong("+15550101");
        Wrong("+15550102");
        Assert.Equal(VerdictKind.AskPin, policy.Decide(Given.Call(from: "+15550100"), caps, null).Kind);
    }

    [Fact]
    public void A_PIN_that_chooses_another_rule_obeys_that_rules_cap()
    {
        DispatchRule first = Given.Direct("SDR_1", "a") with { Pin = "11", Extras = new RuleExtras { MaxCalls = 1 } };
        DispatchRule second = Given.Direct("SDR_2", "b") with { Pin = "22", Extras = new RuleExtras { MaxCalls = 1 } };
        RulePolicy policy = Given.Policy(new PolicyObjects { Trunks = [s_trunk], Rules = [first, second] });
        var caps = new CallCaps();
        Verdict asked = policy.Decide(Given.Call(), caps.At(default), null);
        caps.Take(asked.Caps, default);
        Assert.Equal("a", policy.DecidePin(Given.Call(), asked, "11", caps.At(default), null).Room);
        Verdict joined = policy.DecidePin(Given.Call(), asked, "22", caps.At(default), null);
        Assert.Equal("b", joined.Room);
        caps.Move(asked.Caps, joined.Caps, default);
        Assert.Equal(RefusalCode.RuleCap, policy.DecidePin(Given.Call(), asked, "22", caps.At(default), null).Code);
        caps.Release(joined.Caps, default);
        Assert.Equal(0, caps.Running(CapScope.Rule, "SDR_1") + caps.Running(CapScope.Rule, "SDR_2"));
    }
}
