using System;
using System.Collections.Generic;
using Proxy.LiveKit.ProtoJson;

namespace Proxy.LiveKit.Tests.ProtoJson;

/// <summary>Any thread. Lists fields of an encoded message that our .proto files do not name.</summary>
internal static class UnknownFields
{
    internal static void Collect(ReadOnlySpan<byte> wire, MessageShape shape, string path, ISet<string> found)
    {
        if (shape.Name.StartsWith("google.", StringComparison.Ordinal))
        {
            return;
        }
        WireReader reader = new(wire);
        while (reader.MoveNext())
        {
            FieldShape? field = shape.Find(reader.Number);
            if (field is null)
            {
                found.Add(path + "#" + reader.Number);
            }
            else if (field.Message is not null)
            {
                Collect(wire.Slice(reader.Start, reader.Length), field.Message, path + "." + field.ProtoName, found);
            }
        }
    }
}
