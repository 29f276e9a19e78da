using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.Json;
using Proxy.Core.Time;
using Proxy.Policy.Caps;
using Proxy.Policy.Deferred;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Explaining;
using Proxy.Policy.Trunks;
using Xunit;

namespace Proxy.Policy.Tests.Deferred;

public sealed class DeferringPolicyTests
{
    private static readonly PolicySettings s_settings = new() { Secret = Given.Secret };
    private static readonly PolicyObjects s_objects = new()
    {
        Trunks = [Given.Trunk("ST_1", "+15550200") with { Name = "carrier" }],
        Rules = [Given.Direct("SDR_1", "lobby") with { TrunkIds = ["ST_1"], Attributes = [KeyValuePair.Create("team", "a")] }],
    };

    private readonly FixedStore _store = new(PolicySnapshot.Build(s_objects, 1));

    private DeferringPolicy Policy(bool asksAll = false, bool refuses = false, bool refreshes = false, bool hooks = true) => new(
        new RulePolicy(_store, s_settings),
        new DeferralTerms
        {
            RefreshPatience = refreshes ? TimeSpan.FromMilliseconds(300) : TimeSpan.Zero,
            Hook = hooks ? new HookTerms { AsksAboutAll = asksAll, RefusesWithoutAnswer = refuses } : null,
        },
        s_settings);

    private static Verdict Ask(DeferringPolicy policy, in CallFacts facts, string json)
    {
        Verdict deferred = policy.Decide(facts, default, null);
        Assert.Equal((VerdictKind.Deferred, DeferralKind.Hook), (deferred.Kind, deferred.Deferral!.Kind));
        Assert.True(HookAnswer.TryRead(Encoding.UTF8.GetBytes(json), out HookAnswer answer, out string error), error);
        return policy.Resume(facts, deferred, new DeferredAnswer(true, "answered in 12 ms", answer), default, null);
    }

    [Fact]
    public void What_the_hook_says_is_laid_over_what_the_rules_say()
    {
        Verdict verdict = Ask(Policy(), Given.Call(), """
            {"verdict":"join","room":"vip","name":"Ann","attributes":{"team":"b","tier":"gold","sip.callID":"forged"},"agents":["greeter"],"ringing_timeout":20,"answer_mode":"at_once"}
            """);
        Assert.Equal((VerdictKind.Join, "vip", "sip_+15550100", "Ann", "SDR_1", "ST_1"), (verdict.Kind, verdict.Room, verdict.Identity, verdict.Name, verdict.RuleId, verdict.TrunkId));
        Assert.Equal(("b", "gold", "SCL_abcdefghijkl"), (verdict.Attribute("team"), verdict.Attribute("tier"), verdict.Attribute("sip.callID")));
        Assert.Equal(["greeter"], verdict.Agents);
        Assert.Equal("""{"agents":[{"agentName":"greeter"}]}""", verdict.RoomConfigJson);
        Assert.Equal((TimeSpan.FromSeconds(20), AnswerMode.AtOnce), (verdict.RingingTimeout, verdict.AnswerMode));
        Assert.Equal("hook answered in 12 ms: room vip", verdict.Note);
    }

    [Fact]
    public void The_hook_may_leave_a_call_to_the_rules_or_refuse_it()
    {
        Verdict local = Ask(Policy(), Given.Call(), """{"verdict":"local"}""");
        Assert.Equal(("lobby", "hook answered in 12 ms: as the rules say"), (local.Room, local.Note));
        Verdict refused = Ask(Policy(), Given.Call(), """{"verdict":"reject","status":603,"reason":"Decline","sentence":"account is closed"}""");
        Assert.Equal((VerdictKind.Reject, RefusalCode.HookRejected, 603, "Decline"), (refused.Kind, refused.Code, refused.SipStatus, refused.SipReason));
        Assert.Equal("the policy hook refuses: account is closed", refused.Sentence);
        Verdict usual = Ask(Policy(), Given.Call(), """{"verdict":"reject"}""");
        Assert.Equal((403, "Forbidden"), (usual.SipStatus, usual.SipReason));
    }

