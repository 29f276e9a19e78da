using System;
using Proxy.Core.Diagnostics;

namespace Proxy.Sip.Parsing;

/// <summary>One owner. Walks the parts of a multipart body in place; at most 16, not nested.</summary>
/// <remarks>RFC 2046 §5.1, RFC 5621.</remarks>
public ref struct MultipartReader
{
    private const int PartsMax = 16;
    private const int BoundaryMax = 70;
    private readonly ReadOnlySpan<byte> _boundary;
    private ReadOnlySpan<byte> _rest;
    private int _count;

    /// <param name="contentType">The Content-Type value, with its boundary parameter.</param>
    /// <param name="body">The whole body.</param>
    public MultipartReader(ReadOnlySpan<byte> contentType, ReadOnlySpan<byte> body)
    {
        _boundary = SipParameters.TryGet(MediaType.Parameters(contentType), "boundary"u8, out ReadOnlySpan<byte> boundary)
            && boundary.Length is > 0 and <= BoundaryMax ? boundary : default;
        _rest = body;
        int first = _boundary.IsEmpty ? -1 : FindDelimiter(body);
        _rest = first < 0 ? default : body[(first + 2 + _boundary.Length)..];
        _count = 0;
        ContentType = default;
        Part = default;
    }

    /// <summary>Content-Type of the current part; text/plain when it names none.</summary>
    public ReadOnlySpan<byte> ContentType { get; private set; }

    /// <summary>Content of the current part.</summary>
    public ReadOnlySpan<byte> Part { get; private set; }

    /// <returns>False after the last part, or when the body is malformed.</returns>
    [NoAlloc]
    public bool MoveNext()
    {
        if (_rest.IsEmpty || _rest.StartsWith("--"u8) || ++_count > PartsMax)
        {
            return false;
        }
        int line = _rest.IndexOf((byte)'\n');
        int end = line < 0 ? -1 : FindDelimiter(_rest[line..]);
        if (end < 0)
        {
            return false;
        }
        end += line;
        ReadOnlySpan<byte> part = _rest[(line + 1)..Math.Max(end, line + 1)];
        _rest = _rest[(end + 2 + _boundary.Length)..];
        ReadHeaders(part);
        return true;
    }

    private void ReadHeaders(ReadOnlySpan<byte> part)
    {
        ContentType = "text/plain"u8;
        int split;
        if (part.StartsWith("\r\n"u8))
        {
            split = 0;
        }
        else
        {
            split = part.IndexOf("\r\n\r\n"u8);
            split = split < 0 ? part.Length : split + 2;
        }
        var headers = new SipHeaderEnumerator(part[..split]);
        while (headers.MoveNext())
        {
            if (headers.Current.Id == SipHeaderId.ContentType)
            {
                ContentType = headers.Current.Value;
            }
        }
        ReadOnlySpan<byte> content = split + 2 <= part.Length ? part[(split + 2)..] : default;
        // The line break before the delimiter belongs to the delimiter.
        Part = content.EndsWith("\r\n"u8) ? content[..^2] : content.EndsWith("\n"u8) ? content[..^1] : content;
    }

    /// <summary>Where "--boundary" stands at the beginning of a line.</summary>
    private readonly int FindDelimiter(ReadOnlySpan<byte> text)
    {
        int at = 0;
        while (true)
        {
            int step = text[at..].IndexOf(_boundary);
            if (step < 0)
            {
                return -1;
            }
            at += step;
            if (at >= 2 && text[at - 1] == (byte)'-' && text[at - 2] == (byte)'-' && (at == 2 || text[at - 3] == (byte)'\n'))
            {
                return at - 2;
            }
            at++;
        }
    }
}
