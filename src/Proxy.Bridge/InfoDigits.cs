using System;

namespace Proxy.Bridge;

/// <summary>Any thread. Key presses in INFO bodies: <c>application/dtmf-relay</c> (<c>Signal=5</c> lines) and <c>application/dtmf</c> (the digit alone).</summary>
internal static class InfoDigits
{
    private const string Digits = "0123456789*#ABCD";

    /// <returns>False when the body is no key press.</returns>
    public static bool TryRead(ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body, out char digit)
    {
        digit = '\0';
        if (StartsWith(contentType, "application/dtmf-relay"u8))
        {
            int at = IndexOfSignal(body);
            return at >= 0 && TryDigit(Trim(body[at..]), out digit);
        }
        return StartsWith(contentType, "application/dtmf"u8) && TryDigit(Trim(body), out digit);
    }

    private static int IndexOfSignal(ReadOnlySpan<byte> body)
    {
        for (int at = 0; at + 7 <= body.Length; at++)
        {
            if (StartsWith(body[at..], "signal"u8))
            {
                ReadOnlySpan<byte> rest = body[(at + 6)..];
                int equals = rest.IndexOf((byte)'=');
                return equals is >= 0 and < 4 ? at + 6 + equals + 1 : -1;
            }
        }
        return -1;
    }

    private static bool TryDigit(ReadOnlySpan<byte> text, out char digit)
    {
        digit = '\0';
        if (text.IsEmpty)
        {
            return false;
        }
        // dtmf-relay also knows 10 and 11 for the star and the square.
        if (text.Length >= 2 && text[0] == (byte)'1' && text[1] is (byte)'0' or (byte)'1')
        {
            digit = text[1] == (byte)'0' ? '*' : '#';
            return true;
        }
        char c = char.ToUpperInvariant((char)text[0]);
        digit = Digits.Contains(c, StringComparison.Ordinal) ? c : '\0';
        return digit != '\0';
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text)
    {
        text = text.Trim(" \t\r\n"u8);
        int end = text.IndexOfAny((byte)'\r', (byte)'\n');
        return end < 0 ? text : text[..end];
    }

    private static bool StartsWith(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower)
    {
        if (text.Length < lower.Length)
        {
            return false;
        }
        for (int i = 0; i < lower.Length; i++)
        {
            byte c = text[i] is >= (byte)'A' and <= (byte)'Z' ? (byte)(text[i] | 0x20) : text[i];
            if (c != lower[i])
            {
                return false;
            }
        }
        return true;
    }
}