    [Fact]
    public void Without_an_answer_the_rules_decide_or_the_call_is_refused_as_the_configuration_says()
    {
        CallFacts call = Given.Call();
        DeferringPolicy lenient = Policy();
        Verdict local = lenient.Resume(call, lenient.Decide(call, default, null), DeferredAnswer.Failed("no answer in 500 ms"), default, null);
        Assert.Equal(("lobby", "hook no answer in 500 ms: local answer"), (local.Room, local.Note));
        DeferringPolicy strict = Policy(refuses: true);
        Verdict refused = strict.Resume(call, strict.Decide(call, default, null), DeferredAnswer.Failed("down: Connection refused"), default, null);
        Assert.Equal((VerdictKind.Reject, RefusalCode.BackendDown, 503), (refused.Kind, refused.Code, refused.SipStatus));
        Assert.Contains("down: Connection refused", refused.Sentence);
    }

    [Fact]
    public void Calls_that_no_rule_takes_are_the_hooks_only_where_it_asks_about_all()
    {
        CallFacts stranger = Given.Call(to: "+4999");
        Assert.Equal(VerdictKind.Reject, Policy().Decide(stranger, default, null).Kind);
        Verdict taken = Ask(Policy(asksAll: true), stranger, """{"verdict":"join","room":"found"}""");
        Assert.Equal(("found", "sip_+15550100", ""), (taken.Room, taken.Identity, taken.RuleId));
        Assert.Equal("+4999", taken.Attribute("sip.trunkPhoneNumber"));
        // A room is wanted where no rule names one.
        Verdict none = Ask(Policy(asksAll: true), stranger, """{"verdict":"join"}""");
        Assert.Equal((RefusalCode.NoTrunk, "hook answered in 12 ms, but with no room: local answer"), (none.Code, none.Note));
    }

    [Fact]
    public void Whoever_fails_at_the_digest_or_at_a_cap_never_reaches_the_hook()
    {
        _store.Current = PolicySnapshot.Build(s_objects with { Trunks = [Given.Trunk("ST_1", "+15550200") with { AuthUsername = "u", AuthPassword = "p" }] }, 1);
        Assert.Equal(VerdictKind.Challenge, Policy(asksAll: true).Decide(Given.Call(), default, null).Kind);
        Assert.Equal(RefusalCode.BadCredentials, Policy(asksAll: true).Decide(Given.Call() with { AssumedUser = "v" }, default, null).Code);
        _store.Current = PolicySnapshot.Build(s_objects with { Trunks = [Given.Trunk("ST_1", "+15550200") with { Extras = new TrunkExtras { MaxCalls = 1 } }] }, 1);
        var caps = new CallCaps();
        caps.Take([new CapClaim(CapScope.Trunk, "ST_1", 1, 0)], default);
        Assert.Equal(RefusalCode.TrunkCap, Policy(asksAll: true).Decide(Given.Call(), caps.At(MonoTime.FromMillis(1)), null).Code);
    }

    [Fact]
    public void A_cap_that_filled_up_during_the_wait_refuses_whatever_the_hook_says()
    {
        _store.Current = PolicySnapshot.Build(s_objects with { Trunks = [Given.Trunk("ST_1", "+15550200") with { Extras = new TrunkExtras { MaxCalls = 1 } }] }, 1);
        DeferringPolicy policy = Policy(asksAll: true);
        CallFacts call = Given.Call();
        var caps = new CallCaps();
        Verdict deferred = policy.Decide(call, caps.At(default), null);
        caps.Take([new CapClaim(CapScope.Trunk, "ST_1", 1, 0)], default);
        var join = new DeferredAnswer(true, "answered in 1 ms", new HookAnswer { Kind = HookVerdict.Join, Room = "vip" });
        Assert.Equal(RefusalCode.TrunkCap, policy.Resume(call, deferred, join, caps.At(MonoTime.FromMillis(1)), null).Code);
    }

