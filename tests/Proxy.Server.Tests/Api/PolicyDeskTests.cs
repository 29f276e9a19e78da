using System;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading.Tasks;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Api;
using Proxy.Server.Store;
using Xunit;

namespace Proxy.Server.Tests.Api;

public sealed class PolicyDeskTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("siproom-desk-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private FolderStore Store()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "trunks"));
        File.WriteAllText(Path.Combine(_folder, "trunks", "ST_a.json"), """{"name":"a","numbers":["+15550100"],"x":{"max_calls":3,"called_from":"request_uri"}}""");
        return FolderStore.Open(_folder, new FolderStoreSettings());
    }

    private static string Text(SipReply reply) => Encoding.UTF8.GetString(reply.Body);

    private static Task<SipReply> SetAsync(PolicyDesk desk, string body) => desk.SetExtrasAsync(Encoding.UTF8.GetBytes(body), default);

    [Fact]
    public async Task Additions_are_set_key_by_key_and_taken_away_with_null()
    {
        FolderStore store = Store();
        var desk = new PolicyDesk(store);
        Assert.Equal("""{"id":"ST_a","x":{"max_calls":3,"called_from":"request_uri"}}""", Text(desk.Extras("ST_a")));
        SipReply set = await SetAsync(desk, """{"id":"ST_a","x":{"max_calls":10,"called_from":null,"digest":"SHA-256"}}""");
        Assert.Equal(200, set.Status);
        Assert.Equal("""{"id":"ST_a","x":{"max_calls":10,"digest":"SHA-256"}}""", Text(set).Replace("\n", "", StringComparison.Ordinal).Replace("  ", "", StringComparison.Ordinal).Replace(": ", ":", StringComparison.Ordinal));
        Assert.Equal(10, store.Current.Objects.Trunks[0].Extras.MaxCalls);
        Assert.Equal(["+15550100"], store.Objects.Inbound["ST_a"].Numbers);
        Assert.Equal(10, FolderStore.Open(_folder, new FolderStoreSettings()).Current.Objects.Trunks[0].Extras.MaxCalls);
    }

    [Theory]
    [InlineData("""{"id":"ST_a","x":{"max_calls":"many"}}""", "x.max_calls: many is no whole number")]
    [InlineData("""{"id":"ST_a","x":{"colour":"blue"}}""", "x.colour: no such key")]
    [InlineData("""{"id":"ST_b","x":{}}""", "no trunk or rule has the id 'ST_b'")]
    [InlineData("""{"x":{}}""", "an object with id and x is wanted")]
    [InlineData("nonsense", "the body is no JSON object")]
    public async Task Wrong_additions_change_nothing_and_are_told(string body, string sentence)
    {
        FolderStore store = Store();
        SipReply reply = await SetAsync(new PolicyDesk(store), body);
        Assert.Equal(400, reply.Status);
        Assert.Contains(sentence, Proxy.Server.Commands.ControlClient.SentenceOf(Text(reply)), StringComparison.Ordinal);
        Assert.Equal(3, store.Current.Objects.Trunks[0].Extras.MaxCalls);
    }

    [Fact]
    public async Task Stock_of_numbers_is_taken_once_and_what_is_known_stays()
    {
        FolderStore store = Store();
        var desk = new PolicyDesk(store);
        string csv = "number,country_code\n" + string.Concat(Enumerable.Range(0, 5_000).Select(i => $"+1555{i:0000000},US\n"));
        Assert.Equal("""{"added":5000,"known":0}""", Text(await desk.ImportAsync(csv, default)));
        Assert.Equal("""{"added":1,"known":5000}""", Text(await desk.ImportAsync(csv + "+15559999999,US\n", default)));
        Assert.Equal(5_001, store.Objects.Numbers.Count);
        Assert.Equal(["import-1.json", "import-2.json"], Directory.GetFiles(Path.Combine(_folder, "numbers")).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
        var memory = new MemoryStore();
        Assert.Equal(5_000, await memory.ImportAsync([.. store.Objects.Numbers.Values.Take(5_000)], default));
        Assert.Equal(5_000, memory.Objects.Numbers.Count);
        PhoneNumber first = store.Objects.Numbers.Values.First();
        await store.ChangeAsync(_ => new ObjectChange(ObjectKind.Number, first.Id, new PhoneNumber(first) { Locality = "Here" }), default);
        await desk.ImportAsync(csv, default);
        Assert.Equal("Here", store.Objects.Numbers[first.Id].Locality);
    }

    [Fact]
    public async Task Csv_with_an_error_is_not_taken_at_all()
    {
        FolderStore store = Store();
        SipReply reply = await new PolicyDesk(store).ImportAsync("number\n+15550100\nx\n", default);
        Assert.Equal(400, reply.Status);
        Assert.Contains("no number was taken", Text(reply), StringComparison.Ordinal);
        Assert.Empty(store.Objects.Numbers);
    }
}
