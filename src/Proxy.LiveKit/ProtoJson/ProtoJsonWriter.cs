using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Proxy.LiveKit.ProtoJson;

/// <summary>One owner. Encoded message in, JSON out.</summary>
internal static class ProtoJsonWriter
{
    internal static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = false };

    internal static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> wire, MessageShape shape, ProtoJsonStyle style)
    {
        if (shape.Name is ProtoShapes.Duration or ProtoShapes.Timestamp)
        {
            json.WriteStringValue(WellKnownJson.Format(shape.Name, wire));
            return;
        }
        List<Found>?[] found = Collect(wire, shape);
        json.WriteStartObject();
        foreach (FieldShape field in shape.Fields)
        {
            WriteField(json, wire, field, found[field.Index], style);
        }
        json.WriteEndObject();
    }

    /// <summary>One walk: what the wire holds for each field. Unknown fields have no JSON form.</summary>
    private static List<Found>?[] Collect(ReadOnlySpan<byte> wire, MessageShape shape)
    {
        List<Found>?[] found = new List<Found>?[shape.Fields.Length];
        int lastOfOneof = -1;
        WireReader reader = new(wire);
        while (reader.MoveNext())
        {
            FieldShape? field = shape.Find(reader.Number);
            if (field is null)
            {
                continue;
            }
            List<Found> list = found[field.Index] ??= [];
            if (!field.IsRepeated && field.Kind is not (ProtoKind.Map or ProtoKind.Message))
            {
                list.Clear();
            }
            if (field.Oneof >= 0)
            {
                ClearRivals(found, shape, field);
                lastOfOneof = field.Index;
            }
            if (field.IsRepeated && reader.WireType == 2 && field.Kind is not (ProtoKind.String or ProtoKind.Bytes or ProtoKind.Message))
            {
                AddPacked(list, wire.Slice(reader.Start, reader.Length), field.Kind);
            }
            else
            {
                list.Add(new Found(reader.Value, reader.Start, reader.WireType == 2 ? reader.Length : 0));
            }
        }
        return found;
    }

    private static void ClearRivals(List<Found>?[] found, MessageShape shape, FieldShape winner)
    {
        foreach (FieldShape other in shape.Fields)
        {
            if (other.Oneof == winner.Oneof && other.Index != winner.Index)
            {
                found[other.Index] = null;
            }
        }
    }

    private static void AddPacked(List<Found> list, ReadOnlySpan<byte> packed, ProtoKind kind)
    {
        int fixedSize = kind == ProtoKind.Double ? 8 : kind == ProtoKind.Float ? 4 : 0;
        if (fixedSize != 0)
        {
            for (int at = 0; at + fixedSize <= packed.Length; at += fixedSize)
            {
                ulong bits = fixedSize == 8 ? BitConverter.ToUInt64(packed[at..]) : BitConverter.ToUInt32(packed[at..]);
                list.Add(new Found(bits, 0, 0));
            }
            return;
        }
        WireReader elements = new(packed);
        while (elements.TryVarint(out ulong value))
        {
            list.Add(new Found(value, 0, 0));
        }
    }

    private static void WriteField(Utf8JsonWriter json, ReadOnlySpan<byte> wire, FieldShape field, List<Found>? found, ProtoJsonStyle style)
    {
        bool isSet = found is { Count: > 0 };
        bool isWritten = isSet || (style == ProtoJsonStyle.Twirp && !field.IsOptional && field.Oneof < 0);
        if (!isWritten)
        {
            return;
        }
        json.WritePropertyName(style == ProtoJsonStyle.Twirp ? field.ProtoName : field.JsonName);
        if (field.Kind == ProtoKind.Map)
        {
            WriteMap(json, wire, field, found, style);
        }
        else if (field.IsRepeated)
        {
            json.WriteStartArray();
            foreach (Found item in found ?? [])
            {
                WriteValue(json, wire, field, item, style);
            }
            json.WriteEndArray();
        }
        else if (field.Kind == ProtoKind.Message)
        {
            WriteMessage(json, wire, field, found, style);
        }
        else
        {
            WriteValue(json, wire, field, isSet ? found![^1] : default, style);
        }
    }

    /// <summary>A message that stands on the wire more than once is the sum of its pieces.</summary>
    private static void WriteMessage(Utf8JsonWriter json, ReadOnlySpan<byte> wire, FieldShape field, List<Found>? found, ProtoJsonStyle style)
    {
        if (found is not { Count: > 0 })
        {
            json.WriteNullValue();
            return;
        }
        if (found.Count == 1)
        {
            Write(json, wire.Slice(found[0].Start, found[0].Length), field.Message!, style);
            return;
        }
        List<byte> sum = [];
        foreach (Found piece in found)
        {
            sum.AddRange(wire.Slice(piece.Start, piece.Length));
        }
        Write(json, sum.ToArray(), field.Message!, style);
    }

    private static void WriteMap(Utf8JsonWriter json, ReadOnlySpan<byte> wire, FieldShape field, List<Found>? found, ProtoJsonStyle style)
    {
        SortedDictionary<string, (int Start, int Length)> entries = new(StringComparer.Ordinal);
        foreach (Found item in found ?? [])
        {
            ReadOnlySpan<byte> entry = wire.Slice(item.Start, item.Length);
            WireReader reader = new(entry);
            string key = field.MapKey!.Kind == ProtoKind.String ? "" : "0";
            while (reader.MoveNext())
            {
                if (reader.Number == 1)
                {
                    key = reader.WireType == 2
                        ? System.Text.Encoding.UTF8.GetString(entry.Slice(reader.Start, reader.Length))
                        : reader.Value.ToString(CultureInfo.InvariantCulture);
                }
            }
            entries[key] = (item.Start, item.Length);
        }
        json.WriteStartObject();
        foreach (KeyValuePair<string, (int Start, int Length)> pair in entries)
        {
            json.WritePropertyName(pair.Key);
            WriteMapValue(json, wire.Slice(pair.Value.Start, pair.Value.Length), field.MapValue!, style);
        }
        json.WriteEndObject();
    }

    private static void WriteMapValue(Utf8JsonWriter json, ReadOnlySpan<byte> entry, FieldShape value, ProtoJsonStyle style)
    {
        Found last = default;
        WireReader reader = new(entry);
        while (reader.MoveNext())
        {
            if (reader.Number == 2)
            {
                last = new Found(reader.Value, reader.Start, reader.WireType == 2 ? reader.Length : 0);
            }
        }
        WriteValue(json, entry, value, last, style);
    }

    private static void WriteValue(Utf8JsonWriter json, ReadOnlySpan<byte> wire, FieldShape field, Found item, ProtoJsonStyle style)
    {
        ReadOnlySpan<byte> content = wire.Slice(item.Start, item.Length);
        switch (field.Kind)
        {
            case ProtoKind.Double:
                WriteDouble(json, BitConverter.UInt64BitsToDouble(item.Value));
                break;
            case ProtoKind.Float:
                WriteFloat(json, BitConverter.UInt32BitsToSingle((uint)item.Value));
                break;
            case ProtoKind.Int64:
                json.WriteStringValue(((long)item.Value).ToString(CultureInfo.InvariantCulture));
                break;
            case ProtoKind.UInt64:
                json.WriteStringValue(item.Value.ToString(CultureInfo.InvariantCulture));
                break;
            case ProtoKind.Int32:
                json.WriteNumberValue((int)item.Value);
                break;
            case ProtoKind.UInt32:
                json.WriteNumberValue((uint)item.Value);
                break;
            case ProtoKind.Bool:
                json.WriteBooleanValue(item.Value != 0);
                break;
            case ProtoKind.String:
                json.WriteStringValue(content);
                break;
            case ProtoKind.Bytes:
                json.WriteBase64StringValue(content);
                break;
            case ProtoKind.Enum:
                WriteEnum(json, field.Enum!, (int)item.Value);
                break;
            default:
                Write(json, content, field.Message!, style);
                break;
        }
    }

    private static void WriteEnum(Utf8JsonWriter json, EnumShape shape, int number)
    {
        string? name = shape.NameOf(number);
        if (name is null)
        {
            json.WriteNumberValue(number);
        }
        else
        {
            json.WriteStringValue(name);
        }
    }

    private static void WriteDouble(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumberValue(value);
        }
        else
        {
            json.WriteStringValue(NameOf(value));
        }
    }

    private static void WriteFloat(Utf8JsonWriter json, float value)
    {
        if (float.IsFinite(value))
        {
            json.WriteNumberValue(value);
        }
        else
        {
            json.WriteStringValue(NameOf(value));
        }
    }

    private static string NameOf(double value) => double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

    private readonly record struct Found(ulong Value, int Start, int Length);
}
