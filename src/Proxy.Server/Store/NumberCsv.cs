using System;
using System.Collections.Generic;
using System.Globalization;
using Proxy.LiveKit.Protocol;
using Proxy.Policy.Numbers;
using PhoneNumber = Proxy.LiveKit.Protocol.PhoneNumber;

namespace Proxy.Server.Store;

/// <summary>Any thread. A carrier's stock of numbers as CSV, for <c>siproom number import FILE.csv</c>: the first line names the columns.</summary>
/// <remarks>RFC 4180 without line ends inside fields. Columns: number (wanted), country_code, area_code, locality, region, type.</remarks>
public static class NumberCsv
{
    private static readonly string[] s_types = ["unknown", "mobile", "local", "toll_free"];

    /// <param name="text">The file.</param>
    /// <param name="numbers">Unowned numbers, ids made from the digits.</param>
    /// <returns>Errors, each with its line; the file is taken only when there is none.</returns>
    public static IReadOnlyList<string> Read(string text, out IReadOnlyList<PhoneNumber> numbers)
    {
        List<PhoneNumber> read = [];
        List<string> errors = [];
        numbers = read;
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        List<string> columns = Fields(lines[0].TrimStart('\uFEFF'));
        for (int i = 0; i < columns.Count; i++)
        {
            columns[i] = columns[i].Trim().ToLowerInvariant();
        }
        if (!columns.Contains("number"))
        {
            return ["1: the first line must name the columns, number among them"];
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int line = 1; line < lines.Length; line++)
        {
            if (lines[line].Trim().Length > 0)
            {
                ReadLine(Fields(lines[line]), columns, line + 1, seen, read, errors);
            }
        }
        return errors;
    }

    private static void ReadLine(List<string> fields, List<string> columns, int line, HashSet<string> seen, List<PhoneNumber> read, List<string> errors)
    {
        string Field(string column)
        {
            int at = columns.IndexOf(column);
            return at >= 0 && at < fields.Count ? fields[at].Trim() : "";
        }
        string number = NumberText.Normalise(Field("number"));
        int type = Math.Max(0, Array.IndexOf(s_types, Field("type").ToLowerInvariant()));
        string wrong = !NumberText.IsPhone(number) || number.Length is < 4 or > 16 ? $"'{Field("number")}' is no number such as +15550100"
            : !seen.Add(number) ? $"{number} stands here twice" : "";
        if (wrong.Length > 0)
        {
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"{line}: {wrong}"));
            return;
        }
        read.Add(new PhoneNumber
        {
            Id = "PN_" + number[1..],
            E164Format = number,
            CountryCode = Field("country_code").ToUpperInvariant(),
            AreaCode = Field("area_code"),
            Locality = Field("locality"),
            Region = Field("region"),
            NumberType = (PhoneNumberType)type,
        });
    }

    private static List<string> Fields(string line)
    {
        List<string> fields = [];
        var field = new System.Text.StringBuilder();
        bool isQuoted = false;
        for (int i = 0; i < line.Length; i++)
        {
            char c = line[i];
            if (c == '"')
            {
                bool isDouble = isQuoted && i + 1 < line.Length && line[i + 1] == '"';
                i += isDouble ? 1 : 0;
                isQuoted = isDouble ? isQuoted : !isQuoted;
                field.Append(isDouble ? "\"" : "");
            }
            else if (c == ',' && !isQuoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
            {
                field.Append(c);
            }
        }
        fields.Add(field.ToString());
        return fields;
    }
}
