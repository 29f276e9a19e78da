using System;
using System.Buffers;
using System.Text.Json;
using Google.Protobuf;

namespace Proxy.LiveKit.ProtoJson;

/// <summary>How messages are written.</summary>
public enum ProtoJsonStyle : byte
{
    /// <summary>LiveKit's Twirp answers: proto names, defaults included, unset messages null, unset optional fields absent.</summary>
    Twirp,

    /// <summary>Signalling text frames, webhooks and tokens: lowerCamelCase, only what is set.</summary>
    Camel,
}

/// <summary>What a reader lets pass.</summary>
[Flags]
public enum ProtoJsonRules : byte
{
    /// <summary>Files: unknown fields, unknown enum names and text behind the value are errors.</summary>
    Strict = 0,

    /// <summary>Unknown fields and unknown enum names are skipped.</summary>
    IgnoreUnknown = 1,

    /// <summary>Text behind the value is not looked at.</summary>
    IgnoreTrailingText = 2,

    /// <summary>What LiveKit's HTTP API takes.</summary>
    Api = IgnoreUnknown | IgnoreTrailingText,
}

/// <summary>Any thread. Why a text is no message, and where.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in bytes.</param>
/// <param name="Text">One sentence; holds field names and never values.</param>
public readonly record struct ProtoJsonError(int Line, int Column, string Text)
{
    public override string ToString() => Line + ":" + Column + ": " + Text;
}

/// <summary>
/// Any thread. The JSON form of the messages of package livekit, with the rules of Go's protojson, for the API, files,
/// signalling text frames and tokens.
/// </summary>
public static class ProtoJson
{
    /// <summary>Deepest nesting of objects and lists.</summary>
    public const int MaxDepth = 32;

    /// <summary>Reads a message.</summary>
    /// <param name="json">UTF-8.</param>
    /// <returns>False with an error; <paramref name="message"/> is then empty.</returns>
    public static bool TryRead<T>(ReadOnlySpan<byte> json, ProtoJsonRules rules, out T message, out ProtoJsonError error)
        where T : IMessage<T>, new()
    {
        message = new T();
        WireWriter wire = new();
        if (!ProtoJsonReader.TryRead(json, ProtoShapes.Of(typeof(T)), rules, wire, out error))
        {
            return false;
        }
        message.MergeFrom(wire.Written);
        return true;
    }

    /// <summary>Reads a message of a name, such as <c>Room</c>, into its wire form.</summary>
    /// <returns>False with an error; also when there is no such message.</returns>
    public static bool TryToWire(string messageName, ReadOnlySpan<byte> json, ProtoJsonRules rules, out byte[] wire, out ProtoJsonError error)
    {
        wire = [];
        MessageShape? shape = ProtoShapes.Find(messageName);
        if (shape is null)
        {
            error = new ProtoJsonError(1, 1, "no message " + messageName);
            return false;
        }
        WireWriter writer = new();
        bool isRead = ProtoJsonReader.TryRead(json, shape, rules, writer, out error);
        wire = isRead ? writer.Written.ToArray() : [];
        return isRead;
    }

    /// <summary>Writes a message as UTF-8.</summary>
    public static byte[] Write<T>(T message, ProtoJsonStyle style)
        where T : IMessage<T>
    {
        ArrayBufferWriter<byte> buffer = new(256);
        using Utf8JsonWriter writer = new(buffer, ProtoJsonWriter.Options);
        Write(writer, message, style);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Writes a message as one value into a larger document.</summary>
    public static void Write<T>(Utf8JsonWriter writer, T message, ProtoJsonStyle style)
        where T : IMessage<T>
    {
        byte[] wire = new byte[message.CalculateSize()];
        message.WriteTo(wire.AsSpan());
        ProtoJsonWriter.Write(writer, wire, ProtoShapes.Of(typeof(T)), style);
    }

    /// <summary>Writes the wire form of a named message as UTF-8.</summary>
    /// <returns>Null when there is no such message.</returns>
    public static byte[]? FromWire(string messageName, ReadOnlySpan<byte> wire, ProtoJsonStyle style)
    {
        MessageShape? shape = ProtoShapes.Find(messageName);
        if (shape is null)
        {
            return null;
        }
        ArrayBufferWriter<byte> buffer = new(256);
        using Utf8JsonWriter writer = new(buffer, ProtoJsonWriter.Options);
        ProtoJsonWriter.Write(writer, wire, shape, style);
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
