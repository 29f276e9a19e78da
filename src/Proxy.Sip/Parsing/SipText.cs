using System;
using System.Buffers;
using System.Text;

namespace Proxy.Sip.Parsing;

/// <summary>Any thread. The characters of RFC 3261 §25.1 and the small readers that every header needs.</summary>
internal static class SipText
{
    /// <summary>token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~")</summary>
    private static readonly SearchValues<byte> s_token =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~"u8);

    /// <summary>Linear white space, and the line breaks inside folds.</summary>
    private static readonly SearchValues<byte> s_space = SearchValues.Create(" \t\r\n"u8);

    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(s_token);

    public static bool HasSpace(ReadOnlySpan<byte> text) => text.ContainsAny(s_space);

    public static ReadOnlySpan<byte> SkipSpace(ReadOnlySpan<byte> text)
    {
        int at = text.IndexOfAnyExcept(s_space);
        return at < 0 ? default : text[at..];
    }

    public static ReadOnlySpan<byte> TrimEnd(ReadOnlySpan<byte> text) => text[..(text.LastIndexOfAnyExcept(s_space) + 1)];

    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => TrimEnd(SkipSpace(text));

    /// <summary>The leading token, and what follows it.</summary>
    public static ReadOnlySpan<byte> ReadToken(scoped ref ReadOnlySpan<byte> text)
    {
        int end = text.IndexOfAnyExcept(s_token);
        ReadOnlySpan<byte> token = end < 0 ? text : text[..end];
        text = text[token.Length..];
        return token;
    }

    /// <summary>Takes a character with white space around it.</summary>
    public static bool TryTake(scoped ref ReadOnlySpan<byte> text, byte c)
    {
        ReadOnlySpan<byte> rest = SkipSpace(text);
        if (rest.IsEmpty || rest[0] != c)
        {
            return false;
        }
        text = SkipSpace(rest[1..]);
        return true;
    }

    /// <summary>ASCII without case.</summary>
    public static bool Same(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => a.Length == b.Length && Ascii.EqualsIgnoreCase(a, b);

    /// <summary>Digits only, at most <paramref name="max"/>; no sign, no space.</summary>
    public static bool TryReadNumber(ReadOnlySpan<byte> text, long max, out long value)
    {
        value = 0;
        if (text.IsEmpty || text.Length > 19)
        {
            return false;
        }
        foreach (byte c in text)
        {
            if (c is < (byte)'0' or > (byte)'9')
            {
                return false;
            }
            value = (value * 10) + (c - '0');
            if (value > max)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Length of the quoted string at the front, both quotes included; 0 when it never ends.</summary>
    public static int QuotedLength(ReadOnlySpan<byte> text)
    {
        int at = 1;
        while (at < text.Length)
        {
            int step = text[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (step < 0)
            {
                return 0;
            }
            at += step;
            if (text[at] == (byte)'"')
            {
                return at + 1;
            }
            at += 2;
        }
        return 0;
    }

    /// <summary>Length of the first item of a comma-separated list; commas in quotes and angle brackets are content.</summary>
    public static int ItemLength(ReadOnlySpan<byte> list)
    {
        int at = 0;
        while (at < list.Length)
        {
            int step = list[at..].IndexOfAny((byte)',', (byte)'"', (byte)'<');
            if (step < 0)
            {
                return list.Length;
            }
            at += step;
            if (list[at] == (byte)',')
            {
                return at;
            }
            int length = list[at] == (byte)'"' ? QuotedLength(list[at..]) : list[at..].IndexOf((byte)'>') + 1;
            if (length == 0)
            {
                return list.Length;
            }
            at += length;
        }
        return list.Length;
    }
}
