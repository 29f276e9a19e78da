using System;
using System.Buffers.Text;
using Proxy.Core.Net;

namespace Proxy.Sdp;

/// <summary>
/// One owner. Writes a session description into a caller's buffer, piece by piece. What does not fit is remembered:
/// <see cref="Length"/> is then 0.
/// </summary>
public ref struct SdpWriter
{
    private readonly Span<byte> _destination;
    private int _written;

    public SdpWriter(Span<byte> destination) => _destination = destination;

    /// <summary>True once something did not fit.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Bytes written, or 0 when something did not fit.</summary>
    public readonly int Length => IsFull ? 0 : _written;

    /// <summary>Writes bytes as they are.</summary>
    public void Raw(scoped ReadOnlySpan<byte> text)
    {
        if (text.Length > _destination.Length - _written)
        {
            IsFull = true;
            return;
        }
        text.CopyTo(_destination[_written..]);
        _written += text.Length;
    }

    /// <summary>Writes ASCII text; other characters become question marks.</summary>
    public void Raw(string text)
    {
        if (text.Length > _destination.Length - _written)
        {
            IsFull = true;
            return;
        }
        foreach (char c in text)
        {
            _destination[_written++] = c is >= ' ' and <= '~' ? (byte)c : (byte)'?';
        }
    }

    public void Number(ulong value)
    {
        if (Utf8Formatter.TryFormat(value, _destination[_written..], out int written))
        {
            _written += written;
        }
        else
        {
            IsFull = true;
        }
    }

    public void Space() => Raw(" "u8);

    public void EndLine() => Raw("\r\n"u8);

    /// <summary>Writes <c>IN IP4 192.0.2.1</c>.</summary>
    public void Address(in NetAddress address)
    {
        Raw(address.IsV6 ? "IN IP6 "u8 : "IN IP4 "u8);
        int written = address.Format(_destination[_written..]);
        IsFull |= written == 0;
        _written += written;
    }

    /// <summary>Writes <c>x=value</c> and the line end.</summary>
    public void Line(scoped ReadOnlySpan<byte> typeAndEquals, scoped ReadOnlySpan<byte> value)
    {
        Raw(typeAndEquals);
        Raw(value);
        EndLine();
    }

    /// <summary>Writes <c>a=name</c>.</summary>
    public void Attribute(scoped ReadOnlySpan<byte> name) => Line("a="u8, name);

    /// <summary>Writes <c>a=name:value</c>.</summary>
    public void Attribute(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        Raw("a="u8);
        Raw(name);
        Raw(":"u8);
        Raw(value);
        EndLine();
    }

    /// <summary>Writes <c>a=name:number</c>.</summary>
    public void Attribute(scoped ReadOnlySpan<byte> name, ulong value)
    {
        Raw("a="u8);
        Raw(name);
        Raw(":"u8);
        Number(value);
        EndLine();
    }

    /// <summary>Writes <c>a=rtpmap:pt name/clock[/channels]</c>.</summary>
    public void RtpMap(byte payloadType, scoped ReadOnlySpan<byte> name, uint clockHz, byte channels = 1)
    {
        Raw("a=rtpmap:"u8);
        Number(payloadType);
        Space();
        Raw(name);
        Raw("/"u8);
        Number(clockHz);
        if (channels > 1)
        {
            Raw("/"u8);
            Number(channels);
        }
        EndLine();
    }

    /// <summary>Writes v=, o=, s=, c= and t=.</summary>
    /// <remarks>RFC 8866 §5.</remarks>
    /// <param name="sessionId">Stays for the life of the session.</param>
    /// <param name="version">Grows by one with every change (RFC 3264 §8).</param>
    /// <param name="timing">Value of t=; an answer repeats the offer's (RFC 3264 §6).</param>
    public void SessionHead(ulong sessionId, ulong version, scoped ReadOnlySpan<byte> name, in NetAddress address, scoped ReadOnlySpan<byte> timing)
    {
        Raw("v=0\r\no=- "u8);
        Number(sessionId);
        Space();
        Number(version);
        Space();
        Address(address);
        Raw("\r\ns="u8);
        Raw(name);
        Raw("\r\nc="u8);
        Address(address);
        Raw("\r\nt="u8);
        Raw(timing);
        EndLine();
    }
}
