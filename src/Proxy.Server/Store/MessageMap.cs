using System;
using System.Collections;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace Proxy.Server.Store;

/// <summary>
/// Any thread; immutable. Messages by id, held as their bytes: parsed ones would be many small objects for the collector, and
/// are wanted by the API alone. What is read out is a copy of the reader's own.
/// </summary>
public sealed class MessageMap<T> : IReadOnlyDictionary<string, T>
    where T : class, IMessage<T>
{
    private readonly MessageParser<T> _parser;
    private readonly ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> _all;

    private MessageMap(MessageParser<T> parser, ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> all)
    {
        _parser = parser;
        _all = all;
    }

    public int Count => _all.Count;

    public IEnumerable<string> Keys => _all.Keys;

    public IEnumerable<T> Values
    {
        get
        {
            foreach (ReadOnlyMemory<byte> bytes in _all.Values)
            {
                yield return _parser.ParseFrom(bytes.Span);
            }
        }
    }

    public T this[string id] => _parser.ParseFrom(_all[id].Span);

    public static MessageMap<T> Empty(MessageParser<T> parser) => new(parser, ImmutableSortedDictionary.Create<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal));

    public bool ContainsKey(string id) => _all.ContainsKey(id);

    public bool TryGetValue(string id, [MaybeNullWhen(false)] out T message)
    {
        message = _all.TryGetValue(id, out ReadOnlyMemory<byte> bytes) ? _parser.ParseFrom(bytes.Span) : null;
        return message is not null;
    }

    /// <summary>A copy with one message set, or removed where it is null.</summary>
    public MessageMap<T> With(string id, T? message) => new(_parser, message is null ? _all.Remove(id) : _all.SetItem(id, message.ToByteArray()));

    /// <summary>A copy with many set, given as bytes that can be read.</summary>
    public MessageMap<T> WithAll(IEnumerable<KeyValuePair<string, ReadOnlyMemory<byte>>> readable) => new(_parser, _all.SetItems(readable));

    public IEnumerator<KeyValuePair<string, T>> GetEnumerator()
    {
        foreach (KeyValuePair<string, ReadOnlyMemory<byte>> pair in _all)
        {
            yield return KeyValuePair.Create(pair.Key, _parser.ParseFrom(pair.Value.Span));
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
