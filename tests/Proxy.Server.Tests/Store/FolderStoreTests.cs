using System;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Proxy.LiveKit.Protocol;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;
using Proxy.Server.Store;
using Xunit;

namespace Proxy.Server.Tests.Store;

public sealed class FolderStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("siproom-store-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write(string file, string json)
    {
        string path = Path.Combine(_folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, json);
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddSeconds(_writes++));
    }

    private int _writes;

    private FolderStore Open() => FolderStore.Open(_folder, new FolderStoreSettings());

    [Fact]
    public void Objects_are_read_in_camelCase_and_in_proto_names_and_in_the_request_form()
    {
        Write("trunks/acme.json", """{"trunk": {"name": "Acme", "numbers": ["+15550200"], "allowedAddresses": ["192.0.2.0/24"], "ringingTimeout": "30s"}}""");
        Write("trunks/beta.json", """{"sip_trunk_id": "ST_beta", "numbers": ["+15550300"], "include_headers": "SIP_X_HEADERS", "x": {"max_calls": 3, "called_from": "request_uri"}}""");
        Write("rules/one.json", """{"dispatch_rule": {"rule": {"dispatchRuleIndividual": {"roomPrefix": "call-", "pin": "1234"}}, "roomConfig": {"agents": [{"agentName": "inbound-agent"}]}}}""");
        FolderStore store = Open();
        Assert.Empty(store.Errors);
        Trunk acme = store.Current.Objects.Trunks[0];
        Assert.True(store.Current.Version > 0);
        Assert.Equal(("ST_acme", "Acme", TimeSpan.FromSeconds(30)), (acme.Id, acme.Name, acme.RingingTimeout));
        Trunk beta = store.Current.Objects.Trunks[1];
        Assert.Equal(("ST_beta", IncludeHeaders.XHeaders, 3, CalledFrom.RequestUri), (beta.Id, beta.IncludeHeaders, beta.Extras.MaxCalls, beta.Extras.CalledFrom));
        DispatchRule rule = Assert.Single(store.Current.Objects.Rules);
        Assert.Equal(("SDR_one", RuleKind.Individual, "call-", "1234"), (rule.Id, rule.Kind, rule.Room, rule.Pin));
        Assert.Equal(["inbound-agent"], rule.Agents);
        Assert.Equal("""{"agents":[{"agentName":"inbound-agent"}]}""", rule.RoomConfigJson.Replace(" ", ""));
    }

    [Fact]
    public void What_happens_to_a_caller_left_alone_is_read_from_the_additions()
    {
        const string Rule = "\"dispatch_rule\": {\"rule\": {\"dispatchRuleDirect\": {\"roomName\": \"r\"}}}";
        Write("rules/r.json", "{" + Rule + ", \"x\": {\"when_alone\": \"dispatch\", \"alone_seconds\": 5}}");
        FolderStore store = Open();
        Assert.Empty(store.Errors);
        RuleExtras extras = Assert.Single(store.Current.Objects.Rules).Extras;
        Assert.Equal((WhenAlone.Dispatch, TimeSpan.FromSeconds(5)), (extras.WhenAlone, extras.AloneFor));
        Write("rules/r.json", "{" + Rule + ", \"x\": {\"when_alone\": \"cry\", \"alone_seconds\": 0}}");
        store.Reload();
        Assert.Equal(2, store.Errors.Count);
    }

    [Fact]
    public void Additions_stand_in_the_object_or_beside_it_in_the_request_form()
    {
        const string Rule = "\"rule\": {\"dispatchRuleDirect\": {\"roomName\": \"r\"}}";
        Write("rules/beside.json", "{\"dispatch_rule\": {" + Rule + "}, \"x\": {\"dispatch_agents\": \"every_call\"}}");
        Write("rules/inside.json", "{\"dispatch_rule\": {" + Rule + ", \"x\": {\"dispatch_agents\": \"every_call\"}}}");
        FolderStore store = Open();
        Assert.Empty(store.Errors);
        Assert.Equal(2, store.Current.Objects.Rules.Count(rule => rule.Extras.DispatchAgentsAlways));
        Write("rules/beside.json", "{\"dispatch_rule\": {" + Rule + "},\n\"x\": {\"dispatch_agents\": \"often\"}}");
        store.Reload();
        Assert.StartsWith("rules/beside.json:2: x.dispatch_agents", Assert.Single(store.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_file_is_refused_as_a_whole_with_file_and_line_and_its_old_version_stays()
    {
        Write("trunks/acme.json", """{"numbers": ["+15550200"]}""");
        FolderStore store = Open();
        Write("trunks/acme.json", "{\n  \"numbers\": [\"+15550999\"],\n  \"name\": oops\n}");
        Assert.True(store.Reload());
        string error = Assert.Single(store.Errors);
        Assert.StartsWith("trunks/acme.json:3: not JSON", error);
        Assert.Equal(["+15550200"], store.Current.Objects.Trunks[0].Numbers);
        Assert.Equal(2, store.Current.Version);
    }

    [Theory]
    [InlineData("trunks/a.json", "{\n\n\"numberz\": []}", "trunks/a.json:3:")]
    [InlineData("trunks/a.json", "{\"x\": {},\n\"numbers\": 5}", "trunks/a.json:2:")]
    [InlineData("trunks/a.json", "{\"name\": \"n\",\n\"x\": {\n\"digest\": \"MD4\"}\n}", "trunks/a.json:2: x.digest")]
    [InlineData("rules/a.json", """{"rule": {"dispatchRuleDirect": {}}, "x": {"hours": ["mon 08-18"]}}""", "is no window such as")]
    [InlineData("rules/a.json", """{"rule": {"dispatchRuleDirect": {}}, "x": {"match_headers": {"X-A": "("}}}""", "x.match_headers.X-A")]
    [InlineData("x/ST_a.json", """{"max_callz": 1}""", "x/ST_a.json:1: x.max_callz")]
    [InlineData("numbers/a.json", """{"e164Format": "+1", "x": {}}""", "no additions")]
    [InlineData("trunks/a.json", """{"x": {"max_callz": 1}}""", "x.max_callz: no such key")]
    [InlineData("trunks/a.json", """{"x": {"max_calls": "many"}}""", "x.max_calls: many is no whole number")]
    [InlineData("rules/a.json", """{"name": "no rule"}""", "rule is missing")]
    [InlineData("rules/a.json", """[1]""", "an object is wanted")]
    public void What_is_wrong_is_named(string file, string json, string error)
    {
        Write(file, json);
        Assert.Contains(error, Open().Errors[0]);
    }

    [Fact]
    public void A_removed_file_takes_its_objects_with_it_and_nothing_new_swaps_nothing()
    {
        Write("trunks/acme.json", """{"numbers": ["+15550200"]}""");
        FolderStore store = Open();
        Assert.False(store.Reload());
        File.Delete(Path.Combine(_folder, "trunks", "acme.json"));
        Assert.True(store.Reload());
        Assert.Empty(store.Current.Objects.Trunks);
    }

    [Fact]
    public void A_call_is_decided_by_what_the_folder_holds()
    {
        Write("trunks/acme.json", """{"numbers": ["+1 555 0200"]}""");
        Write("rules/lobby.json", """{"rule": {"dispatchRuleDirect": {"roomName": "lobby"}}}""");
        var policy = new RulePolicy(Open(), new PolicySettings());
        NetAddress.TryParse("192.0.2.1", out NetAddress source);
        var facts = new CallFacts { ToUser = "+15550200", FromUser = "+15550100", Source = new NetEndPoint(source, 5060) };
        Assert.Equal("lobby", policy.Decide(facts, default, null).Room);
    }

    [Fact]
    public void Additions_stand_beside_an_object_or_in_it_with_conditions_and_hours()
    {
        Write("rules/a.json", """
            {"rule": {"dispatchRuleDirect": {"roomName": "r"}}, "x": {"match_headers": {"X-Tenant": "^acme$"}, "hours": ["mon-fri 08:00-18:00 UTC", "daily 22:00-06:00"], "percent": 50}}
            """);
        Write("rules/b.json", """{"x": {"max_calls": 1}, "rule": {"dispatchRuleDirect": {"roomName": "s"}}}""");
        Write("trunks/c.json", """{"numbers": ["+1"]}""");
        Write("x/ST_c.json", """{"max_calls": 7, "number_patterns": ["+4420*"]}""");
        FolderStore store = Open();
        Assert.Empty(store.Errors);
        RuleMatch match = store.Current.Objects.Rules[0].Extras.Match;
        Assert.Equal((1, 2, 50), (match.Headers.Length, match.Windows.Length, match.Percent));
        Assert.Same(RuleMatch.None, store.Current.Objects.Rules[1].Extras.Match);
        Assert.Equal(7, store.Current.Objects.Trunks[0].Extras.MaxCalls);
    }

    [Fact]
    public async Task A_change_is_on_the_disk_and_in_force_and_keeps_additions()
    {
        Write("trunks/acme.json", """{"numbers": ["+15550200"], "x": {"max_calls": 3}}""");
        FolderStore store = Open();
        for (int i = 0; i < 5; i++)
        {
            await store.ChangeAsync(objects =>
            {
                SIPInboundTrunkInfo trunk = objects.Inbound["ST_acme"].Clone();
                trunk.Name = "n" + i;
                return new ObjectChange(ObjectKind.InboundTrunk, "ST_acme", trunk);
            }, default);
            Assert.Equal("n" + i, store.Current.Objects.Trunks[0].Name);
        }
        Assert.Equal(3, Open().Current.Objects.Trunks[0].Extras.MaxCalls);
        Assert.Equal("n4", Open().Current.Objects.Trunks[0].Name);
        await store.ChangeAsync(_ => new ObjectChange(ObjectKind.InboundTrunk, "ST_acme", null), default);
        Assert.Empty(Open().Current.Objects.Trunks);
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "x")));
    }

    [Fact]
    public async Task An_object_without_additions_is_removed_where_nothing_ever_had_any()
    {
        Write("rules/one.json", """{"rule": {"dispatchRuleDirect": {"roomName": "lobby"}}}""");
        FolderStore store = Open();
        await store.ChangeAsync(_ => new ObjectChange(ObjectKind.Rule, "SDR_one", null), default);
        await store.ChangeAsync(_ => new ObjectChange(ObjectKind.InboundTrunk, "ST_never", null), default);
        Assert.Empty(store.Current.Objects.Rules);
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "rules")));
    }

    [Fact]
    public void Numbers_with_a_rule_and_no_interconnect_are_told()
    {
        Write("rules/one.json", """{"rule": {"dispatchRuleDirect": {"roomName": "lobby"}}}""");
        Write("numbers/n.json", """{"e164Format": "+15550100", "status": "PHONE_NUMBER_STATUS_ACTIVE", "sipDispatchRuleIds": ["SDR_one"]}""");
        Assert.StartsWith("1 active phone numbers answer no call", InventoryNotice.Of(Open().Current.Objects));
        FolderStore store = FolderStore.Open(_folder, new FolderStoreSettings { InterconnectAddresses = ["192.0.2.7"] });
        Assert.Null(InventoryNotice.Of(store.Current.Objects));
        CallFacts From(uint address) => new() { ToUser = "+15550100", FromUser = "+15550199", Source = new NetEndPoint(NetAddress.FromV4(address), 5060) };
        var policy = new RulePolicy(store, new PolicySettings());
        Assert.Equal(VerdictKind.Join, policy.Decide(From(0xC0000207), default, null).Kind);
        Assert.Equal(VerdictKind.Reject, policy.Decide(From(0xC0000208), default, null).Kind);
    }

    [Fact]
    public async Task An_object_of_a_list_is_changed_in_a_file_of_its_own_and_removed_only_by_hand()
    {
        Write("numbers/stock.json", """[{"id": "PN_1", "e164Format": "+1"}, {"id": "PN_2", "e164Format": "+2"}]""");
        FolderStore store = Open();
        await store.ChangeAsync(objects =>
        {
            PhoneNumber number = objects.Numbers["PN_2"].Clone();
            number.Status = PhoneNumberStatus.Offline;
            return new ObjectChange(ObjectKind.Number, "PN_2", number);
        }, default);
        FolderStore again = Open();
        Assert.Empty(again.Errors);
        Assert.Equal((2, PhoneNumberStatus.Offline), (again.Objects.Numbers.Count, again.Objects.Numbers["PN_2"].Status));
        await Assert.ThrowsAsync<ObjectStoreException>(() => store.ChangeAsync(_ => new ObjectChange(ObjectKind.Number, "PN_1", null), default));
        await Assert.ThrowsAsync<ObjectStoreException>(() => store.ChangeAsync(_ => new ObjectChange(ObjectKind.Number, "PN_2", null), default));
        await Assert.ThrowsAsync<ObjectStoreException>(() => store.ChangeAsync(_ => new ObjectChange(ObjectKind.InboundTrunk, "../evil", new SIPInboundTrunkInfo()), default));
    }

    [Fact]
    public async Task A_number_that_stands_in_two_files_counts_in_the_first_and_is_told_of()
    {
        Write("numbers/a.json", """[{"id": "PN_1", "e164Format": "+1", "locality": "a"}, {"id": "PN_2", "e164Format": "+2", "locality": "a"}, {"id": "PN_1", "e164Format": "+9"}]""");
        Write("numbers/b.json", """[{"id": "PN_2", "e164Format": "+2"}, {"id": "PN_3", "e164Format": "+3"}, {"id": "PN_4", "e164Format": "+4"}, {"id": "PN_5", "e164Format": "+5"}]""");
        Write("numbers/PN_5.json", """{"id": "PN_5", "e164Format": "+5", "locality": "own"}""");
        FolderStore store = Open();
        Assert.Equal(["numbers/a.json:1: PN_1 stands in numbers/a.json too; that one counts", "numbers/b.json:1: PN_2 stands in numbers/a.json too; that one counts"], store.Errors);
        Assert.Equal(["+1 a", "+2 a", "+3 ", "+4 ", "+5 own"], store.Objects.Numbers.Values.Select(number => $"{number.E164Format} {number.Locality}"));
        await store.ChangeAsync(_ => new ObjectChange(ObjectKind.Number, "PN_4", null), default).ContinueWith(t => Assert.True(t.IsFaulted));
        Assert.Equal(2, store.Errors.Count);
    }

    [Fact]
    public async Task A_rule_that_changes_leaves_the_stock_of_numbers_as_it_is()
    {
        Write("numbers/stock.json", """[{"id": "PN_1", "e164Format": "+1"}, {"id": "PN_2", "e164Format": "+2"}]""");
        FolderStore store = Open();
        PolicyObjects before = store.Current.Objects;
        await store.ChangeAsync(_ => new ObjectChange(ObjectKind.Rule, "SDR_1", new SIPDispatchRuleInfo { SipDispatchRuleId = "SDR_1", Rule = new SIPDispatchRule { DispatchRuleDirect = new SIPDispatchRuleDirect { RoomName = "r" } } }), default);
        Assert.Single(store.Current.Objects.Rules);
        Assert.Same(before.Stock, store.Current.Objects.Stock);
        await store.ChangeAsync(objects => new ObjectChange(ObjectKind.Number, "PN_2", new PhoneNumber(objects.Numbers["PN_2"]) { SipDispatchRuleIds = { "SDR_1" } }), default);
        Assert.NotSame(before.Stock, store.Current.Objects.Stock);
        Assert.Equal(1, store.Current.Objects.Stock.ActiveCount);
    }

    [Fact]
    public void What_a_crash_left_half_written_is_not_read()
    {
        Write("trunks/acme.json", """{"numbers": ["+15550200"]}""");
        Write("trunks/acme.json.new", """{"numbers": ["+1555""");
        FolderStore store = Open();
        Assert.Empty(store.Errors);
        Assert.Equal(["+15550200"], store.Current.Objects.Trunks[0].Numbers);
    }

    [Fact]
    public void The_same_id_in_two_files_is_an_error_that_names_both()
    {
        Write("trunks/a.json", """{"sipTrunkId": "ST_1", "numbers": ["+1"]}""");
        Write("trunks/b.json", """{"sipTrunkId": "ST_1", "numbers": ["+2"]}""");
        Assert.Equal("trunks/b.json:1: ST_1 stands in trunks/a.json too; that one counts", Assert.Single(Open().Errors));
    }
}
