using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>Any thread. The body of a NOTIFY about a REFER (RFC 3420, RFC 3515 §2.4.5).</summary>
public static class SipFragment
{
    /// <returns>The code of its status line, 100–699; 0 without one.</returns>
    [NoAlloc]
    public static int Status(ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> line = SipText.SkipSpace(body);
        if (line.Length < 11 || !SipText.Same(line[..8], "SIP/2.0 "u8) || !SipText.TryReadNumber(line.Slice(8, 3), 699, out long status))
        {
            return 0;
        }
        return status >= 100 ? (int)status : 0;
    }

    /// <returns>The reason phrase of its status line, as written; empty without one.</returns>
    [NoAlloc]
    public static ReadOnlySpan<byte> Reason(ReadOnlySpan<byte> body)
    {
        if (Status(body) == 0)
        {
            return default;
        }
        ReadOnlySpan<byte> rest = SipText.SkipSpace(body)[11..];
        int end = rest.IndexOfAny((byte)'\r', (byte)'\n');
        return SipText.Trim(end < 0 ? rest : rest[..end]);
    }
}
