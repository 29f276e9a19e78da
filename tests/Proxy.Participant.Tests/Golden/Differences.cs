using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;

namespace Proxy.Participant.Tests.Golden;

/// <summary>Compares two offers section by section, without the values that every call draws anew.</summary>
internal static partial class Differences
{
    /// <returns>Lines such as <c>send: only ours: a=…</c>, in order, each once.</returns>
    public static IReadOnlyList<string> OfOffers(string ours, string golden)
    {
        Dictionary<string, List<string>> mine = Sections(ours);
        Dictionary<string, List<string>> theirs = Sections(golden);
        var found = new List<string>();
        foreach (string name in mine.Keys.Union(theirs.Keys))
        {
            List<string> a = mine.GetValueOrDefault(name, []);
            List<string> b = theirs.GetValueOrDefault(name, []);
            found.AddRange(a.Except(b).Select(line => $"{name}: only ours: {line}"));
            found.AddRange(b.Except(a).Select(line => $"{name}: only golden: {line}"));
        }
        return found.Distinct().ToList();
    }

    /// <summary>Sections by what they are for: session, send, receive (all of them together), data.</summary>
    private static Dictionary<string, List<string>> Sections(string sdp)
    {
        var sections = new Dictionary<string, List<string>>();
        foreach (string text in SectionStart().Split(sdp))
        {
            List<string> lines = Server.Lines(text).Select(Normal).ToList();
            string name = lines[0].StartsWith("v=", StringComparison.Ordinal) ? "session"
                : lines[0].StartsWith("m=application", StringComparison.Ordinal) ? "data"
                : lines.Contains("a=sendonly") ? "send" : "receive";
            if (!sections.TryGetValue(name, out List<string>? known))
            {
                sections[name] = known = [];
            }
            known.AddRange(lines);
        }
        return sections;
    }

    private static string Normal(string line)
    {
        line = Origin().Replace(line, "o=- ID VERSION");
        line = Hash().Replace(line, "sha-256 HASH");
        line = Ice().Replace(line, "$1:X");
        line = Mid().Replace(line, "a=mid:N");
        line = Candidate().Replace(line, "a=candidate:X");
        line = Stream().Replace(line, "$1STREAM CID");
        return Ssrc().Replace(line, "a=ssrc:S");
    }

    [GeneratedRegex("(?=^m=)", RegexOptions.Multiline)]
    private static partial Regex SectionStart();

    [GeneratedRegex(@"^o=- \d+ \d+")]
    private static partial Regex Origin();

    [GeneratedRegex("sha-256 [0-9A-F:]{95}$")]
    private static partial Regex Hash();

    [GeneratedRegex("(a=ice-ufrag|a=ice-pwd):.*")]
    private static partial Regex Ice();

    [GeneratedRegex(@"^a=mid:\d+$")]
    private static partial Regex Mid();

    [GeneratedRegex("^a=candidate:.*")]
    private static partial Regex Candidate();

    [GeneratedRegex(@"(a=msid:|msid:|a=ssrc:\d+ msid:)\S+ \S+$")]
    private static partial Regex Stream();

    [GeneratedRegex(@"^a=ssrc:\d+")]
    private static partial Regex Ssrc();
}
