using System;
using System.Text;

namespace Proxy.Participant.Signal;

/// <summary>Signal thread. Makes one printable sentence of what a server said when it refused us.</summary>
internal static class RefusalText
{
    private const int LongestBody = 512;
    private const int LongestText = 160;

    /// <summary>Cuts, keeps printable ASCII, and takes out anything that looks like a token: the stock server repeats ours in its 401.</summary>
    public static string Clean(ReadOnlySpan<byte> body)
    {
        body = body[..Math.Min(body.Length, LongestBody)];
        var text = new StringBuilder(LongestText);
        int at = 0;
        while (at < body.Length && text.Length < LongestText)
        {
            int word = WordLength(body[at..]);
            if (word == 0)
            {
                text.Append(body[at] is >= 0x20 and < 0x7F ? (char)body[at] : ' ');
                at++;
                continue;
            }
            ReadOnlySpan<byte> taken = body.Slice(at, word);
            text.Append(LooksLikeToken(taken) ? "(token)" : Encoding.ASCII.GetString(taken));
            at += word;
        }
        return text.ToString(0, Math.Min(text.Length, LongestText)).Trim();
    }

    private static int WordLength(ReadOnlySpan<byte> text)
    {
        int length = 0;
        while (length < text.Length && (char.IsAsciiLetterOrDigit((char)text[length]) || text[length] is (byte)'.' or (byte)'_' or (byte)'-' or (byte)'='))
        {
            length++;
        }
        return length;
    }

    // A JWT, whole or cut: nothing else in a refusal is a run of this length.
    private static bool LooksLikeToken(ReadOnlySpan<byte> word) => word.Length >= 40 || (word.Length >= 20 && word.StartsWith("ey"u8));
}
