using System;
using System.Collections.Generic;
using System.IO;

namespace Proxy.Server.Commands;

/// <summary>Main thread. Rows of text under each other, columns as wide as what they hold.</summary>
internal static class Columns
{
    private const int WidthMax = 40;

    /// <param name="rows">The first is the head; all have as many cells.</param>
    public static void Write(TextWriter output, IReadOnlyList<string[]> rows)
    {
        int[] widths = new int[rows[0].Length];
        foreach (string[] row in rows)
        {
            for (int i = 0; i < row.Length; i++)
            {
                widths[i] = Math.Max(widths[i], row[i].Length);
            }
        }
        foreach (string[] row in rows)
        {
            for (int i = 0; i < row.Length - 1; i++)
            {
                output.Write(row[i].PadRight(widths[i] + 2));
            }
            output.WriteLine(row[^1]);
        }
    }

    /// <summary>A cell: a dash for nothing, not endless, nothing in it that moves the cursor.</summary>
    public static string Cell(string text)
    {
        string clean = text.Length == 0 ? "-" : Clean(text);
        return clean.Length <= WidthMax ? clean : clean[..(WidthMax - 1)] + "…";
    }

    /// <summary>What strangers wrote must not move the terminal's cursor.</summary>
    public static string Clean(string text, bool keepsLines = false) =>
        string.Create(text.Length, (text, keepsLines), static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                char c = source.text[i];
                span[i] = char.IsControl(c) && !(source.keepsLines && c == '\n') ? '.' : c;
            }
        });
}
