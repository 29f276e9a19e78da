using System;
using System.IO;
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
        Assert.Equal(("ST_acme", "Acme", TimeSpan.FromSeconds(30)), (acme.Id, acme.Name, acme.RingingTimeout));
        Trunk beta = store.Current.Objects.Trunks[1];
        Assert.Equal(("ST_beta", IncludeHeaders.XHeaders, 3, CalledFrom.RequestUri), (beta.Id, beta.IncludeHeaders, beta.Extras.MaxCalls, beta.Extras.CalledFrom));
        DispatchRule rule = Assert.Single(store.Current.Objects.Rules);
        Assert.Equal(("SDR_one", RuleKind.Individual, "call-", "1234"), (rule.Id, rule.Kind, rule.Room, rule.Pin));
        Assert.Equal(["inbound-agent"], rule.Agents);
        Assert.Contains("\"agentName\": \"inbound-agent\"", rule.RoomConfigJson);
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
    [InlineData("trunks/a.json", """{"numberz": []}""", "numberz")]
    [InlineData("trunks/a.json", """{"x": {"max_callz": 1}}""", "x.max_callz: no such key")]
    [InlineData("trunks/a.json", """{"x": {"max_calls": "many"}}""", "x.max_calls: many is no whole number")]
    [InlineData("rules/a.json", """{"name": "no rule"}""", "rule is missing")]
    [InlineData("rules/a.json", """[1]""", "an object is wanted")]
    public void What_is_wrong_is_named(string file, string json, string error)
    {
        Write(file, json);
        Assert.Contains(error, Assert.Single(Open().Errors));
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
}
