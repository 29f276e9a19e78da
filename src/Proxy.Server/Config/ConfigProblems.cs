using System;
using System.Collections.Generic;

namespace Proxy.Server.Config;

/// <summary>One reading. Collects what is wrong, so that all of it is said at once.</summary>
internal sealed class ConfigProblems(string file)
{
    private readonly List<(long Line, string Text)> _errors = [];
    private readonly List<string> _notices = [];

    /// <summary>There is no file to find more errors in.</summary>
    public bool IsUnreadable { get; set; }

    public bool HasErrors => _errors.Count > 0;

    public IReadOnlyList<string> Notices => _notices;

    /// <param name="line">1-based; 0 where the problem has no place in the file.</param>
    public void Error(long line, string text) => _errors.Add((line, text));

    public void Notice(long line, string text) => _notices.Add(Place(line, text));

    public IReadOnlyList<string> Errors()
    {
        // In the order of the file, whatever order the keys were read in.
        _errors.Sort((a, b) => a.Line.CompareTo(b.Line));
        return _errors.ConvertAll(e => Place(e.Line, e.Text));
    }

    /// <summary>The name that was probably meant, by edit distance; null when none is near.</summary>
    public static string? Nearest(string name, IEnumerable<string> known)
    {
        string? best = null;
        int bestDistance = Math.Max(2, name.Length / 3) + 1;
        foreach (string candidate in known)
        {
            int distance = Distance(name.ToLowerInvariant(), candidate);
            if (distance < bestDistance)
            {
                best = candidate;
                bestDistance = distance;
            }
        }
        return best;
    }

    private static int Distance(string a, string b)
    {
        int[] row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, 1 + Math.Min(row[j], row[j - 1]));
            }
        }
        return row[b.Length];
    }

    private string Place(long line, string text) => line > 0 ? $"{file}:{line}: {text}" : $"{file}: {text}";
}
