using System;
using System.Buffers;
using Proxy.Core;
using Proxy.Sip.Parsing;

namespace Proxy.Sip.Framing;

/// <summary>One owner (the connection). Cuts a TCP or TLS stream into messages.</summary>
/// <remarks>RFC 3261 §18.3 (Content-Length is mandatory and believed), §7.5; RFC 5626 §4.4.1.</remarks>
/// <param name="limits">Largest message.</param>
public sealed class SipStreamFramer(Limits limits)
{
    private const int StartLineMax = 8_192;
    private byte[] _copy = [];
    private long _searched;
    private long _messageLength;
    private bool _isStartLineSeen;

    /// <summary>Whether a message has begun and is not whole: the connection's header or body timeout runs.</summary>
    public bool IsInMessage { get; private set; }

    /// <summary>Looks at the front of the stream. Call again after dropping <c>Consumed</c> bytes, until NeedMore.</summary>
    /// <param name="stream">All bytes that were read and not yet dropped.</param>
    public SipFrame Next(in ReadOnlySequence<byte> stream)
    {
        IsInMessage = false;
        long skipped = 0;
        if (_searched == 0 && _messageLength == 0)
        {
            Span<byte> first = stackalloc byte[4];
            int length = (int)long.Min(4, stream.Length);
            stream.Slice(0, length).CopyTo(first);
            if (length == 4 && first.SequenceEqual("\r\n\r\n"u8))
            {
                return new SipFrame(SipFrameVerdict.Ping, 0, 4);
            }
            if (length == 0 || "\r\n\r"u8.StartsWith(first[..length]))
            {
                return new SipFrame(SipFrameVerdict.NeedMore, 0, 0);
            }
            skipped = first.StartsWith("\r\n"u8) ? 2 : 0;
        }
        SipFrame frame = NextMessage(stream.Slice(skipped));
        if (frame.Verdict == SipFrameVerdict.NeedMore)
        {
            IsInMessage = true;
            return new SipFrame(SipFrameVerdict.NeedMore, 0, skipped);
        }
        _searched = 0;
        _messageLength = 0;
        _isStartLineSeen = false;
        return new SipFrame(frame.Verdict, skipped, skipped + frame.Consumed);
    }

    private SipFrame NextMessage(ReadOnlySequence<byte> stream)
    {
        if (_messageLength == 0)
        {
            if (!LooksLikeSip(in stream))
            {
                return new SipFrame(SipFrameVerdict.Close, 0, stream.Length);
            }
            if (!TryFindHeaderEnd(in stream, out long headLength))
            {
                return stream.Length <= limits.SipMessageBytes ? default : new SipFrame(SipFrameVerdict.RefuseAndClose, 0, stream.Length);
            }
            if (!TryReadContentLength(Contiguous(stream.Slice(0, headLength)), out long bodyLength) || headLength + bodyLength > limits.SipMessageBytes)
            {
                return new SipFrame(SipFrameVerdict.RefuseAndClose, 0, headLength);
            }
            _messageLength = headLength + bodyLength;
        }
        return stream.Length < _messageLength ? default : new SipFrame(SipFrameVerdict.Message, 0, _messageLength);
    }

    /// <summary>A token first, and SIP/ somewhere in the first line as soon as that is whole.</summary>
    private bool LooksLikeSip(in ReadOnlySequence<byte> stream)
    {
        if (_isStartLineSeen || stream.IsEmpty)
        {
            return true;
        }
        if (!SipText.IsToken(stream.FirstSpan[..1]))
        {
            return false;
        }
        var reader = new SequenceReader<byte>(stream);
        if (!reader.TryReadTo(out ReadOnlySequence<byte> line, (byte)'\n'))
        {
            return stream.Length <= StartLineMax;
        }
        ReadOnlySpan<byte> text = Contiguous(line);
        _isStartLineSeen = text.StartsWith("SIP/"u8) || text.IndexOf(" SIP/"u8) > 0 || text.IndexOf(" sip/"u8) > 0;
        return _isStartLineSeen && text.Length <= StartLineMax;
    }

    /// <summary>Searches on from where the last search stopped: a stream of single bytes costs no more than one of segments.</summary>
    private bool TryFindHeaderEnd(in ReadOnlySequence<byte> stream, out long length)
    {
        long from = long.Max(0, _searched - 3);
        var reader = new SequenceReader<byte>(stream.Slice(from));
        if (reader.TryReadTo(out ReadOnlySequence<byte> _, "\r\n\r\n"u8, advancePastDelimiter: true))
        {
            length = from + reader.Consumed;
            return true;
        }
        _searched = stream.Length;
        length = 0;
        return false;
    }

    /// <returns>False when it is missing, double, or no number.</returns>
    private static bool TryReadContentLength(ReadOnlySpan<byte> head, out long value)
    {
        value = -1;
        int lineEnd = head.IndexOf((byte)'\n');
        foreach (SipHeaderView header in new SipHeaderEnumerator(head[(lineEnd + 1)..]))
        {
            if (header.Id == SipHeaderId.ContentLength && (value >= 0 || !SipText.TryReadNumber(header.Value, int.MaxValue, out value)))
            {
                return false;
            }
        }
        return value >= 0;
    }

    private ReadOnlySpan<byte> Contiguous(ReadOnlySequence<byte> part)
    {
        if (part.IsSingleSegment)
        {
            return part.FirstSpan;
        }
        int length = (int)long.Min(part.Length, limits.SipMessageBytes);
        if (_copy.Length < length)
        {
            _copy = new byte[Math.Max(length, 2048)];
        }
        part.Slice(0, length).CopyTo(_copy);
        return _copy.AsSpan(0, length);
    }
}
