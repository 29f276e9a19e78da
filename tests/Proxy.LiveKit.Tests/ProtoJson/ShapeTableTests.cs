using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Google.Protobuf.Reflection;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;
using Xunit;

namespace Proxy.LiveKit.Tests.ProtoJson;

/// <summary>The committed table must say what the .proto files say. A mismatch leaves the right file beside the test.</summary>
public sealed class ShapeTableTests
{
    private static readonly FileDescriptor[] s_files =
    [
        ModelsReflection.Descriptor, RtcReflection.Descriptor, RoomReflection.Descriptor, EgressReflection.Descriptor,
        AgentReflection.Descriptor, SipReflection.Descriptor, PhoneNumberReflection.Descriptor, WebhookReflection.Descriptor,
    ];

    [Fact]
    public void Table_equals_the_descriptors()
    {
        string expected = Build();
        if (expected != Encoding.UTF8.GetString(ProtoShapeTable.Text))
        {
            string path = Path.Combine(AppContext.BaseDirectory, "ProtoShapeTable.cs");
            File.WriteAllText(path, Source(expected));
            Assert.Fail("src/Proxy.LiveKit/ProtoJson/ProtoShapeTable.cs is out of date; the right one is " + path);
        }
    }

    [Fact]
    public void Json_names_are_those_of_protobuf()
    {
        foreach (FileDescriptor file in s_files)
        {
            foreach (MessageDescriptor message in file.MessageTypes)
            {
                foreach (FieldDescriptor field in message.Fields.InFieldNumberOrder())
                {
                    Assert.Equal(field.JsonName, ProtoShapes.JsonNameOf(field.Name));
                }
            }
        }
    }

    private static string Build()
    {
        List<string> lines = [];
        foreach (FileDescriptor file in s_files)
        {
            Add(lines, file.EnumTypes);
            foreach (MessageDescriptor message in file.MessageTypes)
            {
                Add(lines, message);
            }
        }
        lines.Sort(string.CompareOrdinal);
        return string.Join('\n', lines);
    }

    private static void Add(List<string> lines, MessageDescriptor message)
    {
        StringBuilder line = new(Short(message.FullName));
        foreach (FieldDescriptor field in message.Fields.InFieldNumberOrder())
        {
            line.Append('|').Append(field.Name).Append(':').Append(field.FieldNumber).Append(':').Append(TypeOf(field));
            if (field.RealContainingOneof is not null)
            {
                line.Append('@').Append(field.RealContainingOneof.Index);
            }
        }
        lines.Add(line.ToString());
        Add(lines, message.EnumTypes);
        foreach (MessageDescriptor nested in message.NestedTypes)
        {
            if (!nested.GetOptions()?.MapEntry ?? true)
            {
                Add(lines, nested);
            }
        }
    }

    private static void Add(List<string> lines, IList<EnumDescriptor> enums)
    {
        foreach (EnumDescriptor item in enums)
        {
            StringBuilder line = new("#" + Short(item.FullName));
            foreach (EnumValueDescriptor value in item.Values)
            {
                line.Append('|').Append(value.Name).Append(':').Append(value.Number);
            }
            lines.Add(line.ToString());
        }
    }

    private static string TypeOf(FieldDescriptor field)
    {
        if (field.IsMap)
        {
            IList<FieldDescriptor> entry = field.MessageType.Fields.InFieldNumberOrder();
            return "M" + Letter(entry[0]) + Letter(entry[1]);
        }
        string prefix = field.IsRepeated ? "*" : field.HasPresence && field.ContainingOneof is not null && field.RealContainingOneof is null ? "?" : "";
        return prefix + Letter(field);
    }

    private static string Letter(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.Double => "d",
        FieldType.Float => "f",
        FieldType.Int64 => "l",
        FieldType.UInt64 => "L",
        FieldType.Int32 => "i",
        FieldType.UInt32 => "u",
        FieldType.Bool => "b",
        FieldType.String => "s",
        FieldType.Bytes => "y",
        FieldType.Enum => "e" + Short(field.EnumType.FullName),
        FieldType.Message => "m" + Short(field.MessageType.FullName),
        _ => throw new NotSupportedException(field.FullName + " has a type that ProtoJson does not know"),
    };

    private static string Short(string name) => name.StartsWith("livekit.", StringComparison.Ordinal) ? name[8..] : name;

    private static string Source(string table) =>
        "using System;\n\nnamespace Proxy.LiveKit.ProtoJson;\n\n"
        + "/// <summary>\n/// Any thread. What ProtoJson knows of each message, one a line: <c>Name|field:number:type</c>. Types: d f l(int64) L(uint64) i u b s y,\n"
        + "/// e + enum, m + message, M + key + value for maps; * repeated, ? optional; @n belongs to oneof n. Lines with # are enums.\n"
        + "/// </summary>\n/// <remarks>Written by ShapeTableTests from the .proto files; do not edit.</remarks>\n"
        + "internal static class ProtoShapeTable\n{\n    internal static ReadOnlySpan<byte> Text =>\n        \"\"\"\n        "
        + table.Replace("\n", "\n        ", StringComparison.Ordinal) + "\n        \"\"\"u8;\n}\n";
}
