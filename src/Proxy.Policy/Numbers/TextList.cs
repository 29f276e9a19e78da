using System;
using System.Collections;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Text;
using Proxy.Core.Memory;

namespace Proxy.Policy.Numbers;

/// <summary>
/// Any thread. A list of short texts in one piece of bytes, read out one by one: trunks hold a million numbers, and a million strings
/// would keep every thread waiting while the collector looks at them.
/// </summary>
[CollectionBuilder(typeof(TextList), nameof(Of))]
public sealed class TextList : IReadOnlyCollection<string>
{
    private const int LengthBytes = 4;
    private readonly ReadOnlyMemory<byte> _texts;

    private TextList(ReadOnlyMemory<byte> texts, int length)
    {
        _texts = texts;
        Length = length;
    }

    /// <summary>Nothing in it.</summary>
    public static TextList Empty { get; } = new(default, 0);

    /// <summary>How many texts.</summary>
    public int Length { get; }

    /// <summary>Bytes held.</summary>
    public int Bytes => _texts.Length;

    int IReadOnlyCollection<string>.Count => Length;

    public static implicit operator TextList(string[] texts) => Of(texts);

    /// <summary>A list of these.</summary>
    public static TextList Of(params ReadOnlySpan<string> texts)
    {
        if (texts.IsEmpty)
        {
            return Empty;
        }
        int size = 0;
        foreach (string text in texts)
        {
            size += SizeOf(text);
        }
        Memory<byte> bytes = new byte[size];
        int at = 0;
        foreach (string text in texts)
        {
            at += Write(text, bytes.Span[at..]);
        }
        return new TextList(bytes, texts.Length);
    }

    /// <summary>A list of these, its bytes with those of others.</summary>
    public static TextList Of(IReadOnlyCollection<string> texts, ByteArena arena)
    {
        if (texts.Count == 0)
        {
            return Empty;
        }
        int size = 0;
        foreach (string text in texts)
        {
            size += SizeOf(text);
        }
        Memory<byte> bytes = arena.Take(size);
        int at = 0;
        foreach (string text in texts)
        {
            at += Write(text, bytes.Span[at..]);
        }
        return new TextList(bytes, texts.Count);
    }

    public IEnumerator<string> GetEnumerator()
    {
        for (int at = 0; at < _texts.Length;)
        {
            int length = BitConverter.ToInt32(_texts.Span[at..]);
            yield return Encoding.UTF8.GetString(_texts.Span.Slice(at + LengthBytes, length));
            at += LengthBytes + length;
        }
    }

    private static int SizeOf(string text) => Encoding.UTF8.GetByteCount(text) + LengthBytes;

    private static int Write(string text, Span<byte> to)
    {
        int length = Encoding.UTF8.GetBytes(text, to[LengthBytes..]);
        BitConverter.TryWriteBytes(to, length);
        return LengthBytes + length;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"{Length} texts";
}
