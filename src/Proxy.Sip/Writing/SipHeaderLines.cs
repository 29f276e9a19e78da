using System;

namespace Proxy.Sip.Writing;

/// <summary>One owner. Builds extra header lines for the methods of SipDialog in the caller's buffer; CR, LF and NUL in a value become spaces.</summary>
public ref struct SipHeaderLines
{
    /// <summary>What the dialog's own methods have room for: extra lines beyond are refused.</summary>
    internal const int ExtraMax = 4_096;

    private readonly Span<byte> _buffer;
    private int _length;

    /// <param name="buffer">Where the lines go; what does not fit is left out and <see cref="IsComplete"/> becomes false.</param>
    public SipHeaderLines(Span<byte> buffer)
    {
        _buffer = buffer;
        _length = 0;
        IsComplete = true;
    }

    /// <summary>False when a line did not fit or its name is no token.</summary>
    public bool IsComplete { get; private set; }

    public readonly ReadOnlySpan<byte> Written => _buffer[.._length];

    /// <summary>Whether a configuration may write that field: a token, and none that the message's own machinery writes or reads.</summary>
    public static bool IsFree(scoped ReadOnlySpan<byte> name) => Parsing.SipText.IsToken(name) && Parsing.SipHeaderNames.Identify(name) is
        Parsing.SipHeaderId.Other or Parsing.SipHeaderId.Subject or Parsing.SipHeaderId.Date or Parsing.SipHeaderId.Diversion or Parsing.SipHeaderId.HistoryInfo
        or Parsing.SipHeaderId.PAssertedIdentity or Parsing.SipHeaderId.PPreferredIdentity or Parsing.SipHeaderId.RemotePartyId or Parsing.SipHeaderId.Privacy
        or Parsing.SipHeaderId.Identity or Parsing.SipHeaderId.IdentityInfo or Parsing.SipHeaderId.PChargingVector or Parsing.SipHeaderId.UserToUser
        or Parsing.SipHeaderId.SessionId or Parsing.SipHeaderId.PEarlyMedia or Parsing.SipHeaderId.ReferredBy;

    /// <summary>Adds <c>name: value CRLF</c>.</summary>
    public bool Add(scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        int needed = name.Length + value.Length + 4;
        if (name.IsEmpty || needed > _buffer.Length - _length || !Parsing.SipText.IsToken(name))
        {
            IsComplete = false;
            return false;
        }
        Span<byte> at = _buffer[_length..];
        name.CopyTo(at);
        at[name.Length] = (byte)':';
        at[name.Length + 1] = (byte)' ';
        Span<byte> target = at.Slice(name.Length + 2, value.Length);
        value.CopyTo(target);
        foreach (ref byte c in target)
        {
            if (c is (byte)'\r' or (byte)'\n' or 0)
            {
                c = (byte)' ';
            }
        }
        at[needed - 2] = (byte)'\r';
        at[needed - 1] = (byte)'\n';
        _length += needed;
        return true;
    }

    /// <summary>Adds <c>name: number CRLF</c>.</summary>
    internal bool AddNumber(scoped ReadOnlySpan<byte> name, long number)
    {
        Span<byte> digits = stackalloc byte[20];
        System.Buffers.Text.Utf8Formatter.TryFormat(number, digits, out int written);
        return Add(name, digits[..written]);
    }

    /// <summary>Adds whole lines, each ended by CRLF.</summary>
    public bool AddLines(scoped ReadOnlySpan<byte> lines)
    {
        if (lines.Length > _buffer.Length - _length || (!lines.IsEmpty && !lines.EndsWith("\r\n"u8)))
        {
            IsComplete = false;
            return false;
        }
        lines.CopyTo(_buffer[_length..]);
        _length += lines.Length;
        return true;
    }

    /// <summary>The same from text, as UTF-8.</summary>
    public bool Add(string name, string value)
    {
        Span<byte> nameBytes = stackalloc byte[64];
        Span<byte> valueBytes = stackalloc byte[1024];
        if (!System.Text.Encoding.UTF8.TryGetBytes(name, nameBytes, out int n) || !System.Text.Encoding.UTF8.TryGetBytes(value, valueBytes, out int v))
        {
            IsComplete = false;
            return false;
        }
        return Add(nameBytes[..n], valueBytes[..v]);
    }
}
