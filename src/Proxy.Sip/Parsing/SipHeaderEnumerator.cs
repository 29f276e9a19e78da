using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>One owner. One header field.</summary>
public readonly ref struct SipHeaderView
{
    internal SipHeaderView(SipHeaderId id, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Id = id;
        Name = name;
        Value = value;
    }

    public SipHeaderId Id { get; }

    /// <summary>As written; may be the compact form.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>Without surrounding white space; folds (CRLF and white space) are left in and count as space.</summary>
    public ReadOnlySpan<byte> Value { get; }
}

/// <summary>One owner. Walks the header fields in order; lines that are no field are passed over.</summary>
public ref struct SipHeaderEnumerator
{
    private ReadOnlySpan<byte> _rest;

    internal SipHeaderEnumerator(ReadOnlySpan<byte> headers)
    {
        _rest = headers;
        Current = default;
    }

    public SipHeaderView Current { get; private set; }

    public readonly SipHeaderEnumerator GetEnumerator() => this;

    [NoAlloc]
    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            int length = FieldLength(_rest);
            ReadOnlySpan<byte> field = _rest[..length];
            _rest = _rest[length..];
            int colon = field.IndexOf((byte)':');
            if (colon > 0)
            {
                ReadOnlySpan<byte> name = SipText.TrimEnd(field[..colon]);
                Current = new SipHeaderView(SipHeaderNames.Identify(name), name, SipText.Trim(field[(colon + 1)..]));
                return true;
            }
        }
        return false;
    }

    /// <summary>Bytes of the field at the front: its line, the folded lines behind it, and the line end.</summary>
    internal static int FieldLength(ReadOnlySpan<byte> text)
    {
        int at = 0;
        while (true)
        {
            int step = text[at..].IndexOf((byte)'\n');
            if (step < 0)
            {
                return text.Length;
            }
            at += step + 1;
            if (at >= text.Length || (text[at] != (byte)' ' && text[at] != (byte)'\t'))
            {
                return at;
            }
        }
    }
}
