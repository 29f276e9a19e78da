using System;
using System.Collections;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Text;

namespace Proxy.Policy.Numbers;

/// <summary>
/// Any thread. A list of short texts in one array of bytes, read out one by one: trunks hold a million numbers, and a million strings
/// would keep every thread waiting while the collector looks at them.
/// </summary>
[CollectionBuilder(typeof(TextList), nameof(Of))]
public sealed class TextList : IReadOnlyCollection<string>
{
    private const int LengthBytes = 4;
    private readonly byte[] _texts;

    private TextList(byte[] texts, int length)
    {
        _texts = texts;
        Length = length;
    }

    /// <summary>Nothing in it.</summary>
    public static TextList Empty { get; } = new([], 0);

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
            size += Encoding.UTF8.GetByteCount(text) + LengthBytes;
        }
        byte[] bytes = new byte[size];
        int at = 0;
        foreach (string text in texts)
        {
            int length = Encoding.UTF8.GetBytes(text, bytes.AsSpan(at + LengthBytes));
            BitConverter.TryWriteBytes(bytes.AsSpan(at), length);
            at += LengthBytes + length;
        }
        return new TextList(bytes, texts.Length);
    }

    public IEnumerator<string> GetEnumerator()
    {
        for (int at = 0; at < _texts.Length;)
        {
            int length = BitConverter.ToInt32(_texts, at);
            yield return Encoding.UTF8.GetString(_texts, at + LengthBytes, length);
            at += LengthBytes + length;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => $"{Length} texts";
}
