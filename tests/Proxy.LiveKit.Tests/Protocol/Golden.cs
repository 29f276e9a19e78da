using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Tests.ProtoJson;
using Xunit;
using Json = Proxy.LiveKit.ProtoJson.ProtoJson;

namespace Proxy.LiveKit.Tests.Protocol;

/// <summary>Any thread. A recorded message: its bytes and the JSON beside it.</summary>
internal static class Golden
{
    /// <summary>Bytes and JSON mean the same to us, both ways; fields that we cannot name go to <paramref name="unknown"/>.</summary>
    internal static void Check<T>(byte[] bytes, JsonElement expected, ISet<string> unknown)
        where T : IMessage<T>, new()
    {
        T message = new();
        message.MergeFrom(bytes);
        byte[] again = message.ToByteArray();
        T second = new();
        second.MergeFrom(again);
        Assert.Equal(message, second);
        // Shorter only where the sender wrote a default that needs no bytes (an empty map value, python).
        Assert.InRange(again.Length, bytes.Length - 8, bytes.Length);
        UnknownFields.Collect(bytes, ProtoShapes.Of(typeof(T)), typeof(T).Name, unknown);

        byte[] json = Json.Write(message, ProtoJsonStyle.Camel);
        using JsonDocument actual = JsonDocument.Parse(json);
        Assert.Null(JsonSame.Difference(expected, actual.RootElement));
        Assert.True(Json.TryRead(Encoding.UTF8.GetBytes(expected.GetRawText()), ProtoJsonRules.Strict, out T fromJson, out ProtoJsonError error), error.ToString());
        Assert.Equal(message, fromJson);
    }
}
