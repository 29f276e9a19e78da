using System;
using System.Buffers.Binary;

namespace Proxy.WebRtc.Sctp;

/// <summary>One owner. What a peer says of itself in INIT, INIT ACK, or in the cookie of ours that it gives back.</summary>
/// <remarks>RFC 9260 §3.3.2, §3.3.3, §5.1.3.</remarks>
internal ref struct SctpInit
{
    private const int FixedBytes = 20;
    private const int CookieBytes = 24;

    /// <summary>What every packet to the peer must carry; never 0.</summary>
    public uint Tag { get; private set; }

    /// <summary>Bytes that it can take.</summary>
    public uint Window { get; private set; }

    public uint InitialTsn { get; private set; }

    /// <summary>Whether it understands FORWARD TSN.</summary>
    public bool CanForward { get; private set; }

    /// <summary>Its state cookie, borrowed; empty in INIT.</summary>
    public ReadOnlySpan<byte> Cookie { get; private set; }

    /// <param name="chunk">INIT or INIT ACK with its header.</param>
    public static bool TryRead(ReadOnlySpan<byte> chunk, out SctpInit init)
    {
        init = default;
        if (chunk.Length < FixedBytes)
        {
            return false;
        }
        init.Tag = BinaryPrimitives.ReadUInt32BigEndian(chunk[4..]);
        init.Window = BinaryPrimitives.ReadUInt32BigEndian(chunk[8..]);
        init.InitialTsn = BinaryPrimitives.ReadUInt32BigEndian(chunk[16..]);
        bool hasStreams = BinaryPrimitives.ReadUInt16BigEndian(chunk[12..]) != 0 && BinaryPrimitives.ReadUInt16BigEndian(chunk[14..]) != 0;
        TlvReader parameters = new(chunk[FixedBytes..]);
        while (parameters.TryNext(out ReadOnlySpan<byte> parameter))
        {
            switch (BinaryPrimitives.ReadUInt16BigEndian(parameter))
            {
                case SctpWire.ParamStateCookie:
                    init.Cookie = parameter[4..];
                    break;
                case SctpWire.ParamForwardTsn:
                    init.CanForward = true;
                    break;
                default:
                    break;
            }
        }
        return init.Tag != 0 && hasStreams && !parameters.IsBroken;
    }

    /// <summary>Reads back a cookie of ours.</summary>
    /// <param name="cookie">Without the chunk header.</param>
    /// <param name="nonce">That of the association; a cookie without it is not ours.</param>
    public static bool TryReadCookie(ReadOnlySpan<byte> cookie, uint nonce, out SctpInit init)
    {
        init = default;
        if (cookie.Length != CookieBytes || BinaryPrimitives.ReadUInt32BigEndian(cookie) != nonce)
        {
            return false;
        }
        init.Tag = BinaryPrimitives.ReadUInt32BigEndian(cookie[4..]);
        init.InitialTsn = BinaryPrimitives.ReadUInt32BigEndian(cookie[8..]);
        init.Window = BinaryPrimitives.ReadUInt32BigEndian(cookie[12..]);
        init.CanForward = cookie[16] != 0;
        return init.Tag != 0;
    }

    /// <summary>Writes tag, window, streams, first number and our two parameters: the same in INIT and INIT ACK.</summary>
    /// <returns>Bytes written.</returns>
    public static int WriteBody(Span<byte> body, uint localTag, uint initialTsn)
    {
        BinaryPrimitives.WriteUInt32BigEndian(body, localTag);
        BinaryPrimitives.WriteUInt32BigEndian(body[4..], SctpLimits.InboundBytes);
        BinaryPrimitives.WriteUInt16BigEndian(body[8..], SctpLimits.Streams);
        BinaryPrimitives.WriteUInt16BigEndian(body[10..], SctpLimits.Streams);
        BinaryPrimitives.WriteUInt32BigEndian(body[12..], initialTsn);
        BinaryPrimitives.WriteUInt16BigEndian(body[16..], SctpWire.ParamForwardTsn);
        BinaryPrimitives.WriteUInt16BigEndian(body[18..], 4);
        BinaryPrimitives.WriteUInt16BigEndian(body[20..], SctpWire.ParamExtensions);
        BinaryPrimitives.WriteUInt16BigEndian(body[22..], 6);
        body[24] = SctpWire.ForwardTsn;
        body[25] = SctpWire.ReConfig;
        body[26..28].Clear();
        return 28;
    }

    /// <summary>Writes the cookie parameter that holds all of this.</summary>
    /// <returns>Bytes written.</returns>
    public readonly int WriteCookie(Span<byte> parameter, uint nonce)
    {
        BinaryPrimitives.WriteUInt16BigEndian(parameter, SctpWire.ParamStateCookie);
        BinaryPrimitives.WriteUInt16BigEndian(parameter[2..], 4 + CookieBytes);
        Span<byte> cookie = parameter.Slice(4, CookieBytes);
        cookie.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(cookie, nonce);
        BinaryPrimitives.WriteUInt32BigEndian(cookie[4..], Tag);
        BinaryPrimitives.WriteUInt32BigEndian(cookie[8..], InitialTsn);
        BinaryPrimitives.WriteUInt32BigEndian(cookie[12..], Window);
        cookie[16] = (byte)(CanForward ? 1 : 0);
        return 4 + CookieBytes;
    }

    /// <summary>Reports the parameters of an INIT that we do not know, as their two highest bits ask (RFC 9260 §3.2.1).</summary>
    /// <param name="space">Where the reports go; those that do not fit are left out.</param>
    /// <param name="chunk">The INIT with its header.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteUnrecognized(Span<byte> space, ReadOnlySpan<byte> chunk)
    {
        int at = 0;
        TlvReader parameters = new(chunk[FixedBytes..]);
        while (parameters.TryNext(out ReadOnlySpan<byte> parameter))
        {
            int type = BinaryPrimitives.ReadUInt16BigEndian(parameter);
            if (IsKnown(type))
            {
                continue;
            }
            int padded = SctpWire.Padded(4 + parameter.Length);
            if ((type & 0x4000) != 0 && padded <= space.Length - at)
            {
                Span<byte> report = space.Slice(at, padded);
                report.Clear();
                BinaryPrimitives.WriteUInt16BigEndian(report, SctpWire.ParamUnrecognized);
                BinaryPrimitives.WriteUInt16BigEndian(report[2..], (ushort)(4 + parameter.Length));
                parameter.CopyTo(report[4..]);
                at += padded;
            }
            if ((type & 0x8000) == 0)
            {
                break;
            }
        }
        return at;
    }

    /// <summary>Those we read, and those RFC 9260 defines that mean nothing here: addresses, cookie lifetime, host name, address types, ECN.</summary>
    private static bool IsKnown(int type) =>
        type is 5 or 6 or 9 or 11 or 12 or 0x8000 or SctpWire.ParamStateCookie or SctpWire.ParamExtensions or SctpWire.ParamForwardTsn;
}
