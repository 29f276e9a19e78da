using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sip.Tests;

public sealed class RfcTableTests
{
    private static readonly int[] s_wanted = [3261, 3262, 3263, 3264, 3311, 3326, 3515, 3581, 3891, 4028, 5923, 6026, 6141, 7616, 8760];

    private static string Table => File.ReadAllText(Path.Combine(TestData.Repository, "docs", "rfc", "sip.md"));

    private static string[] Named(string text) => [.. Regex.Matches(text, "`([A-Z][a-z0-9]*(?:_[a-z0-9A-Z]+)+)`").Select(m => m.Groups[1].Value).Distinct()];

    [Fact]
    public void Every_test_that_the_rfc_table_names_exists()
    {
        string[] named = Named(Table);
        HashSet<string> existing = [];
        foreach (string file in Directory.EnumerateFiles(Path.Combine(TestData.Repository, "tests"), "*Tests.cs", SearchOption.AllDirectories))
        {
            existing.UnionWith(Regex.Matches(File.ReadAllText(file), @"public (?:async Task|void) (\w+)\(").Select(m => m.Groups[1].Value));
        }
        Assert.True(named.Length > 40);
        Assert.Empty(named.Except(existing));
    }

    [Fact]
    public void Every_row_of_the_rfc_table_names_a_test_and_no_rfc_is_left_out()
    {
        string[] rows = [.. Table.Split('\n').Where(line => line.StartsWith('|') && !line.StartsWith("|---") && !line.Contains("| clause | done |"))];
        Assert.DoesNotContain(rows, row => Named(row).Length == 0);
        Assert.DoesNotContain(s_wanted, rfc => !Regex.IsMatch(Table, $@"^(\| |## RFC ).*\b{rfc}\b", RegexOptions.Multiline));
    }
}
