using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Trunks;
using Proxy.Server.Config;
using Proxy.Server.Dns;
using Proxy.Server.Store;
using Xunit;

namespace Proxy.Server.Tests.Store;

public sealed class PolicyRuntimeTests
{
    private static readonly ServerConfig s_config = new() { ApiKey = "k", ApiSecret = "secret" };

    [Fact]
    public void Without_a_policy_the_dev_node_takes_calls_and_any_other_says_what_is_missing()
    {
        using PolicyRuntime dev = PolicyRuntime.TryOpen(s_config with { IsDev = true }, _ => { }, out _)!;
        Assert.Equal("kitchen", dev.Policy.Decide(new CallFacts { ToUser = "room-kitchen" }, default, null).Room);
        Assert.Null(PolicyRuntime.TryOpen(s_config, _ => { }, out string error));
        Assert.Contains("--policy DIR", error);
    }

    [Fact]
    public void A_folder_that_holds_an_error_is_not_opened_and_the_error_is_told()
    {
        string folder = Directory.CreateTempSubdirectory("siproom-runtime-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "trunks"));
        File.WriteAllText(Path.Combine(folder, "trunks", "a.json"), "{");
        List<string> said = [];
        Assert.Null(PolicyRuntime.TryOpen(s_config with { PolicyFolder = folder }, said.Add, out string error));
        Assert.Contains("cannot be used", error);
        Assert.StartsWith("trunks/a.json:1:", Assert.Single(said));
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("sentinel")]
    [InlineData("tls")]
    [InlineData("address")]
    public void What_Redis_cannot_do_yet_is_refused_with_a_sentence(string what)
    {
        var redis = new RedisConfig { Addresses = [what == "address" ? "nowhere" : "127.0.0.1:1"], SentinelMasterName = what == "sentinel" ? "m" : "", UseTls = what == "tls" };
        Assert.Null(PolicyRuntime.TryOpen(s_config with { PolicyInRedis = true, Redis = redis }, _ => { }, out string error));
        Assert.StartsWith("redis", error);
    }

    [Fact]
    public async Task Host_names_are_resolved_in_the_background_and_keep_their_addresses_through_an_outage()
    {
        bool isDown = false;
        var dns = new DnsCache(null, _ => isDown ? throw new System.Net.Sockets.SocketException(11001) : Task.FromResult<IPAddress[]>([IPAddress.Parse("192.0.2.9")]));
        var hosts = new ResolvedHosts(dns);
        var objects = new PolicyObjects { Trunks = [new Trunk { Id = "ST_1", AllowedAddresses = ["SIP.carrier.example", "10.0.0.0/8", "1.2.3.*"] }] };
        PolicySnapshot snapshot = PolicySnapshot.Build(objects, 1);
        Assert.True(await hosts.ResolveAsync(snapshot, default));
        Assert.Equal("192.0.2.9", Assert.Single(hosts.Known["sip.carrier.example"]).ToString());
        Assert.Single(hosts.Known);
        isDown = true;
        Assert.False(await hosts.ResolveAsync(snapshot, default));
        Assert.Single(hosts.Known["sip.carrier.example"]);
    }
}
