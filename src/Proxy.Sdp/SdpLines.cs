using System;

namespace Proxy.Sdp;

/// <summary>One owner. One line of a session description, borrowed: the letter and what stands behind the equals sign.</summary>
/// <remarks>RFC 8866 §5: <c>type=value CRLF</c>.</remarks>
public readonly ref struct SdpLine
{
    internal SdpLine(byte type, ReadOnlySpan<byte> value)
    {
        Type = type;
        Value = value;
    }

    /// <summary>The letter before the equals sign.</summary>
    public byte Type { get; }

    /// <summary>The rest of the line without line end and trailing blanks.</summary>
    public ReadOnlySpan<byte> Value { get; }
}

/// <summary>One owner. Walks the lines of a description; takes CRLF and bare LF, skips what is no line.</summary>
public ref struct SdpLines
{
    private ReadOnlySpan<byte> _rest;

    internal SdpLines(ReadOnlySpan<byte> text) => _rest = text;

    public SdpLine Current { get; private set; }

    public readonly SdpLines GetEnumerator() => this;

    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            int end = _rest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? _rest : _rest[..end];
            _rest = end < 0 ? default : _rest[(end + 1)..];
            line = line.TrimEnd(" \t\r"u8);
            if (line.Length >= 2 && line[1] == (byte)'=')
            {
                Current = new SdpLine(line[0], line[2..]);
                return true;
            }
        }
        return false;
    }
}

/// <summary>One owner. Walks the attributes of one section; stops after <see cref="SdpView.MaxAttributes"/> of them.</summary>
public ref struct SdpAttributes
{
    private readonly ReadOnlySpan<byte> _wanted;
    private SdpLines _lines;
    private int _left;

    internal SdpAttributes(ReadOnlySpan<byte> section, ReadOnlySpan<byte> wanted)
    {
        _lines = new SdpLines(section);
        _wanted = wanted;
        _left = SdpView.MaxAttributes;
    }

    /// <summary>The attribute's name.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>What stands behind the colon; empty for a bare attribute.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>This walker itself, standing on an attribute.</summary>
    public readonly SdpAttributes Current => this;

    public readonly SdpAttributes GetEnumerator() => this;

    public bool MoveNext()
    {
        while (_left > 0 && _lines.MoveNext())
        {
            if (_lines.Current.Type != (byte)'a')
            {
                continue;
            }
            _left--;
            ReadOnlySpan<byte> text = _lines.Current.Value;
            int colon = text.IndexOf((byte)':');
            Name = colon < 0 ? text : text[..colon];
            Value = colon < 0 ? default : text[(colon + 1)..];
            if (_wanted.IsEmpty || Name.SequenceEqual(_wanted))
            {
                return true;
            }
        }
        return false;
    }
}