    [Fact]
    public void A_refused_call_waits_for_Redis_and_then_for_the_hook()
    {
        DeferringPolicy policy = Policy(refreshes: true);
        CallFacts call = Given.Call(to: "+15550300");
        Verdict first = policy.Decide(call, default, null);
        Assert.Equal((VerdictKind.Deferred, DeferralKind.Refresh, RefusalCode.NoTrunk), (first.Kind, first.Deferral!.Kind, first.Deferral.Local.Code));
        _store.Current = PolicySnapshot.Build(s_objects with { Trunks = [Given.Trunk("ST_1", "+15550200", "+15550300")] }, 2);
        Verdict second = policy.Resume(call, first, new DeferredAnswer(true, "read again in 8 ms"), default, null);
        Assert.Equal((VerdictKind.Deferred, DeferralKind.Hook), (second.Kind, second.Deferral!.Kind));
        Verdict last = policy.Resume(call, second, DeferredAnswer.Failed("left alone, it failed too often"), default, null);
        Assert.Equal(("lobby", 2L), (last.Room, last.PolicyVersion));
        Assert.Equal("policy read again in 8 ms; hook left alone, it failed too often: local answer", last.Note);
        Assert.Equal(DeferralKind.Hook, policy.Decide(Given.Call(), default, null).Deferral!.Kind);
    }

    [Fact]
    public void What_no_reading_would_change_does_not_wait_for_one()
    {
        _store.Current = PolicySnapshot.Build(s_objects with { Trunks = [Given.Trunk("ST_1", "+15550200") with { Extras = new TrunkExtras { MaxCalls = 1 } }] }, 1);
        var caps = new CallCaps();
        caps.Take([new CapClaim(CapScope.Trunk, "ST_1", 1, 0)], default);
        DeferringPolicy policy = Policy(refreshes: true, hooks: false);
        Assert.Equal(VerdictKind.Reject, policy.Decide(Given.Call(), caps.At(MonoTime.FromMillis(1)), null).Kind);
        Assert.Equal(VerdictKind.Join, policy.Decide(Given.Call(), default, null).Kind);
        Verdict again = policy.Resume(Given.Call(to: "+9"), policy.Decide(Given.Call(to: "+9"), default, null), new DeferredAnswer(true, "read again in 1 ms"), default, null);
        Assert.Equal(RefusalCode.NoTrunk, again.Code);
    }

    [Fact]
    public void The_hooks_join_replaces_a_PIN()
    {
        _store.Current = PolicySnapshot.Build(s_objects with { Rules = [Given.Direct("SDR_1", "lobby") with { Pin = "12" }] }, 1);
        Assert.Equal(VerdictKind.AskPin, Ask(Policy(), Given.Call(), """{"verdict":"local"}""").Kind);
        Verdict joined = Ask(Policy(), Given.Call(), """{"verdict":"join","room":"vip"}""");
        Assert.Equal((VerdictKind.Join, "vip", 0), (joined.Kind, joined.Room, joined.PinAttemptsLeft));
    }

    [Theory]
    [InlineData("{\"verdict\":\"local\"}", VerdictKind.Join, "lobby")]
    [InlineData("{\"verdict\":\"join\",\"room\":\"vip\"}", VerdictKind.Join, "vip")]
    [InlineData("{\"verdict\":\"reject\"}", VerdictKind.Reject, "")]
    public void After_the_right_PIN_the_hook_has_the_last_word_about_the_room(string json, VerdictKind kind, string room)
    {
        _store.Current = PolicySnapshot.Build(s_objects with { Rules = [Given.Direct("SDR_1", "lobby") with { Pin = "12" }] }, 1);
        DeferringPolicy policy = Policy();
        Verdict asked = Ask(policy, Given.Call(), "{\"verdict\":\"local\"}");
        Assert.Equal(VerdictKind.AskPin, policy.DecidePin(Given.Call(), asked, "99", default, null).Kind);
        Verdict right = policy.DecidePin(Given.Call(), asked, "12", default, null);
        Assert.Equal((VerdictKind.Deferred, true, "lobby"), (right.Kind, right.Deferral!.IsPinPassed, right.Deferral.Local.Room));
        Assert.True(HookAnswer.TryRead(Encoding.UTF8.GetBytes(json), out HookAnswer answer, out _));
        Verdict last = policy.Resume(Given.Call(), right, new DeferredAnswer(true, "answered in 3 ms", answer), default, null);
        Assert.Equal((kind, room), (last.Kind, last.Room));
        Assert.Equal("lobby", policy.Resume(Given.Call(), right, DeferredAnswer.Failed("down"), default, null).Room);
        Assert.Equal(VerdictKind.Join, Policy(hooks: false).DecidePin(Given.Call(), asked, "12", default, null).Kind);
    }

