using System;
using System.Collections;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using System.Threading;
using Google.Protobuf;

namespace Proxy.Server.Store;

/// <summary>
/// Any thread; immutable. Messages by id, held as their bytes in a few large arrays: parsed ones would be many small objects for the collector, and
/// are wanted by the API alone. What is read out is a copy of the reader's own. A few changes stand beside the arrays until they are put in.
/// </summary>
public sealed class MessageMap<T> : IReadOnlyDictionary<string, T>
    where T : class, IMessage<T>
{
    /// <summary>So many changes are put into new arrays.</summary>
    private const int ChangesMax = 4_096;

    private readonly MessageParser<T> _parser;
    private readonly FlatMessages _flat;

    /// <summary>By id; without bytes where it was removed.</summary>
    private readonly ImmutableSortedDictionary<string, ReadOnlyMemory<byte>?> _changes;
    private object? _derived;

    private MessageMap(MessageParser<T> parser, FlatMessages flat, ImmutableSortedDictionary<string, ReadOnlyMemory<byte>?> changes, int count)
    {
        _parser = parser;
        _flat = flat;
        _changes = changes;
        Count = count;
    }

    public int Count { get; }

    public IEnumerable<string> Keys
    {
        get
        {
            foreach ((string id, _) in All())
            {
                yield return id;
            }
        }
    }

    public IEnumerable<T> Values
    {
        get
        {
            foreach ((_, ReadOnlyMemory<byte> bytes) in All())
            {
                yield return _parser.ParseFrom(bytes.Span);
            }
        }
    }

    public T this[string id] => TryGetValue(id, out T? message) ? message : throw new KeyNotFoundException(id);

    public static MessageMap<T> Empty(MessageParser<T> parser) =>
        new(parser, FlatMessages.Empty, ImmutableSortedDictionary.Create<string, ReadOnlyMemory<byte>?>(IdOrder.Instance), 0);

    public bool ContainsKey(string id) => TryGetBytes(id, out _);

    public bool TryGetValue(string id, [MaybeNullWhen(false)] out T message)
    {
        message = TryGetBytes(id, out ReadOnlyMemory<byte> bytes) ? _parser.ParseFrom(bytes.Span) : null;
        return message is not null;
    }

    /// <summary>A copy with one message set, or removed where it is null.</summary>
    public MessageMap<T> With(string id, T? message)
    {
        int count = Count + (message is null ? 0 : 1) - (ContainsKey(id) ? 1 : 0);
        ImmutableSortedDictionary<string, ReadOnlyMemory<byte>?> changes = message is null && _flat.Find(id) < 0
            ? _changes.Remove(id)
            : _changes.SetItem(id, message is null ? null : (ReadOnlyMemory<byte>?)message.ToByteArray());
        MessageMap<T> next = new(_parser, _flat, changes, count);
        return changes.Count < ChangesMax ? next : next.WithAll([]);
    }

    /// <summary>The message of an id that is there, as it is stored.</summary>
    public ReadOnlyMemory<byte> Bytes(string id) => TryGetBytes(id, out ReadOnlyMemory<byte> bytes) ? bytes : throw new KeyNotFoundException(id);

    /// <summary>A copy with many set, given as bytes that can be read; of two with one id the later counts.</summary>
    public MessageMap<T> WithAll(IReadOnlyCollection<KeyValuePair<string, ReadOnlyMemory<byte>>> readable)
    {
        if (readable.Count > 0 && readable.Count + _changes.Count < ChangesMax && Count > ChangesMax)
        {
            ImmutableSortedDictionary<string, ReadOnlyMemory<byte>?> changes = _changes.SetItems(readable.Select(one => KeyValuePair.Create<string, ReadOnlyMemory<byte>?>(one.Key, one.Value)));
            return new MessageMap<T>(_parser, _flat, changes, Count + readable.Select(one => one.Key).Distinct().Count(id => !ContainsKey(id)));
        }
        var all = new FlatMessages.Builder(Count + readable.Count);
        foreach ((string id, ReadOnlyMemory<byte> bytes) in All())
        {
            all.Add(id, bytes.Span);
        }
        foreach ((string id, ReadOnlyMemory<byte> bytes) in readable)
        {
            all.Add(id, bytes.Span);
        }
        FlatMessages flat = all.Build();
        return new MessageMap<T>(_parser, flat, _changes.Clear(), flat.Count);
    }

    /// <summary>What is made of all the messages, once, and kept with them.</summary>
    public TDerived Derived<TDerived>(Func<MessageMap<T>, TDerived> make)
        where TDerived : class => (TDerived)(Volatile.Read(ref _derived) ?? Interlocked.CompareExchange(ref _derived, make(this), null) ?? _derived);

    public IEnumerator<KeyValuePair<string, T>> GetEnumerator()
    {
        foreach ((string id, ReadOnlyMemory<byte> bytes) in All())
        {
            yield return KeyValuePair.Create(id, _parser.ParseFrom(bytes.Span));
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private bool TryGetBytes(string id, out ReadOnlyMemory<byte> bytes)
    {
        if (_changes.TryGetValue(id, out ReadOnlyMemory<byte>? changed))
        {
            bytes = changed ?? default;
            return changed is not null;
        }
        int place = _flat.Find(id);
        bytes = place < 0 ? default : _flat.Message(place);
        return place >= 0;
    }

    /// <summary>By id, in the order of their bytes.</summary>
    private IEnumerable<(string Id, ReadOnlyMemory<byte> Bytes)> All()
    {
        int place = 0;
        foreach ((string id, ReadOnlyMemory<byte>? bytes) in _changes)
        {
            int order = -1;
            for (; place < _flat.Count && (order = IdOrder.Instance.Compare(_flat.Id(place), id)) < 0; place++)
            {
                yield return (_flat.Id(place), _flat.Message(place));
            }
            place += place < _flat.Count && order == 0 ? 1 : 0;
            if (bytes is { } there)
            {
                yield return (id, there);
            }
        }
        for (; place < _flat.Count; place++)
        {
            yield return (_flat.Id(place), _flat.Message(place));
        }
    }
}
