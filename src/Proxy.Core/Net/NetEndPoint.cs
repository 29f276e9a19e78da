using System;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Proxy.Core.Net;

/// <summary>Any thread. An IPv4 or IPv6 address as a value: no allocation to copy, compare or hash. IPv4-mapped IPv6 is held as IPv4.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct NetAddress
{
    private readonly ulong _high;
    private readonly ulong _low;

    private NetAddress(ulong high, ulong low, bool isV6, uint scope)
    {
        _high = high;
        _low = low;
        IsV6 = isV6;
        Scope = scope;
        IsSet = true;
    }

    /// <summary>False for the default value: no address.</summary>
    public bool IsSet { get; }

    public bool IsV6 { get; }

    /// <summary>IPv6 zone index of link-local addresses, else 0.</summary>
    public uint Scope { get; }

    /// <summary>The IPv4 address in host order; 0 for IPv6.</summary>
    public uint V4 => IsV6 ? 0 : (uint)_low;

    public static NetAddress FromV4(uint hostOrder) => new(0, hostOrder, false, 0);

    /// <param name="bytes">4 or 16 bytes in network order.</param>
    public static bool TryFromBytes(ReadOnlySpan<byte> bytes, out NetAddress address, uint scope = 0)
    {
        address = default;
        if (bytes.Length == 4)
        {
            address = FromV4(BinaryPrimitives.ReadUInt32BigEndian(bytes));
            return true;
        }
        if (bytes.Length != 16)
        {
            return false;
        }
        ulong high = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        ulong low = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        address = high == 0 && low >> 32 == 0xFFFF ? FromV4((uint)low) : new NetAddress(high, low, true, scope);
        return true;
    }

    /// <summary>Writes 4 or 16 bytes in network order.</summary>
    /// <returns>The number written; 0 when it does not fit or no address is set.</returns>
    public int WriteBytes(Span<byte> destination)
    {
        int length = IsV6 ? 16 : 4;
        if (!IsSet || destination.Length < length)
        {
            return 0;
        }
        if (IsV6)
        {
            BinaryPrimitives.WriteUInt64BigEndian(destination, _high);
            BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _low);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)_low);
        }
        return length;
    }

    /// <summary>Reads a literal: dotted IPv4 (four decimal parts), or IPv6 with or without brackets; nothing else, no names.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out NetAddress address)
    {
        address = default;
        if (text.Length >= 2 && text[0] == (byte)'[' && text[^1] == (byte)']')
        {
            text = text[1..^1];
        }
        if (text.IsEmpty || text.Length > 45)
        {
            return false;
        }
        return text.Contains((byte)':') ? TryParseV6(text, out address) : TryParseV4(text, out address);
    }

    public static bool TryParse(string text, out NetAddress address)
    {
        Span<byte> ascii = stackalloc byte[64];
        address = default;
        return text.Length <= 64 && System.Text.Ascii.FromUtf16(text, ascii, out int written) == System.Buffers.OperationStatus.Done
            && TryParse(ascii[..written], out address);
    }

    /// <summary>Writes the literal without brackets; IPv6 in the form of RFC 5952.</summary>
    /// <returns>Bytes written, or 0 when it does not fit.</returns>
    public int Format(Span<byte> destination)
    {
        if (!IsSet)
        {
            return 0;
        }
        if (!IsV6)
        {
            return FormatV4(destination);
        }
        Span<byte> bytes = stackalloc byte[16];
        WriteBytes(bytes);
        return new IPAddress(bytes).TryFormat(destination, out int written) ? written : 0;
    }

    public bool IsUnspecified => IsSet && _high == 0 && _low == 0;

    public bool IsLoopback => IsV6 ? _high == 0 && _low == 1 : (uint)_low >> 24 == 127;

    /// <summary>RFC 1918, RFC 6598, link-local, unique local: not reachable over the public network.</summary>
    public bool IsPrivate => IsV6
        ? _high >> 57 == 0xFC >> 1 || _high >> 54 == 0xFE80 >> 6
        : (uint)_low >> 24 == 10 || (uint)_low >> 20 == 0xAC1 || (uint)_low >> 16 == 0xC0A8
            || (uint)_low >> 22 == 0x6440 >> 6 || (uint)_low >> 16 == 0xA9FE;

    public bool IsMulticastOrBroadcast => IsV6 ? _high >> 56 == 0xFF : (uint)_low >> 28 == 0xE || (uint)_low == uint.MaxValue;

    /// <summary>Whether the first <paramref name="prefixLength"/> bits equal those of <paramref name="network"/>.</summary>
    public bool IsWithin(in NetAddress network, int prefixLength)
    {
        if (IsV6 != network.IsV6 || !IsSet || !network.IsSet)
        {
            return false;
        }
        if (!IsV6)
        {
            return prefixLength <= 0 || ((uint)_low ^ (uint)network._low) >> (32 - prefixLength) == 0;
        }
        if (prefixLength <= 64)
        {
            return prefixLength <= 0 || (_high ^ network._high) >> (64 - prefixLength) == 0;
        }
        return _high == network._high && (_low ^ network._low) >> (128 - prefixLength) == 0;
    }

    public override string ToString()
    {
        Span<byte> text = stackalloc byte[64];
        return System.Text.Encoding.ASCII.GetString(text[..Format(text)]);
    }

    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        int length = WriteBytes(bytes);
        return length == 16 ? new IPAddress(bytes, Scope) : new IPAddress(bytes[..4]);
    }

    public static NetAddress From(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        uint scope = address.AddressFamily == AddressFamily.InterNetworkV6 ? (uint)address.ScopeId : 0;
        TryFromBytes(bytes[..length], out NetAddress result, scope);
        return result;
    }

    private static bool TryParseV4(ReadOnlySpan<byte> text, out NetAddress address)
    {
        address = default;
        uint value = 0;
        int parts = 0;
        while (true)
        {
            int length = 0;
            uint part = 0;
            while (length < text.Length && length < 4 && text[length] is >= (byte)'0' and <= (byte)'9')
            {
                part = (part * 10) + (uint)(text[length++] - '0');
            }
            if (length == 0 || length > 3 || part > 255)
            {
                return false;
            }
            value = (value << 8) | part;
            parts++;
            text = text[length..];
            if (parts == 4)
            {
                address = FromV4(value);
                return text.IsEmpty;
            }
            if (text.IsEmpty || text[0] != (byte)'.')
            {
                return false;
            }
            text = text[1..];
        }
    }

    private static bool TryParseV6(ReadOnlySpan<byte> text, out NetAddress address)
    {
        address = default;
        Span<ushort> groups = stackalloc ushort[8];
        int count = 0;
        int gap = -1;
        if (text.StartsWith("::"u8))
        {
            gap = 0;
            text = text[2..];
        }
        while (!text.IsEmpty)
        {
            if (count == 8)
            {
                return false;
            }
            int end = text.IndexOf((byte)':');
            ReadOnlySpan<byte> group = end < 0 ? text : text[..end];
            if (group.Contains((byte)'.'))
            {
                if (end >= 0 || count > 6 || !TryParseV4(group, out NetAddress v4))
                {
                    return false;
                }
                groups[count++] = (ushort)(v4.V4 >> 16);
                groups[count++] = (ushort)v4.V4;
                break;
            }
            if (!TryParseGroup(group, out groups[count]))
            {
                return false;
            }
            count++;
            if (end < 0)
            {
                break;
            }
            text = text[(end + 1)..];
            if (text.IsEmpty)
            {
                return false;
            }
            if (text[0] == (byte)':')
            {
                if (gap >= 0)
                {
                    return false;
                }
                gap = count;
                text = text[1..];
            }
        }
        return TryAssemble(groups, count, gap, out address);
    }

    private static bool TryAssemble(Span<ushort> groups, int count, int gap, out NetAddress address)
    {
        address = default;
        if (gap < 0 ? count != 8 : count > 7)
        {
            return false;
        }
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        for (int i = 0; i < count; i++)
        {
            int at = gap < 0 || i < gap ? i : i + 8 - count;
            BinaryPrimitives.WriteUInt16BigEndian(bytes[(at * 2)..], groups[i]);
        }
        return TryFromBytes(bytes, out address);
    }

    private static bool TryParseGroup(ReadOnlySpan<byte> group, out ushort value)
    {
        value = 0;
        if (group.IsEmpty || group.Length > 4)
        {
            return false;
        }
        foreach (byte c in group)
        {
            int digit = c switch
            {
                >= (byte)'0' and <= (byte)'9' => c - '0',
                >= (byte)'a' and <= (byte)'f' => c - 'a' + 10,
                >= (byte)'A' and <= (byte)'F' => c - 'A' + 10,
                _ => -1,
            };
            if (digit < 0)
            {
                return false;
            }
            value = (ushort)((value << 4) | digit);
        }
        return true;
    }

    private int FormatV4(Span<byte> destination)
    {
        int written = 0;
        for (int shift = 24; shift >= 0; shift -= 8)
        {
            if (!System.Buffers.Text.Utf8Formatter.TryFormat((byte)(_low >> shift), destination[written..], out int n))
            {
                return 0;
            }
            written += n;
            if (shift > 0)
            {
                if (written == destination.Length)
                {
                    return 0;
                }
                destination[written++] = (byte)'.';
            }
        }
        return written;
    }
}

