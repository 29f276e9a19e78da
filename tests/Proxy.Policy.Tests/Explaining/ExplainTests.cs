using System.Text.Json;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Explaining;
using Xunit;

namespace Proxy.Policy.Tests.Explaining;

public sealed class ExplainTests
{
    private static readonly PolicyObjects s_objects = new()
    {
        Trunks =
        [
            Given.Trunk("ST_acme", "+15550200") with { Name = "Acme", AllowedAddresses = ["54.172.60.0/31"] },
            Given.Trunk("ST_beta", "+15550300"),
        ],
        Rules = [Given.Direct("SDR_lobby", "lobby") with { TrunkIds = ["ST_acme"] }],
    };

    [Fact]
    public void A_refusal_tells_every_step_the_near_misses_and_the_reply()
    {
        var trace = new DecisionTrace();
        CallFacts facts = Given.Call(source: "54.172.60.3");
        Verdict verdict = s_objects.Decide(facts, trace);
        Assert.Equal("""
            call from +15550100 to +15550200, by udp from 54.172.60.3:5060
              - trunk ST_acme "Acme": address 54.172.60.3 is not in allowed_addresses (address 54.172.60.3 is outside 54.172.60.0/31)
              - trunk ST_beta: called number +15550200 is not in numbers
              - rule SDR_lobby: it is for trunks ST_acme, and no trunk took the call (its trunk owns the number but did not take the call)
            refused: 403 Forbidden (source_not_allowed): address 54.172.60.3 is not in allowed_addresses of trunk ST_acme ("Acme"), which owns +15550200
            policy version 7

            """, ExplainText.Write(facts, verdict, trace));
    }

    [Fact]
    public void A_join_tells_room_identity_and_attributes()
    {
        var trace = new DecisionTrace();
        CallFacts facts = Given.Call(source: "54.172.60.1");
        string text = ExplainText.Write(facts, s_objects.Decide(facts, trace), trace);
        Assert.Contains("  + trunk ST_acme \"Acme\": holds\n", text);
        Assert.Contains("joins room lobby as sip_+15550100 \"Phone +15550100\"\n", text);
        Assert.Contains("  sip.ruleID = SDR_lobby\n", text);
    }

    [Fact]
    public void A_missing_plus_or_country_code_is_a_near_miss()
    {
        var trace = new DecisionTrace();
        s_objects.Decide(Given.Call(to: "05550300"), trace);
        Assert.Equal("would match +15550300 if the call said +15550300", trace.Steps[1].NearMiss);
    }

    [Fact]
    public void Without_a_source_addresses_are_not_checked_and_it_is_said()
    {
        var trace = new DecisionTrace();
        CallFacts facts = Given.Call(source: "");
        Verdict verdict = s_objects.Decide(facts, trace);
        Assert.Equal("lobby", verdict.Room);
        Assert.Contains("addresses not checked", ExplainText.Write(facts, verdict, trace));
        Assert.False(JsonDocument.Parse(ExplainJson.Write(facts, verdict, trace)).RootElement.GetProperty("addresses_checked").GetBoolean());
    }

    [Fact]
    public void Json_has_the_members_that_the_interface_names()
    {
        var trace = new DecisionTrace();
        CallFacts facts = Given.Call(source: "54.172.60.3");
        JsonElement json = JsonDocument.Parse(ExplainJson.Write(facts, s_objects.Decide(facts, trace), trace)).RootElement;
        Assert.Equal("reject", json.GetProperty("verdict").GetString());
        Assert.Equal(403, json.GetProperty("sip").GetProperty("status").GetInt32());
        Assert.Equal("source_not_allowed", json.GetProperty("code").GetString());
        Assert.Equal(3, json.GetProperty("steps").GetArrayLength());
        foreach (string name in new[] { "sentence", "trunk_id", "rule_id", "room", "identity", "attributes", "policy_version" })
        {
            Assert.True(json.TryGetProperty(name, out _), name);
        }
    }

    [Fact]
    public void Wire_text_cannot_write_lines_of_its_own()
    {
        var trace = new DecisionTrace();
        CallFacts facts = Given.Call(to: "x\r\nrefused: 200 OK");
        string text = ExplainText.Write(facts, s_objects.Decide(facts, trace), trace);
        Assert.DoesNotContain("\nrefused: 200", text);
    }

    [Fact]
    public void A_trace_of_a_call_that_is_taken_holds_only_what_took_part()
    {
        var trace = new DecisionTrace(TraceDepth.TookPart);
        s_objects.Decide(Given.Call(source: "54.172.60.1"), trace);
        Assert.Equal(2, trace.Steps.Count);
        trace = new DecisionTrace(TraceDepth.TookPart);
        s_objects.Decide(Given.Call(to: "+15550999"), trace);
        Assert.Equal(3, trace.Steps.Count);
    }

    [Fact]
    public void A_call_leaves_a_trace_only_when_it_is_refused()
    {
        var trace = new DecisionTrace(TraceDepth.Refusals);
        s_objects.Decide(Given.Call(source: "54.172.60.1"), trace);
        Assert.Empty(trace.Steps);
        s_objects.Decide(Given.Call(to: "+15550999"), trace);
        Assert.Equal(3, trace.Steps.Count);
        trace.Clear();
        Assert.Empty(trace.Steps);
    }

    [Fact]
    public void A_refused_call_does_not_walk_a_million_numbers_for_its_explanation()
    {
        string[] numbers = new string[100_000];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = "+1666" + i.ToString("D7", System.Globalization.CultureInfo.InvariantCulture);
        }
        var objects = new PolicyObjects { Trunks = [Given.Trunk("ST_1", numbers), Given.Trunk("ST_2", "+15550300")] };
        var trace = new DecisionTrace(TraceDepth.Refusals);
        Verdict verdict = objects.Decide(Given.Call(to: "5550300"), trace);
        Assert.Equal(RefusalCode.NoTrunk, verdict.Code);
        Assert.Equal((1, 1), (trace.Steps.Count, trace.Dropped));
        trace = new DecisionTrace();
        objects.Decide(Given.Call(to: "5550300"), trace);
        Assert.Equal("would match +15550300 if the call said +15550300", trace.Steps[1].NearMiss);
    }
}
