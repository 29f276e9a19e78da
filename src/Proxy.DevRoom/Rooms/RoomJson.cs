using System;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Proxy.DevRoom.Rooms;

/// <summary>Room loop. Protobuf JSON of the RoomService API.</summary>
internal static class RoomJson
{
    private static readonly JsonFormatter s_formatter = new(JsonFormatter.Settings.Default.WithFormatDefaultValues(true).WithPreserveProtoFieldNames(true));
    private static readonly JsonParser s_parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    public static TMessage Parse<TMessage>(ReadOnlySpan<byte> json)
        where TMessage : class, IMessage<TMessage>, new() => s_parser.Parse<TMessage>(Encoding.UTF8.GetString(json));

    public static byte[] Format(IMessage message) => Encoding.UTF8.GetBytes(s_formatter.Format(message));
}
