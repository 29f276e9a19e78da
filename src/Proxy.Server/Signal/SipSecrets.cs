using System;

namespace Proxy.Server.Signal;

/// <summary>Any thread. Overwrites in a copy of a SIP message what must not be seen later: digest responses, SRTP keys, keyed digits.</summary>
/// <remarks>RFC 3261 §22.4 (<c>response</c>), RFC 4568 §9.1 (<c>a=crypto</c>), RFC 8866 §5.12 (<c>k=</c>), INFO with <c>Signal=</c> (a PIN may be keyed).</remarks>
public static class SipSecrets
{
    private const byte Masked = (byte)'*';

    /// <summary>Masks in place; lengths stay as they are.</summary>
    public static void Mask(Span<byte> message)
    {
        bool isCredentials = false;
        bool isBody = false;
        bool isDigits = false;
        while (!message.IsEmpty)
        {
            int end = message.IndexOf((byte)'\n');
            Span<byte> line = end < 0 ? message : message[..end];
            message = end < 0 ? default : message[(end + 1)..];
            line = line.TrimEnd((byte)'\r');
            if (line.IsEmpty)
            {
                isBody = true;
            }
            else if (isBody)
            {
                MaskBody(line, isDigits);
            }
            else
            {
                // A line that begins with white space goes on with the field above (RFC 3261 §7.3.1).
                isCredentials = line[0] is (byte)' ' or (byte)'\t' ? isCredentials : StartsWith(line, "Authorization"u8) || StartsWith(line, "Proxy-Authorization"u8);
                isDigits |= (StartsWith(line, "Content-Type"u8) || StartsWith(line, "c:"u8) || StartsWith(line, "c "u8)) && Contains(line, "application/dtmf"u8);
                if (isCredentials)
                {
                    MaskResponse(line);
                }
            }
        }
    }

    private static void MaskResponse(Span<byte> line)
    {
        int at = IndexOf(line, "response"u8);
        while (at >= 0)
        {
            Span<byte> rest = line[(at + 8)..];
            int value = rest.IndexOfAnyExcept(" \t="u8);
            if (value > 0 && rest[..value].Contains((byte)'='))
            {
                Span<byte> text = rest[value..];
                bool isQuoted = text[0] == '"';
                text = isQuoted ? text[1..] : text;
                int length = isQuoted ? text.IndexOf((byte)'"') : text.IndexOfAny(", \t"u8);
                text[..(length < 0 ? text.Length : length)].Fill(Masked);
            }
            line = rest;
            at = IndexOf(line, "response"u8);
        }
    }

    private static void MaskBody(Span<byte> line, bool isDigits)
    {
        if (StartsWith(line, "a=crypto:"u8))
        {
            int at = IndexOf(line, "inline:"u8);
            while (at >= 0)
            {
                line = line[(at + 7)..];
                int length = line.IndexOfAny("|; \t"u8);
                line[..(length < 0 ? line.Length : length)].Fill(Masked);
                at = IndexOf(line, "inline:"u8);
            }
        }
        else if (StartsWith(line, "k="u8))
        {
            line[2..].Fill(Masked);
        }
        else if (isDigits)
        {
            int value = line.IndexOf((byte)'=') + 1;
            if (value == 0 || StartsWith(line, "Signal"u8))
            {
                line[value..].Fill(Masked);
            }
        }
    }

    private static bool StartsWith(ReadOnlySpan<byte> line, ReadOnlySpan<byte> start) =>
        line.Length >= start.Length && System.Text.Ascii.EqualsIgnoreCase(line[..start.Length], start);

    private static bool Contains(ReadOnlySpan<byte> line, ReadOnlySpan<byte> text) => IndexOf(line, text) >= 0;

    private static int IndexOf(ReadOnlySpan<byte> line, ReadOnlySpan<byte> text)
    {
        for (int i = 0; i + text.Length <= line.Length; i++)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(line.Slice(i, text.Length), text))
            {
                return i;
            }
        }
        return -1;
    }
}