    [Fact]
    public void The_question_holds_what_the_INVITE_said_and_what_the_rules_say_but_no_credentials()
    {
        CallFacts call = Given.Call() with { Headers = [new FactHeader("X-Tenant", "acme"), new FactHeader("Proxy-Authorization", "Digest response=secret"), new FactHeader("authorization", "secret")] };
        Deferral deferral = Policy().Decide(call, default, null).Deferral!;
        string text = Encoding.UTF8.GetString(HookQuestion.Write(call, deferral, isExplain: false));
        Assert.DoesNotContain("secret", text);
        JsonElement root = JsonDocument.Parse(text).RootElement;
        Assert.Equal(("+15550100", "+15550200", "192.0.2.1:5060"), (Text(root, "call", "from"), Text(root, "call", "to"), Text(root, "call", "source")));
        Assert.Equal(("join", "lobby", "SDR_1"), (Text(root, "local", "verdict"), Text(root, "local", "room"), Text(root, "local", "rule_id")));
        Assert.Equal("X-Tenant", root.GetProperty("call").GetProperty("headers")[0][0].GetString());
        Assert.Equal(["invite", "pin", "refer"], [Stage(call, deferral), Stage(call, deferral with { IsPinPassed = true }), Stage(call with { Method = "REFER" }, deferral)]);
        static string Stage(in CallFacts facts, Deferral deferral) => JsonDocument.Parse(HookQuestion.Write(facts, deferral, isExplain: false)).RootElement.GetProperty("stage").GetString()!;
        static string? Text(JsonElement at, string part, string key) => at.GetProperty(part).GetProperty(key).GetString();
    }

    [Theory]
    [InlineData("", "no JSON")]
    [InlineData("<html>", "no JSON")]
    [InlineData("[]", "no JSON object")]
    [InlineData("{}", "'verdict'")]
    [InlineData("""{"verdict":"maybe"}""", "'verdict'")]
    [InlineData("""{"verdict":"join","room":7}""", "'room'")]
    [InlineData("{\"verdict\":\"join\",\"room\":\"a\\r\\nb\"}", "'room'")]
    [InlineData("{\"verdict\":\"join\",\"room\":\"\\ud800\"}", "no JSON")]
    [InlineData("""{"verdict":"reject","status":200}""", "'status'")]
    [InlineData("""{"verdict":"reject","reason":"Gone\r\nX: y"}""", "'reason'")]
    [InlineData("""{"verdict":"join","attributes":["a"]}""", "'attributes'")]
    [InlineData("""{"verdict":"join","answer_mode":"never"}""", "'answer_mode'")]
    [InlineData("""{"verdict":"join","ringing_timeout":1e99}""", "'ringing_timeout'")]
    public void An_answer_that_means_nothing_is_named(string json, string named)
    {
        Assert.False(HookAnswer.TryRead(Encoding.UTF8.GetBytes(json), out _, out string error));
        Assert.Contains(named, error);
    }

    [Fact]
    public void Hostile_depth_and_length_are_no_answer()
    {
        Assert.False(HookAnswer.TryRead(Encoding.UTF8.GetBytes(new string('[', 10_000)), out _, out _));
        Assert.False(HookAnswer.TryRead(Encoding.UTF8.GetBytes($"{{\"verdict\":\"join\",\"room\":\"{new string('r', 5_000)}\"}}"), out _, out _));
        string many = string.Join(",", Enumerable.Range(0, 100).Select(i => $"\"k{i}\":\"v\""));
        Assert.False(HookAnswer.TryRead(Encoding.UTF8.GetBytes($"{{\"verdict\":\"join\",\"attributes\":{{{many}}}}}"), out _, out _));
    }

    [Fact]
    public void Explain_says_who_would_be_asked_and_what_came_of_it()
    {
        var trace = new DecisionTrace();
        Verdict deferred = Policy().Decide(Given.Call(), default, trace);
        string text = ExplainText.Write(Given.Call(), deferred, trace);
        Assert.Contains("the policy hook would be asked, for at most 500 ms; without an answer:\njoins room lobby", text);
        Verdict decided = Ask(Policy(), Given.Call(), """{"verdict":"join","room":"vip"}""");
        Assert.Contains("  hook answered in 12 ms: room vip\njoins room vip", ExplainText.Write(Given.Call(), decided, trace));
    }
}
