using System;
using System.Collections.Generic;
using System.Text;

namespace Proxy.Policy.Indexing;

/// <summary>Any thread. Texts by their places, all of them in one array of bytes.</summary>
internal sealed class FlatTexts
{
    private readonly byte[] _texts;
    private readonly int[] _ends;

    private FlatTexts(byte[] texts, int[] ends)
    {
        _texts = texts;
        _ends = ends;
    }

    public string this[int place]
    {
        get
        {
            int start = place == 0 ? 0 : _ends[place - 1];
            return Encoding.UTF8.GetString(_texts, start, _ends[place] - start);
        }
    }

    /// <summary>One owner. Takes texts one after the other.</summary>
    /// <param name="count">Texts to come; more may.</param>
    public sealed class Builder(int count)
    {
        private readonly List<int> _ends = new(count);
        private byte[] _texts = GC.AllocateUninitializedArray<byte>(Math.Max(count * 16, 16));
        private int _used;

        public void Add(string text)
        {
            int most = _used + Encoding.UTF8.GetMaxByteCount(text.Length);
            if (most > _texts.Length)
            {
                Array.Resize(ref _texts, Math.Max(_texts.Length * 2, most));
            }
            _used += Encoding.UTF8.GetBytes(text, _texts.AsSpan(_used));
            _ends.Add(_used);
        }

        public FlatTexts Build() => new(_texts, [.. _ends]);
    }
}
