using System;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Proxy.Policy.Numbers;

/// <summary>
/// Any thread. Many numbers in one entry, our own addition: a prefix <c>+4420*</c>, or a range <c>+442071230000-9999</c> whose
/// end replaces the last digits of its start. Both ends belong to it, and every number in it has as many digits as the start.
/// </summary>
public sealed class NumberPattern
{
    private NumberPattern(string text, string prefix, int digits, ulong first, ulong last)
    {
        Text = text;
        Prefix = prefix;
        Digits = digits;
        First = first;
        Last = last;
    }

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>With <c>+</c>; empty for a range.</summary>
    public string Prefix { get; }

    /// <summary>Digits of a range's numbers; 0 for a prefix.</summary>
    public int Digits { get; }

    public ulong First { get; }

    public ulong Last { get; }

    /// <param name="text">The entry.</param>
    /// <param name="pattern">Null when it is none.</param>
    /// <param name="error">What would be right; empty when it is one.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out NumberPattern? pattern, out string error)
    {
        pattern = null;
        error = $"{text} is neither a prefix (+4420*) nor a range (+442071230000-9999)";
        ReadOnlySpan<char> rest = text;
        if (rest.Length < 3 || rest[0] != '+')
        {
            return false;
        }
        rest = rest[1..];
        if (rest[^1] == '*')
        {
            if (rest[..^1].ContainsAnyExceptInRange('0', '9') || rest.Length > 16)
            {
                return false;
            }
            pattern = new NumberPattern(text, text[..^1], 0, 0, 0);
        }
        else
        {
            int dash = rest.IndexOf('-');
            ReadOnlySpan<char> start = dash < 0 ? "" : rest[..dash];
            ReadOnlySpan<char> end = dash < 0 ? "" : rest[(dash + 1)..];
            if (start.IsEmpty || end.IsEmpty || start.Length > 18 || end.Length > start.Length
                || start.ContainsAnyExceptInRange('0', '9') || end.ContainsAnyExceptInRange('0', '9'))
            {
                return false;
            }
            ulong first = ulong.Parse(start, CultureInfo.InvariantCulture);
            ulong last = ulong.Parse(string.Concat(start[..^end.Length], end), CultureInfo.InvariantCulture);
            if (last < first)
            {
                error = $"{text} ends before it begins";
                return false;
            }
            pattern = new NumberPattern(text, "", start.Length, first, last);
        }
        error = "";
        return true;
    }

    /// <param name="number">Normalised: <c>+</c> and digits.</param>
    public bool Matches(ReadOnlySpan<char> number)
    {
        if (Digits == 0)
        {
            return number.StartsWith(Prefix, StringComparison.Ordinal);
        }
        return TryValue(number, out int digits, out ulong value) && digits == Digits && value >= First && value <= Last;
    }

    /// <summary>The value of a normalised number; leading zeros count as digits.</summary>
    internal static bool TryValue(ReadOnlySpan<char> number, out int digits, out ulong value)
    {
        digits = number.Length - 1;
        value = 0;
        return number.Length is > 1 and < 20 && number[0] == '+' && !number[1..].ContainsAnyExceptInRange('0', '9')
            && ulong.TryParse(number[1..], NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }
}
