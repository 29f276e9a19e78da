using System;
using System.Collections.Generic;
using System.Text;

namespace Proxy.LiveKit.ProtoJson;

/// <summary>Any thread. All messages of Protocol/*.proto, read once from <see cref="ProtoShapeTable"/>; immutable after that.</summary>
/// <remarks>
/// A table of our own and not the library's descriptors: those reach the fields by reflection, which a native build cannot
/// keep whole (ADR 0004). A test compares the table with the descriptors.
/// </remarks>
internal static class ProtoShapes
{
    internal const string Duration = "google.protobuf.Duration";
    internal const string Timestamp = "google.protobuf.Timestamp";
    internal const string Empty = "google.protobuf.Empty";
    private const string TypePrefix = "Proxy.LiveKit.Protocol.";
    private const string NestedInfix = "+Types+";

    private static readonly Dictionary<string, MessageShape> s_messages = Load();

    /// <summary>Finds a message by its name inside package livekit, such as <c>Room</c> or <c>DataStream.Header</c>.</summary>
    internal static MessageShape? Find(string name) => s_messages.GetValueOrDefault(name);

    internal static MessageShape Of(Type type)
    {
        string name = type.FullName ?? "";
        name = name.StartsWith(TypePrefix, StringComparison.Ordinal) ? name[TypePrefix.Length..] : name;
        return Find(name.Replace(NestedInfix, ".", StringComparison.Ordinal))
            ?? throw new ArgumentException("not a message of package livekit: " + type.FullName);
    }

    internal static IEnumerable<MessageShape> All => s_messages.Values;

    /// <summary>lowerCamelCase as protobuf makes it: the letter after an underscore is raised, the underscore goes.</summary>
    internal static string JsonNameOf(string protoName)
    {
        StringBuilder name = new(protoName.Length);
        bool isRaised = false;
        foreach (char c in protoName)
        {
            if (c == '_')
            {
                isRaised = true;
                continue;
            }
            name.Append(isRaised ? char.ToUpperInvariant(c) : c);
            isRaised = false;
        }
        return name.ToString();
    }

    private static Dictionary<string, MessageShape> Load()
    {
        Dictionary<string, MessageShape> messages = new(StringComparer.Ordinal)
        {
            [Duration] = new MessageShape(Duration, []),
            [Timestamp] = new MessageShape(Timestamp, []),
            [Empty] = new MessageShape(Empty, []),
        };
        Dictionary<string, EnumShape> enums = new(StringComparer.Ordinal);
        foreach (string line in Encoding.UTF8.GetString(ProtoShapeTable.Text).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split('|');
            if (parts[0][0] == '#')
            {
                enums[parts[0][1..]] = ReadEnum(parts);
            }
            else
            {
                messages[parts[0]] = ReadMessage(parts);
            }
        }
        foreach (MessageShape message in messages.Values)
        {
            foreach (FieldShape field in message.Fields)
            {
                Link(field, messages, enums);
            }
        }
        return messages;
    }

    private static void Link(FieldShape field, Dictionary<string, MessageShape> messages, Dictionary<string, EnumShape> enums)
    {
        if (field.Kind == ProtoKind.Message)
        {
            field.Message = messages[field.TypeName];
        }
        else if (field.Kind == ProtoKind.Enum)
        {
            field.Enum = enums[field.TypeName];
        }
        else if (field.MapValue is not null)
        {
            Link(field.MapValue, messages, enums);
        }
    }

    private static EnumShape ReadEnum(string[] parts)
    {
        EnumShape shape = new();
        for (int i = 1; i < parts.Length; i++)
        {
            int colon = parts[i].IndexOf(':');
            shape.Add(parts[i][..colon], int.Parse(parts[i].AsSpan(colon + 1)));
        }
        return shape;
    }

    private static MessageShape ReadMessage(string[] parts)
    {
        FieldShape[] fields = new FieldShape[parts.Length - 1];
        for (int i = 0; i < fields.Length; i++)
        {
            string[] words = parts[i + 1].Split(':');
            fields[i] = ReadField(words[0], int.Parse(words[1]), i, words[2]);
        }
        return new MessageShape(parts[0], fields);
    }

    private static FieldShape ReadField(string name, int number, int index, string type)
    {
        int oneof = -1;
        int at = type.IndexOf('@');
        if (at >= 0)
        {
            oneof = int.Parse(type.AsSpan(at + 1));
            type = type[..at];
        }
        bool isRepeated = type[0] == '*';
        bool isOptional = type[0] == '?';
        type = isRepeated || isOptional ? type[1..] : type;
        bool isMap = type[0] == 'M';
        return new FieldShape
        {
            ProtoName = name,
            JsonName = JsonNameOf(name),
            Number = number,
            Index = index,
            Kind = KindOf(type[0]),
            IsRepeated = isRepeated,
            IsOptional = isOptional,
            Oneof = oneof,
            TypeName = isMap ? "" : type[1..],
            MapKey = isMap ? ReadField("key", 1, 0, type[1..2]) : null,
            MapValue = isMap ? ReadField("value", 2, 1, type[2..]) : null,
        };
    }

    private static ProtoKind KindOf(char letter) => letter switch
    {
        'd' => ProtoKind.Double,
        'f' => ProtoKind.Float,
        'l' => ProtoKind.Int64,
        'L' => ProtoKind.UInt64,
        'i' => ProtoKind.Int32,
        'u' => ProtoKind.UInt32,
        'b' => ProtoKind.Bool,
        's' => ProtoKind.String,
        'y' => ProtoKind.Bytes,
        'e' => ProtoKind.Enum,
        'm' => ProtoKind.Message,
        _ => ProtoKind.Map,
    };
}
