using System;
using System.Collections.Generic;

namespace Proxy.Server.Store;

/// <summary>Any thread. The order of ids as their UTF-8 bytes have it; that of UTF-16 is another one beyond the first plane.</summary>
internal sealed class IdOrder : IComparer<string>
{
    private const int SurrogatesFirst = 0xD800;
    private const int SurrogatesEnd = 0xE000;

    private IdOrder()
    {
    }

    public static IdOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        ReadOnlySpan<char> a = x;
        ReadOnlySpan<char> b = y;
        int same = a.CommonPrefixLength(b);
        return same == a.Length || same == b.Length ? a.Length.CompareTo(b.Length) : Weight(a[same]).CompareTo(Weight(b[same]));
    }

    /// <summary>Surrogates stand for what comes after everything else.</summary>
    private static int Weight(char c) => c is >= (char)SurrogatesFirst and < (char)SurrogatesEnd ? c + 0x1_0000 : c;
}
