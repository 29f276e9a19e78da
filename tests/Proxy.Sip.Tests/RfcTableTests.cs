using System.IO;
using System.Linq;
using System.Reflection;
using System.Text.RegularExpressions;
using Proxy.Testing;
using Xunit;

namespace Proxy.Sip.Tests;

public sealed class RfcTableTests
{
    [Fact]
    public void Every_test_that_the_rfc_table_names_exists()
    {
        string table = File.ReadAllText(Path.Combine(TestData.Repository, "docs", "rfc", "sip.md"));
        string[] named = [.. Regex.Matches(table, "`([A-Z][a-z0-9]+(?:_[a-z0-9A-Z]+)+)`").Select(m => m.Groups[1].Value).Distinct()];
        string[] existing = [.. typeof(RfcTableTests).Assembly.GetTypes().SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Instance)).Select(m => m.Name)];
        Assert.True(named.Length > 40);
        Assert.Empty(named.Except(existing));
    }
}
