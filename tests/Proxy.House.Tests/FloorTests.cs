using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Proxy.Testing;
using Xunit;

namespace Proxy.House.Tests;

/// <summary>Keeps the floors: what docs/architecture.md draws, the project files and the sources must say the same.</summary>
public sealed class FloorTests
{
    private static readonly string s_source = Path.Combine(TestData.Repository, "src");

    public static TheoryData<string> Projects => [.. Directory.GetDirectories(s_source, "Proxy.*").Select(d => Path.GetFileName(d)!)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_uses_exactly_what_the_table_allows(string project)
    {
        Dictionary<string, string[]> table = ReadTable();
        Assert.True(table.TryGetValue(project, out string[]? allowed), $"{project} has no row in docs/architecture.md");
        XDocument file = XDocument.Load(Path.Combine(s_source, project, project + ".csproj"));
        string[] used = [.. file.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension((string)r.Attribute("Include")!))];
        Assert.Equal(allowed.Order(), used.Order());
    }

    [Fact]
    public void Every_row_of_the_table_is_a_project() =>
        Assert.All(ReadTable().Keys, p => Assert.True(Directory.Exists(Path.Combine(s_source, p)), p));

    [Theory]
    [MemberData(nameof(Projects))]
    public void Unsafe_code_stands_in_three_places(string project)
    {
        string[] places = ["Proxy.Core/Memory/", "Proxy.Native/", "Proxy.Server/Linux/"];
        foreach ((string path, string text) in Sources(project))
        {
            bool isUnsafe = Regex.IsMatch(text, @"\bunsafe\b");
            Assert.False(isUnsafe && !places.Any(path.StartsWith), $"{path} is unsafe");
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Below_the_runtime_there_is_no_clock_socket_thread_task_or_lock(string project)
    {
        if (project == "Proxy.Server")
        {
            return;
        }
        string[] banned =
        [
            @"\bDateTime(Offset)?\.(Utc)?Now\b", @"\bStopwatch\b", @"\bEnvironment\.", @"\bRandom\.Shared\b", @"\bnew Random\b",
            @"\bnew (Udp|Tcp)Client\b", @"\bnew Socket\b", @"\block \(", @"\basync\b", @"\bTask\b", @"\bnew Thread\b",
            @"\bRandomNumberGenerator\.", @"\bConsole\.", @"\bFile\.(Read|Write|Open)",
        ];
        foreach ((string path, string text) in Sources(project))
        {
            string code = Regex.Replace(text, @"//.*|""(?:[^""\\]|\\.)*""", "");
            foreach (string pattern in banned)
            {
                // The libraries behind Proxy.Native read clocks and random of their own; it may give them a serial number.
                if (project == "Proxy.Native" && pattern.StartsWith(@"\bRandomNumber", StringComparison.Ordinal))
                {
                    continue;
                }
                Assert.False(Regex.IsMatch(code, pattern), $"{path} has {pattern}");
            }
        }
    }

    [Fact]
    public void Every_package_has_a_decision()
    {
        string decisions = string.Concat(Directory.GetFiles(Path.Combine(TestData.Repository, "docs", "decisions"), "*.md").Select(File.ReadAllText));
        XDocument packages = XDocument.Load(Path.Combine(TestData.Repository, "Directory.Packages.props"));
        Assert.All(
            packages.Descendants("PackageVersion").Select(p => (string)p.Attribute("Include")!),
            p => Assert.Contains(p, decisions, StringComparison.Ordinal));
    }

    private static Dictionary<string, string[]> ReadTable()
    {
        string text = File.ReadAllText(Path.Combine(TestData.Repository, "docs", "architecture.md"));
        return Regex.Matches(text, @"^\| \d \| `(?<name>[\w.]+)` \|[^|]*\| (?<uses>[^|]*) \|$", RegexOptions.Multiline).ToDictionary(
            m => m.Groups["name"].Value,
            m => m.Groups["uses"].Value.Trim() is "–" ? [] : m.Groups["uses"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => "Proxy." + n).ToArray());
    }

    private static IEnumerable<(string Path, string Text)> Sources(string project) =>
        Directory.EnumerateFiles(Path.Combine(s_source, project), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal))
            .Select(f => (Path.GetRelativePath(s_source, f), File.ReadAllText(f)));
}
