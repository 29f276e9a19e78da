using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Proxy.Policy;
using Proxy.Server.Api;
using Proxy.Server.Store;
using Xunit;
using Xunit.Abstractions;

namespace Proxy.Server.Tests.Api;

public sealed class SipGoldenTests(ITestOutputHelper output)
{
    private const string Missed = "stock bug: the conflict is missed when the numbers move; we refuse it";
    private const string Follows = "follows from the conflict that the stock server stored and we did not";
    private const string Limit = "page.limit limits (the stock server ignores it, or answers with nothing beside a filter by ids)";
    private const string Code = "stock bug: an invalid outbound update is HTTP 500 there, 400 invalid_argument here, same text";
    private const string MissedRule = "stock bug: the conflict is missed when the trunks move; we refuse it";

    /// <summary>Where we differ, and why. Nothing else may.</summary>
    private static readonly Dictionary<string, string> s_decided = new()
    {
        ["inbound-update/update.conflict"] = Missed,
        ["inbound-update/replace.conflict"] = Missed,
        ["inbound-update/update.after_conflict"] = Follows,
        ["inbound-update/update.fix_conflict"] = Follows,
        ["inbound-update/update.unknown_field_headers"] = Follows,
        ["inbound-update/update.empty"] = Follows,
        ["inbound-update/update.get_after"] = Follows,
        ["inbound-update/update.camel"] = Follows,
        ["inbound-update/update.pb"] = Follows,
        ["inbound-pages/page.limit2"] = Limit,
        ["inbound-pages/page.after_p2_limit2"] = Limit,
        ["inbound-pages/page.with_ids"] = Limit,
        ["inbound-pages/page.legacy_list"] = Limit,
        ["outbound-crud/list.limit1"] = Limit,
        ["rule-crud/list.page_limit"] = Limit,
        ["outbound-crud/update.numbers_clear"] = Code,
        ["outbound-crud/update.from_host_bad"] = Code,
        ["outbound-crud/update.address_bad"] = Code,
        ["outbound-crud/update.address_empty"] = Code,
        ["rule-update/update.conflict_unseen"] = MissedRule,
        ["rule-update/update.conflict_then_seen"] = Follows,
        ["rule-update/delete.conflicting"] = Follows,
    };

    internal static SipTwirp Service(Compat compat = Compat.LiveKit, IObjectStore? store = null)
    {
        int next = 0;
        var random = new Random(7);
        return new SipTwirp(new SipApi(store ?? new MemoryStore(compat), new SipApiSettings { Compat = compat, NewId = prefix => $"{prefix}{(char)('a' + random.Next(26))}{next++:D11}" }));
    }

    [Fact]
    public async Task Recorded_answers_of_a_stock_server_are_ours_but_for_the_listed_ones()
    {
        var golden = new GoldenPairs();
        int all = 0;
        List<string> undecided = [];
        HashSet<string> met = [];
        foreach (string scenario in golden.Scenarios.Where(s => s.StartsWith("inbound", StringComparison.Ordinal) || s.StartsWith("outbound", StringComparison.Ordinal)
            || s.StartsWith("rule", StringComparison.Ordinal) || s.StartsWith("docs", StringComparison.Ordinal)))
        {
            (int pairs, List<(string Step, string Difference)> differences) = await golden.RunAsync(scenario, Service());
            all += pairs;
            foreach ((string step, string difference) in differences)
            {
                string key = scenario + "/" + step;
                met.Add(key);
                if (!s_decided.ContainsKey(key))
                {
                    undecided.Add($"{key}: {difference}");
                }
            }
        }
        output.WriteLine($"{all} pairs, {all - met.Count} equal, {met.Count} differ by decision");
        Assert.True(undecided.Count == 0, string.Join("\n\n", undecided));
        Assert.Empty(s_decided.Keys.Except(met));
    }
}
