using System;

namespace Proxy.Sdp;

/// <summary>One owner. Walks the media sections of a description.</summary>
public ref struct SdpMediaSections
{
    private readonly ReadOnlySpan<byte> _session;
    private ReadOnlySpan<byte> _rest;
    private int _index;

    internal SdpMediaSections(ReadOnlySpan<byte> session, ReadOnlySpan<byte> media)
    {
        _session = session;
        _rest = media;
        _index = -1;
    }

    public SdpMedia Current { get; private set; }

    public readonly SdpMediaSections GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }
        int end = FindMedia(_rest, 1);
        Current = new SdpMedia(++_index, _session, _rest[..end]);
        _rest = _rest[end..];
        return true;
    }

    /// <summary>Offset of the next line that begins with <c>m=</c>, or the end.</summary>
    internal static int FindMedia(ReadOnlySpan<byte> text, int from)
    {
        if (from == 0 && text.StartsWith("m="u8))
        {
            return 0;
        }
        int at = from == 0 ? 0 : from - 1;
        int found = text[at..].IndexOf("\nm="u8);
        return found < 0 ? text.Length : at + found + 1;
    }
}
