using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Proxy.Testing;
using Xunit;

namespace Proxy.House.Tests;

/// <summary>docs/compared-with-livekit-sip.md: each of the 25 rows has its tests, and every test that it names exists.</summary>
public sealed class ComparedTests
{
    private static string[] Lines(string heading)
    {
        string text = File.ReadAllText(Path.Combine(TestData.Repository, "docs", "compared-with-livekit-sip.md"));
        string section = text[text.IndexOf("\n" + heading + "\n", StringComparison.Ordinal)..];
        int end = section.IndexOf("\n## ", 1, StringComparison.Ordinal);
        return (end < 0 ? section : section[..end]).Split('\n');
    }

    private static string[] NamesIn(IEnumerable<string> lines) =>
        [.. lines.SelectMany(l => Regex.Matches(l, "`([A-Z0-9][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+)`")).Select(m => m.Groups[1].Value).Distinct()];

    private static string[] Existing()
    {
        IEnumerable<string> files = Directory.EnumerateFiles(Path.Combine(TestData.Repository, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal));
        return [.. files.SelectMany(f => Regex.Matches(File.ReadAllText(f), @"public (?:async )?(?:void|Task) (\w+)\(")).Select(m => m.Groups[1].Value).Distinct()];
    }

    [Theory]
    [InlineData("## What it must do better")]
    [InlineData("## Parity that is kept")]
    public void Every_test_that_the_page_names_exists(string heading)
    {
        string[] named = NamesIn(Lines(heading));
        Assert.NotEmpty(named);
        Assert.Empty(named.Except(Existing()));
    }

    [Fact]
    public void Each_of_the_25_rows_and_each_habit_that_is_kept_has_a_test()
    {
        string[] rows = [.. Lines("## What it must do better").Where(l => Regex.IsMatch(l, @"^\| \d+ \|"))];
        Assert.Equal(Enumerable.Range(1, 25), rows.Select(r => int.Parse(Regex.Match(r, @"\d+").Value, System.Globalization.CultureInfo.InvariantCulture)));
        Assert.All(rows, r => Assert.NotEmpty(NamesIn([r])));
        string[] kept = [.. Lines("## Parity that is kept").Where(l => l.StartsWith("| ", StringComparison.Ordinal)).Skip(1)];
        Assert.Equal(9, kept.Length);
        Assert.All(kept, r => Assert.True(NamesIn([r]).Length > 0 || r.Contains("gap", StringComparison.Ordinal), r));
    }
}
