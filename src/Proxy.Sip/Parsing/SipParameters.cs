using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>Any thread. Reads <c>;name=value;name</c> lists of header values and URIs.</summary>
/// <remarks>RFC 3261 §25.1: generic-param = token [ EQUAL ( token / host / quoted-string ) ].</remarks>
public static class SipParameters
{
    /// <summary>Takes the parameter at the front of the list.</summary>
    /// <param name="list">Begins with ';'; what follows the parameter remains.</param>
    /// <param name="name">The name, as written.</param>
    /// <param name="value">Without its quotes; empty for a bare name.</param>
    /// <returns>False when the list is empty or malformed; <paramref name="list"/> is then empty or not.</returns>
    [NoAlloc]
    public static bool TryTake(scoped ref ReadOnlySpan<byte> list, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        name = default;
        ReadOnlySpan<byte> rest = list;
        if (!SipText.TryTake(ref rest, (byte)';'))
        {
            list = SipText.SkipSpace(list);
            return false;
        }
        int end = rest.IndexOfAny(" \t\r\n=;,\"<>"u8);
        name = end < 0 ? rest : rest[..end];
        if (name.IsEmpty)
        {
            return false;
        }
        rest = rest[name.Length..];
        if (SipText.TryTake(ref rest, (byte)'=') && !TryTakeValue(ref rest, out value))
        {
            return false;
        }
        list = SipText.SkipSpace(rest);
        return list.IsEmpty || list[0] == (byte)';';
    }

    /// <summary>The value of the first parameter of that name.</summary>
    /// <returns>False when there is none.</returns>
    [NoAlloc]
    public static bool TryGet(ReadOnlySpan<byte> list, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        while (TryTake(ref list, out ReadOnlySpan<byte> candidate, out value))
        {
            if (SipText.Same(candidate, name))
            {
                return true;
            }
        }
        value = default;
        return false;
    }

    /// <summary>Whether the whole text is a parameter list (or empty).</summary>
    [NoAlloc]
    public static bool IsValid(ReadOnlySpan<byte> list)
    {
        while (TryTake(ref list, out ReadOnlySpan<byte> name, out _))
        {
            if (!SipText.IsToken(name))
            {
                return false;
            }
        }
        return list.IsEmpty;
    }

    private static bool TryTakeValue(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> value)
    {
        if (!rest.IsEmpty && rest[0] == (byte)'"')
        {
            int length = SipText.QuotedLength(rest);
            value = length == 0 ? default : rest[1..(length - 1)];
            rest = rest[length..];
            return length > 0;
        }
        int end = rest.IndexOfAny(" \t\r\n;,\"<>"u8);
        value = end < 0 ? rest : rest[..end];
        rest = rest[value.Length..];
        return true;
    }
}
