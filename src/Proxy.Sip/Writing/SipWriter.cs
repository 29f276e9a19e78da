using System;
using System.Buffers.Text;
using Proxy.Core.Net;

namespace Proxy.Sip.Writing;

/// <summary>One owner. Appends to a buffer; what does not fit makes the whole message void.</summary>
internal ref struct SipWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;

    public int Length { get; private set; }

    public bool IsFull { get; private set; }

    public void Add(scoped ReadOnlySpan<byte> text)
    {
        if (IsFull || text.Length > _buffer.Length - Length)
        {
            IsFull = true;
            return;
        }
        text.CopyTo(_buffer[Length..]);
        Length += text.Length;
    }

    /// <summary>A field value on one line: line breaks of folds become spaces.</summary>
    public void AddValue(scoped ReadOnlySpan<byte> value)
    {
        int start = Length;
        Add(value);
        if (!IsFull)
        {
            Span<byte> written = _buffer[start..Length];
            written.Replace((byte)'\r', (byte)' ');
            written.Replace((byte)'\n', (byte)' ');
        }
    }

    public void AddField(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        Add(name);
        Add(": "u8);
        AddValue(value);
        Add("\r\n"u8);
    }

    public void AddNumber(long number)
    {
        if (IsFull || !Utf8Formatter.TryFormat(number, _buffer[Length..], out int written))
        {
            IsFull = true;
            return;
        }
        Length += written;
    }

    /// <summary>An IPv4 address, or an IPv6 address in brackets.</summary>
    public void AddHost(NetAddress address)
    {
        Span<byte> text = stackalloc byte[48];
        int length = address.Format(text);
        if (address.IsV6)
        {
            Add("["u8);
        }
        Add(text[..length]);
        if (address.IsV6)
        {
            Add("]"u8);
        }
    }

    /// <summary>host:port.</summary>
    public void AddHostPort(NetEndPoint endPoint)
    {
        AddHost(endPoint.Address);
        Add(":"u8);
        AddNumber(endPoint.Port);
    }

    /// <summary>Content-Type, Content-Length, the empty line and the body.</summary>
    public void AddBody(scoped ReadOnlySpan<byte> contentType, scoped ReadOnlySpan<byte> body)
    {
        if (!body.IsEmpty && !contentType.IsEmpty)
        {
            AddField("Content-Type"u8, contentType);
        }
        Add("Content-Length: "u8);
        AddNumber(body.Length);
        Add("\r\n\r\n"u8);
        Add(body);
    }
}