/// <summary>Any thread. An address and a UDP or TCP port as a value.</summary>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="Port">0–65535.</param>
public readonly record struct NetEndPoint(NetAddress Address, ushort Port)
{
    public bool IsSet => Address.IsSet;

    /// <summary>Reads <c>1.2.3.4:5060</c> or <c>[::1]:5060</c>.</summary>
    public static bool TryParse(string text, out NetEndPoint endPoint)
    {
        endPoint = default;
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), out ushort port)
            || (text.AsSpan(0, colon).Contains(':') && text[0] != '[')
            || !NetAddress.TryParse(text[..colon], out NetAddress address))
        {
            return false;
        }
        endPoint = new NetEndPoint(address, port);
        return true;
    }

    /// <summary>Writes <c>host:port</c>, IPv6 in brackets.</summary>
    /// <returns>Bytes written, or 0 when it does not fit.</returns>
    public int Format(Span<byte> destination)
    {
        int written = 0;
        if (Address.IsV6)
        {
            if (destination.Length < 2)
            {
                return 0;
            }
            destination[written++] = (byte)'[';
        }
        int host = Address.Format(destination[written..]);
        if (host == 0 || destination.Length < written + host + 7)
        {
            return 0;
        }
        written += host;
        if (Address.IsV6)
        {
            destination[written++] = (byte)']';
        }
        destination[written++] = (byte)':';
        System.Buffers.Text.Utf8Formatter.TryFormat(Port, destination[written..], out int digits);
        return written + digits;
    }

    public override string ToString()
    {
        Span<byte> text = stackalloc byte[64];
        return System.Text.Encoding.ASCII.GetString(text[..Format(text)]);
    }
}
