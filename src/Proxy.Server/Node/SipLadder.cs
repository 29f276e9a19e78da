using System;
using System.Globalization;
using System.Text;
using Proxy.Bridge;
using Proxy.Server.Signal;
using Proxy.Sip.Parsing;

namespace Proxy.Server.Node;

/// <summary>Any thread. A call's SIP messages as text: the ladder first, then every message. Nothing in it can move a terminal's cursor.</summary>
public static class SipLadder
{
    private const int ArrowWidth = 34;
    private const int LabelMax = 30;

    /// <param name="sipCallId">Whose messages they are.</param>
    /// <param name="copy">What was kept.</param>
    /// <param name="utc">Wall clock of the first message.</param>
    public static string Write(string sipCallId, SipTraceCopy copy, DateTimeOffset utc)
    {
        var text = new StringBuilder();
        SipTraceMessage first = copy.Messages[0];
        string start = utc.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        text.Append(CultureInfo.InvariantCulture, $"Call-ID {Clean(sipCallId)}, {start}\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{"",12}  {Where(first),-ArrowWidth}  siproom\n");
        foreach (SipTraceMessage message in copy.Messages)
        {
            string from = message.Remote == first.Remote ? "" : $"  {(message.IsSent ? "to" : "from")} {Where(message)}";
            text.Append(CultureInfo.InvariantCulture, $"{Ms(message, first),9} ms  {Arrow(message)}{from}\n");
        }
        if (copy.Cut > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"              … and {copy.Cut} more that were not kept\n");
        }
        foreach (SipTraceMessage message in copy.Messages)
        {
            if (!message.IsRepeat)
            {
                WriteMessage(text, message, first);
            }
        }
        return text.ToString();
    }

    /// <summary>What a message is called in a ladder: method or status, and for a response to something other than INVITE its method.</summary>
    public static string Label(ReadOnlySpan<byte> message)
    {
        SipMessageView.TryParse(message, out SipMessageView view, out _);
        if (view.IsRequest)
        {
            return Text(view.MethodText);
        }
        if (view.StatusCode == 0)
        {
            return "(unreadable)";
        }
        string method = Text(view.CSeq.MethodText);
        string status = string.Create(CultureInfo.InvariantCulture, $"{view.StatusCode} {Text(view.ReasonPhrase)}");
        return method is "INVITE" or "" ? status : $"{status} ({method})";
    }

    private static void WriteMessage(StringBuilder text, SipTraceMessage message, SipTraceMessage first)
    {
        string direction = message.IsSent ? "sent to" : "received from";
        string part = message.Bytes.Length < message.WireLength ? ", only the first line was kept" : "";
        text.Append(CultureInfo.InvariantCulture, $"\n── {Ms(message, first)} ms · {direction} {Where(message)} · {message.WireLength} bytes{part}\n");
        text.Append(Text(message.Bytes).TrimEnd('\n'));
        text.Append('\n');
    }

    private static string Arrow(SipTraceMessage message)
    {
        string label = message.Bytes.Length == 0 ? "(again)" : Label(message.Bytes) + (message.IsRepeat ? " (again)" : "");
        label = label.Length > LabelMax ? label[..LabelMax] : label;
        int line = ArrowWidth - label.Length - 1;
        string before = new('─', line / 2);
        string after = new('─', line - (line / 2));
        return message.IsSent ? $"◀{before}{label}{after}" : $"{before}{label}{after}▶";
    }

    private static string Where(SipTraceMessage message) => $"{FactsFromInvite.TransportName(message.Transport)} {message.Remote}";

    private static string Ms(SipTraceMessage message, SipTraceMessage first) =>
        (message.At - first.At).TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);

    private static string Text(ReadOnlySpan<byte> bytes) => Clean(Encoding.UTF8.GetString(bytes));

    /// <summary>Line ends become \n; other control characters, which a stranger may have sent to the terminal of who looks, become a dot.</summary>
    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            if (c != '\r')
            {
                clean.Append(c is '\n' or '\t' || !char.IsControl(c) ? c : '.');
            }
        }
        return clean.ToString();
    }
}
