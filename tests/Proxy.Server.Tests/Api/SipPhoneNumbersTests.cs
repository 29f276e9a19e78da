using System.Text;
using System.Text.Json;
using System.Threading.Tasks;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Api;
using Proxy.Server.Store;
using Xunit;

namespace Proxy.Server.Tests.Api;

public sealed class SipPhoneNumbersTests
{
    private readonly MemoryStore _store = new();
    private readonly SipTwirp _service;

    public SipPhoneNumbersTests() => _service = SipGoldenTests.Service(Policy.Compat.Strict, _store);

    private async Task<JsonElement> Call(string method, string json, int status = 200, string service = SipMethods.PhoneNumberService)
    {
        SipReply reply = await _service.HandleAsync(service, method, true, Encoding.UTF8.GetBytes(json), SipCaller.Local, default);
        Assert.True(status == reply.Status, Encoding.UTF8.GetString(reply.Body));
        return JsonDocument.Parse(reply.Body).RootElement;
    }

    private async Task Stock(int count)
    {
        for (int i = 0; i < count; i++)
        {
            var number = new PhoneNumber { Id = $"PN_{i:00}", E164Format = $"+1555{i:0000}", CountryCode = "US", AreaCode = i < 2 ? "555" : "556" };
            await _store.ChangeAsync(_ => new ObjectChange(ObjectKind.Number, number.Id, number), default);
        }
    }

    [Fact]
    public async Task A_number_is_found_bought_pointed_at_a_rule_and_given_back()
    {
        await Stock(3);
        JsonElement rule = await Call("CreateSIPDispatchRule", """{"dispatch_rule": {"rule": {"dispatchRuleDirect": {"roomName": "lobby"}}}}""", service: SipMethods.SipService);
        string ruleId = rule.GetProperty("sip_dispatch_rule_id").GetString()!;
        Assert.Equal(2, (await Call("SearchPhoneNumbers", """{"country_code": "US", "area_code": "555"}""")).GetProperty("items").GetArrayLength());
        JsonElement bought = (await Call("PurchasePhoneNumber", """{"phone_numbers": ["+15550001"]}""")).GetProperty("phone_numbers")[0];
        Assert.Equal("PHONE_NUMBER_STATUS_OFFLINE", bought.GetProperty("status").GetString());
        Assert.Equal(1, (await Call("SearchPhoneNumbers", """{"country_code": "US", "area_code": "555"}""")).GetProperty("items").GetArrayLength());
        await Call("UpdatePhoneNumber", $$"""{"phone_number": "1 555 0001", "sip_dispatch_rule_id": "{{ruleId}}"}""");
        JsonElement list = await Call("ListPhoneNumbers", "{}");
        Assert.Equal((1, 0), (list.GetProperty("total_count").GetInt32(), list.GetProperty("offline_count").GetInt32()));
        Assert.Equal(ruleId, (await Call("GetPhoneNumber", """{"id": "PN_01"}""")).GetProperty("phone_number").GetProperty("sip_dispatch_rule_ids")[0].GetString());
        await Call("ReleasePhoneNumbers", """{"phone_numbers": ["+15550001"]}""");
        Assert.Equal(0, (await Call("ListPhoneNumbers", "{}")).GetProperty("total_count").GetInt32());
        Assert.Equal(2, (await Call("SearchPhoneNumbers", """{"country_code": "US", "area_code": "555"}""")).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task What_is_not_in_the_stock_owned_or_a_trunks_cannot_be_bought()
    {
        await Stock(2);
        await Call("CreateSIPInboundTrunk", """{"trunk": {"numbers": ["1 555 0001"]}}""", service: SipMethods.SipService);
        await Call("PurchasePhoneNumber", """{"phone_numbers": ["+15559999"]}""", 404);
        await Call("PurchasePhoneNumber", """{"phone_numbers": ["+15550001"]}""", 400);
        await Call("PurchasePhoneNumber", """{"phone_numbers": ["+15550000"]}""");
        await Call("PurchasePhoneNumber", """{"phone_numbers": ["+15550000"]}""", 400);
        await Call("PurchasePhoneNumber", """{"phone_numbers": ["+15550000"], "sip_dispatch_rule_id": "SDR_nope"}""", 400);
        await Call("UpdatePhoneNumber", """{"id": "PN_00", "sip_dispatch_rule_id": "SDR_nope"}""", 404);
        await Call("GetPhoneNumber", "{}", 400);
        await Call("SearchPhoneNumbers", "{}", 400);
    }

    [Fact]
    public async Task A_trunk_cannot_take_a_number_that_the_inventory_owns()
    {
        await Stock(1);
        await Call("PurchasePhoneNumber", """{"phone_numbers": ["+15550000"]}""");
        JsonElement error = await Call("CreateSIPInboundTrunk", """{"trunk": {"numbers": ["+15550000"]}}""", 400, SipMethods.SipService);
        Assert.Contains("by the inventory", error.GetProperty("msg").GetString());
    }

    [Fact]
    public async Task Pages_go_on_where_the_last_one_ended()
    {
        await Stock(5);
        JsonElement first = await Call("SearchPhoneNumbers", """{"country_code": "us", "limit": 3}""");
        Assert.Equal(3, first.GetProperty("items").GetArrayLength());
        string token = first.GetProperty("next_page_token").GetProperty("token").GetString()!;
        JsonElement second = await Call("SearchPhoneNumbers", $$"""{"country_code": "US", "limit": 3, "page_token": {"token": "{{token}}"} }""");
        Assert.Equal(2, second.GetProperty("items").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next_page_token").ValueKind);
    }
}
