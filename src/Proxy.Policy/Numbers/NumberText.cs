using System;
using System.Buffers;

namespace Proxy.Policy.Numbers;

/// <summary>
/// Any thread. The one form in which numbers are compared: text made only of digits, spaces, dashes and brackets, with or
/// without a leading <c>+</c>, becomes <c>+</c> and its digits; anything else (a SIP user's name) stays as it is, case kept.
/// </summary>
/// <remarks>No national prefix is guessed: <c>0015550100</c> becomes <c>+0015550100</c>, as LiveKit does. Parameters of a
/// telephone-subscriber (<c>;npdi</c>, RFC 3966 §3, RFC 4694) are cut off first.</remarks>
public static class NumberText
{
    /// <summary>Longest text that is rewritten; longer text stays as it is. E.164 has 15 digits.</summary>
    public const int Longest = 62;

    private static readonly SearchValues<char> s_phone = SearchValues.Create("0123456789- ()");

    /// <param name="text">As it stood on the wire or in the object.</param>
    /// <param name="buffer">At least <see cref="Longest"/> + 2 characters.</param>
    /// <returns>A slice of <paramref name="buffer"/> or of <paramref name="text"/>.</returns>
    public static ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, Span<char> buffer)
    {
        int semicolon = text.IndexOf(';');
        if (semicolon > 0)
        {
            text = text[..semicolon];
        }
        if (!IsPhone(text))
        {
            return text;
        }
        int length = 0;
        buffer[length++] = '+';
        foreach (char c in text)
        {
            if (char.IsAsciiDigit(c))
            {
                buffer[length++] = c;
            }
        }
        return buffer[..length];
    }

    /// <summary>As <see cref="Normalise(ReadOnlySpan{char}, Span{char})"/>, into a string.</summary>
    public static string Normalise(string text)
    {
        Span<char> buffer = stackalloc char[Longest + 2];
        ReadOnlySpan<char> normal = Normalise(text, buffer);
        return normal.SequenceEqual(text) ? text : normal.ToString();
    }

    /// <summary>Whether text is a telephone number by its letters: an optional <c>+</c>, then digits, spaces, dashes, brackets.</summary>
    public static bool IsPhone(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > Longest)
        {
            return false;
        }
        ReadOnlySpan<char> rest = text[0] == '+' ? text[1..] : text;
        return !rest.IsEmpty && !rest.ContainsAnyExcept(s_phone);
    }
}
