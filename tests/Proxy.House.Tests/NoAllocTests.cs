using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Proxy.Testing;
using Xunit;

namespace Proxy.House.Tests;

/// <summary>What is marked <c>[NoAlloc]</c> is run by a case of tests/Proxy.Alloc, which tests/gate/alloc.sh publishes native.</summary>
public sealed partial class NoAllocTests
{
    [Fact]
    public void Every_marked_member_has_a_native_case() =>
        Assert.Equal([], Marked().Except(Covered()).Order());

    [Fact]
    public void Marks_are_found() => Assert.Contains("RtpView.TryParse", Marked());

    private static HashSet<string> Marked()
    {
        HashSet<string> found = [];
        foreach (string file in Files(Path.Combine(TestData.Repository, "src")))
        {
            string[] lines = File.ReadAllLines(file);
            for (int i = 0; i < lines.Length; i++)
            {
                if (lines[i].Trim() == "[NoAlloc]")
                {
                    found.Add(TypeAround(lines, i) + "." + NameBelow(lines, i));
                }
            }
        }
        return found;
    }

    /// <summary>The nearest type declaration above that is less indented.</summary>
    private static string TypeAround(string[] lines, int mark)
    {
        int indent = Indent(lines[mark]);
        for (int i = mark; i >= 0; i--)
        {
            Match type = TypeLine().Match(lines[i]);
            if (type.Success && Indent(lines[i]) < indent)
            {
                return type.Groups["name"].Value;
            }
        }
        throw new InvalidDataException("a mark outside a type: " + lines[mark + 1]);
    }

    private static string NameBelow(string[] lines, int mark)
    {
        int at = mark + 1;
        while (lines[at].TrimStart().StartsWith('['))
        {
            at++;
        }
        return MemberLine().Match(lines[at]).Groups["name"].Value;
    }

    private static HashSet<string> Covered() =>
        [.. Files(Path.Combine(TestData.Repository, "tests", "Proxy.Alloc", "Cases"))
            .SelectMany(file => CaseName().Matches(File.ReadAllText(file)))
            .Select(name => name.Groups["type"].Value + "." + name.Groups["member"].Value)];

    private static IEnumerable<string> Files(string folder) =>
        Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));

    private static int Indent(string line) => line.Length - line.TrimStart().Length;

    [GeneratedRegex(@"^\s*(?:[a-z]+ )+(?:class|struct|interface) (?<name>\w+)|^\s*(?:[a-z]+ )+record (?<name>\w+)")]
    private static partial Regex TypeLine();

    [GeneratedRegex(@"(?<name>\w+)(?:<\w+>)?\(")]
    private static partial Regex MemberLine();

    [GeneratedRegex("(?:Add|Also)\\((?:nameof\\((?<type>\\w+)(?:<\\w+>)?\\), nameof\\([^()]*\\.(?<member>\\w+)\\)|\"(?<type>\\w+)\", \"(?<member>\\w+)\")")]
    private static partial Regex CaseName();
}
