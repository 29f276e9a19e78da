using System;
using System.Collections.Generic;

namespace Proxy.LiveKit.ProtoJson;

/// <summary>What a field holds.</summary>
internal enum ProtoKind : byte
{
    Double,
    Float,
    Int64,
    UInt64,
    Int32,
    UInt32,
    Bool,
    String,
    Bytes,
    Enum,
    Message,

    /// <summary>A map: on the wire a repeated message of key 1 and value 2.</summary>
    Map,
}

/// <summary>Any thread. One field as far as JSON needs to know it.</summary>
internal sealed class FieldShape
{
    internal required string ProtoName { get; init; }

    internal required string JsonName { get; init; }

    internal required int Number { get; init; }

    internal required int Index { get; init; }

    internal required ProtoKind Kind { get; init; }

    internal bool IsRepeated { get; init; }

    /// <summary>Declared <c>optional</c>: left out of the output when unset.</summary>
    internal bool IsOptional { get; init; }

    /// <summary>Which oneof it belongs to, from 0; -1 for none.</summary>
    internal int Oneof { get; init; } = -1;

    internal MessageShape? Message { get; set; }

    internal EnumShape? Enum { get; set; }

    /// <summary>Key of a map.</summary>
    internal FieldShape? MapKey { get; init; }

    /// <summary>Value of a map.</summary>
    internal FieldShape? MapValue { get; init; }

    internal string TypeName { get; init; } = "";
}

/// <summary>Any thread. One message: its fields in the order of their numbers.</summary>
internal sealed class MessageShape
{
    private readonly Dictionary<string, FieldShape> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<int, FieldShape> _byNumber = [];

    internal MessageShape(string name, FieldShape[] fields)
    {
        Name = name;
        Fields = fields;
        foreach (FieldShape field in fields)
        {
            _byName[field.ProtoName] = field;
            _byName[field.JsonName] = field;
            _byNumber[field.Number] = field;
        }
    }

    /// <summary>Name inside package livekit, or the full name of a well-known type.</summary>
    internal string Name { get; }

    internal FieldShape[] Fields { get; }

    internal FieldShape? Find(string name) => _byName.GetValueOrDefault(name);

    internal FieldShape? Find(int number) => _byNumber.GetValueOrDefault(number);
}

/// <summary>Any thread. One enum. Of two names for a number the first is written.</summary>
internal sealed class EnumShape
{
    private readonly Dictionary<string, int> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _byNumber = [];

    internal void Add(string name, int number)
    {
        _byName[name] = number;
        _byNumber.TryAdd(number, name);
    }

    internal string? NameOf(int number) => _byNumber.GetValueOrDefault(number);

    internal bool TryNumber(string name, out int number) => _byName.TryGetValue(name, out number);
}
