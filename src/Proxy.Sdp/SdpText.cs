using System;
using System.Buffers.Text;
using Proxy.Core.Net;

namespace Proxy.Sdp;

/// <summary>Any thread. The small words of the grammar: tokens, numbers, addresses.</summary>
internal static class SdpText
{
    /// <summary>Cuts the next blank-separated word off the front.</summary>
    /// <returns>The word; empty when none is left.</returns>
    internal static ReadOnlySpan<byte> NextWord(scoped ref ReadOnlySpan<byte> text)
    {
        text = text.TrimStart((byte)' ');
        int end = text.IndexOf((byte)' ');
        ReadOnlySpan<byte> word = end < 0 ? text : text[..end];
        text = end < 0 ? default : text[(end + 1)..];
        return word;
    }

    /// <summary>Reads a whole unsigned decimal and nothing else.</summary>
    internal static bool TryNumber(ReadOnlySpan<byte> text, out uint value)
    {
        value = 0;
        return !text.IsEmpty && text[0] is >= (byte)'0' and <= (byte)'9'
            && Utf8Parser.TryParse(text, out value, out int used) && used == text.Length;
    }

    internal static bool TryNumber64(ReadOnlySpan<byte> text, out ulong value)
    {
        value = 0;
        return !text.IsEmpty && text[0] is >= (byte)'0' and <= (byte)'9'
            && Utf8Parser.TryParse(text, out value, out int used) && used == text.Length;
    }

    internal static bool TryPort(ReadOnlySpan<byte> text, out ushort port)
    {
        bool isPort = TryNumber(text, out uint value) && value <= ushort.MaxValue;
        port = isPort ? (ushort)value : (ushort)0;
        return isPort;
    }

    /// <summary>True when every byte can be echoed into an answer: visible ASCII.</summary>
    internal static bool IsVisible(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExceptInRange((byte)0x21, (byte)0x7E);

    internal static bool EqualsIgnoreCase(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) =>
        System.Text.Ascii.EqualsIgnoreCase(left, right);

    /// <summary>Reads <c>IN IP4 192.0.2.1[/ttl[/count]]</c>.</summary>
    internal static SdpConnection ReadConnection(ReadOnlySpan<byte> value)
    {
        NextWord(ref value);
        ReadOnlySpan<byte> family = NextWord(ref value);
        ReadOnlySpan<byte> host = NextWord(ref value);
        return host.IsEmpty ? default : ReadHost(family, host);
    }

    /// <summary>Reads the address of a connection or an a=rtcp line; a name is present without being literal.</summary>
    internal static SdpConnection ReadHost(ReadOnlySpan<byte> family, ReadOnlySpan<byte> host)
    {
        int slash = host.IndexOf((byte)'/');
        if (slash >= 0)
        {
            host = host[..slash];
        }
        return NetAddress.TryParse(host, out NetAddress address)
            ? new SdpConnection(address, true)
            : new SdpConnection(default, !family.IsEmpty && !host.IsEmpty);
    }
}
