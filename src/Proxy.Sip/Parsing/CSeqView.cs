using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>One owner. Number and method of CSeq.</summary>
/// <remarks>RFC 3261 §20.16.</remarks>
public readonly ref struct CSeqView
{
    private CSeqView(uint number, ReadOnlySpan<byte> method)
    {
        Number = number;
        MethodText = method;
    }

    public uint Number { get; }

    public SipMethod Method => SipMethods.Identify(MethodText);

    public ReadOnlySpan<byte> MethodText { get; }

    /// <returns>False when the number is no 32-bit number or the method no token.</returns>
    [NoAlloc]
    public static bool TryParse(ReadOnlySpan<byte> value, out CSeqView view)
    {
        view = default;
        ReadOnlySpan<byte> rest = SipText.Trim(value);
        ReadOnlySpan<byte> digits = SipText.ReadToken(ref rest);
        // Leading zeros are digits too (RFC 4475 §3.1.1.1 has ten of them).
        ReadOnlySpan<byte> significant = digits.TrimStart((byte)'0');
        ReadOnlySpan<byte> method = SipText.SkipSpace(rest);
        long number = 0;
        if (digits.IsEmpty || (!significant.IsEmpty && !SipText.TryReadNumber(significant, uint.MaxValue, out number))
            || method.Length == rest.Length || !SipText.IsToken(method))
        {
            return false;
        }
        view = new CSeqView((uint)number, method);
        return true;
    }
}
