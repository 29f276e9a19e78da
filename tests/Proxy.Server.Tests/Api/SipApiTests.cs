using System;
using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Proxy.Core.Memory;
using Proxy.Policy;
using Proxy.Server.Api;
using Proxy.Server.Store;
using Xunit;

namespace Proxy.Server.Tests.Api;

public sealed class SipApiTests
{
    private static async Task<(int Status, string Body)> Call(SipTwirp service, string method, string json, SipCaller? caller = null)
    {
        SipReply reply = await service.HandleAsync(SipMethods.SipService, method, true, Encoding.UTF8.GetBytes(json), caller ?? SipCaller.Local, default);
        return (reply.Status, Encoding.UTF8.GetString(reply.Body));
    }

    [Fact]
    public async Task Strict_tells_the_same_number_on_two_carriers_apart_by_address()
    {
        SipTwirp service = SipGoldenTests.Service(Compat.Strict);
        Assert.Equal(200, (await Call(service, "CreateSIPInboundTrunk", """{"trunk": {"numbers": ["+1555"], "allowed_addresses": ["10.0.0.0/9"]}}""")).Status);
        Assert.Equal(200, (await Call(service, "CreateSIPInboundTrunk", """{"trunk": {"numbers": ["+1555"], "allowed_addresses": ["10.128.0.0/9"]}}""")).Status);
        (int status, string body) = await Call(service, "CreateSIPInboundTrunk", """{"trunk": {"numbers": ["+1555"], "allowed_addresses": ["10.200.0.0/16"]}}""");
        Assert.Equal(400, status);
        Assert.Contains("<new>", JsonDocument.Parse(body).RootElement.GetProperty("msg").GetString());
    }

    [Theory]
    [InlineData("""{"trunk": {"numbers": ["+1 555", "+7"]}}""", "using the same number(s) [\"+1555\"] without AllowedNumbers set")]
    [InlineData("""{"trunk": {"numbers": ["+1555"], "allowed_addresses": ["10.0.0.0/9"]}}""", "")]
    [InlineData("""{"trunk": {"numbers": ["+1555"], "allowed_numbers": ["+9"]}}""", "")]
    [InlineData("""{"trunk": {"numbers": ["+1666"], "allowed_addresses": ["10.0.0.0/16"]}}""", "using the same number(s) [\"+1666\"] without AllowedNumbers set, and neither source address nor user name tells them apart")]
    public async Task Strict_refuses_with_LiveKits_text_where_LiveKit_would_refuse(string json, string tail)
    {
        SipTwirp service = SipGoldenTests.Service(Compat.Strict);
        await Call(service, "CreateSIPInboundTrunk", """{"trunk": {"numbers": ["+1555"]}}""");
        await Call(service, "CreateSIPInboundTrunk", """{"trunk": {"numbers": ["+1666"], "allowed_addresses": ["10.0.0.0/8"]}}""");
        (int status, string body) = await Call(service, "CreateSIPInboundTrunk", json);
        string? text = status == 200 ? "" : JsonDocument.Parse(body).RootElement.GetProperty("msg").GetString();
        Assert.Equal(tail.Length == 0 ? 200 : 400, status);
        Assert.Matches(tail.Length == 0 ? "^$" : "^Conflicting inbound SIP Trunks: \"ST_\\w+\" and \"<new>\", " + System.Text.RegularExpressions.Regex.Escape(tail) + "$", text!);
    }

    [Theory]
    [InlineData("""{"trunk": {"numbers": ["+1555"], "auth_username": "u"}}""", "must be set together")]
    [InlineData("""{"trunk": {"numbers": ["+1555"], "allowed_addresses": ["1.2.3.*"]}}""", "1.2.3.* is neither")]
    public async Task Strict_refuses_what_would_let_everybody_in(string json, string text)
    {
        (int status, string body) = await Call(SipGoldenTests.Service(Compat.Strict), "CreateSIPInboundTrunk", json);
        Assert.Equal(400, status);
        Assert.Contains(text, body);
    }

    [Fact]
    public async Task A_created_trunk_and_rule_take_the_next_call()
    {
        var store = new MemoryStore();
        SipTwirp service = SipGoldenTests.Service(Compat.Strict, store);
        await Call(service, "CreateSIPInboundTrunk", """{"trunk": {"numbers": ["+15550200"]}}""");
        await Call(service, "CreateSIPDispatchRule", """{"dispatch_rule": {"rule": {"dispatchRuleDirect": {"roomName": "lobby"}}}}""");
        var policy = new RulePolicy(store, new PolicySettings());
        Assert.Equal("lobby", policy.Decide(new CallFacts { ToUser = "+15550200", FromUser = "+1" }, default, null).Room);
    }

    [Fact]
    public async Task Dialling_out_is_unimplemented_with_a_sentence()
    {
        (int status, string body) = await Call(SipGoldenTests.Service(), "CreateSIPParticipant", "{}");
        Assert.Equal((501, """{"code":"unimplemented","msg":"siproom does not place outbound calls yet"}"""), (status, body));
    }

    [Fact]
    public async Task A_transfer_needs_the_call_grant_and_the_room_and_a_call()
    {
        SipTwirp service = SipGoldenTests.Service();
        const string Json = """{"participant_identity": "sip_1", "room_name": "r", "transfer_to": "tel:+1"}""";
        Assert.Equal(400, (await Call(service, "TransferSIPParticipant", "{}", default(SipCaller))).Status);
        Assert.Equal(401, (await Call(service, "TransferSIPParticipant", Json, new SipCaller(true, true, "other"))).Status);
        Assert.Equal(401, (await Call(service, "TransferSIPParticipant", Json, new SipCaller(true, false, "r"))).Status);
        Assert.Equal(404, (await Call(service, "TransferSIPParticipant", Json, new SipCaller(false, true, "r"))).Status);
    }

    [Fact]
    public async Task An_unknown_method_is_a_bad_route() => Assert.Equal(404, (await Call(SipGoldenTests.Service(), "GetSIPDispatchRule", "{}")).Status);

    [Fact]
    public async Task A_thousand_mutated_bodies_leave_the_store_unchanged_or_valid()
    {
        var store = new MemoryStore(Compat.LiveKit);
        SipTwirp service = SipGoldenTests.Service(Compat.LiveKit, store);
        byte[] seed = Encoding.UTF8.GetBytes("""{"trunk": {"name": "n", "numbers": ["+1555"], "headers": {"X-A": "b"}, "ringing_timeout": "30s", "media": {"codecs": [{"name": "PCMU", "rate": 8000}]}}}""");
        var random = new SeededRandom(11);
        for (int i = 0; i < 1_000; i++)
        {
            byte[] body = (byte[])seed.Clone();
            for (int j = 0; j <= random.Next(4); j++)
            {
                body[random.Next(body.Length)] = (byte)random.Next(256);
            }
            int before = store.Objects.Inbound.Count;
            foreach (bool isJson in new[] { true, false })
            {
                SipReply reply = await service.HandleAsync(SipMethods.SipService, "CreateSIPInboundTrunk", isJson, body, SipCaller.Local, default);
                Assert.Contains(reply.Status, new[] { 200, 400 });
                Assert.Equal(before + (reply.Status == 200 ? 1 : 0), store.Objects.Inbound.Count);
                before = store.Objects.Inbound.Count;
            }
        }
        string deep = string.Concat(new string('[', 10_000), new string(']', 10_000));
        Assert.Equal(400, (await Call(service, "CreateSIPInboundTrunk", deep)).Status);
        Assert.Equal(200, (await Call(service, "ListSIPInboundTrunk", "{}")).Status);
    }
}
