using System;
using System.Collections.Generic;
using System.Text;
using Proxy.Policy;
using Proxy.Sdp;
using Proxy.Sip.Writing;

namespace Proxy.Bridge;

/// <summary>Signal thread. The header fields that a trunk adds to what we send: static ones on the 200, attributes of the participant on 200, BYE, REFER and late refusals.</summary>
internal static class CallHeaders
{
    public const int Max = 3_072;

    /// <summary>The trunk's <c>headers</c>.</summary>
    public static void AddStatic(ref SipHeaderLines lines, Verdict verdict)
    {
        foreach (KeyValuePair<string, string> header in verdict.Headers)
        {
            Add(ref lines, header.Key, header.Value);
        }
    }

    /// <summary>Why the media of an offer or answer is not taken.</summary>
    public static void AddWarning(ref SipHeaderLines lines, in AnswerVerdict verdict, string agent)
    {
        if (verdict.WarningCode > 0)
        {
            lines.Add("Warning", $"{verdict.WarningCode} {agent} \"{verdict.WarningText}\"");
        }
    }

    /// <summary>The trunk's <c>attributes_to_headers</c>, with what the attributes are now; one that is not set is no header.</summary>
    public static void AddMapped(ref SipHeaderLines lines, Verdict verdict, IReadOnlyDictionary<string, string> attributes)
    {
        foreach (KeyValuePair<string, string> pair in verdict.AttributesToHeaders)
        {
            if (attributes.TryGetValue(pair.Key, out string? value) && value.Length > 0)
            {
                Add(ref lines, pair.Value, value);
            }
        }
    }

    /// <summary>What does not fit, or would write a field of the message's own, is left out: no attribute may end a call.</summary>
    public static void Add(ref SipHeaderLines lines, string name, string value)
    {
        Span<byte> bytes = stackalloc byte[64];
        if (Encoding.UTF8.TryGetBytes(name, bytes, out int length) && SipHeaderLines.IsFree(bytes[..length]))
        {
            lines.Add(name, value);
        }
    }
}
