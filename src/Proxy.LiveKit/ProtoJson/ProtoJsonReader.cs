using System;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Proxy.LiveKit.ProtoJson;

/// <summary>One owner. JSON in, encoded message out.</summary>
internal ref struct ProtoJsonReader
{
    private readonly ReadOnlySpan<byte> _text;
    private readonly WireWriter _wire;
    private readonly bool _ignoresUnknown;
    private Utf8JsonReader _json;

    private ProtoJsonReader(ReadOnlySpan<byte> text, ProtoJsonRules rules, WireWriter wire)
    {
        _text = text;
        _wire = wire;
        _ignoresUnknown = (rules & ProtoJsonRules.IgnoreUnknown) != 0;
        _json = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = ProtoJson.MaxDepth });
    }

    internal static bool TryRead(ReadOnlySpan<byte> text, MessageShape shape, ProtoJsonRules rules, WireWriter wire, out ProtoJsonError error)
    {
        ProtoJsonReader reader = new(text, rules, wire);
        error = default;
        try
        {
            reader.Next();
            reader.ReadMessage(shape);
            if ((rules & ProtoJsonRules.IgnoreTrailingText) == 0)
            {
                // Throws for anything but white space.
                reader._json.Read();
            }
            return true;
        }
        catch (FormatFault fault)
        {
            error = fault.Error;
        }
        catch (JsonException fault)
        {
            error = new ProtoJsonError((int)(fault.LineNumber ?? 0) + 1, (int)(fault.BytePositionInLine ?? 0) + 1, "this is not JSON, or it is nested too deeply");
        }
        catch (InvalidOperationException)
        {
            // The reader's way to say that a text holds half a surrogate pair or bytes that are not UTF-8.
            error = reader.ErrorHere("this text is not Unicode");
        }
        return false;
    }

    private void Next()
    {
        if (!_json.Read())
        {
            throw Fault("the text ends too early");
        }
    }

    private void ReadMessage(MessageShape shape)
    {
        if (shape.Name is ProtoShapes.Duration or ProtoShapes.Timestamp)
        {
            ReadWellKnown(shape.Name);
            return;
        }
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            throw Fault("expected an object");
        }
        bool[] isSeen = new bool[shape.Fields.Length];
        ulong oneofs = 0;
        while (true)
        {
            Next();
            if (_json.TokenType == JsonTokenType.EndObject)
            {
                return;
            }
            FieldShape? field = shape.Find(Text());
            if (field is null)
            {
                SkipUnknown();
                continue;
            }
            if (isSeen[field.Index])
            {
                throw Fault("field \"" + field.ProtoName + "\" is given twice");
            }
            isSeen[field.Index] = true;
            Next();
            if (_json.TokenType == JsonTokenType.Null)
            {
                continue;
            }
            if (field.Oneof >= 0)
            {
                ulong bit = 1UL << field.Oneof;
                if ((oneofs & bit) != 0)
                {
                    throw Fault("field \"" + field.ProtoName + "\" excludes one that is already given");
                }
                oneofs |= bit;
            }
            ReadField(field);
        }
    }

    private void SkipUnknown()
    {
        if (!_ignoresUnknown)
        {
            throw Fault("unknown field \"" + Printable(Text()) + "\"");
        }
        Next();
        _json.Skip();
    }

    private void ReadField(FieldShape field)
    {
        if (field.Kind == ProtoKind.Map)
        {
            ReadMap(field);
            return;
        }
        if (!field.IsRepeated)
        {
            ReadValue(field);
            return;
        }
        if (_json.TokenType != JsonTokenType.StartArray)
        {
            throw Fault("field \"" + field.ProtoName + "\" needs a list");
        }
        Next();
        while (_json.TokenType != JsonTokenType.EndArray)
        {
            ReadValue(field);
            Next();
        }
    }

    private void ReadMap(FieldShape field)
    {
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            throw Fault("field \"" + field.ProtoName + "\" needs an object");
        }
        System.Collections.Generic.HashSet<string> keys = new(StringComparer.Ordinal);
        while (true)
        {
            Next();
            if (_json.TokenType == JsonTokenType.EndObject)
            {
                return;
            }
            string key = Text();
            if (!keys.Add(key))
            {
                throw Fault("a key of \"" + field.ProtoName + "\" is given twice");
            }
            _wire.Tag(field.Number, 2);
            int mark = _wire.Begin();
            WriteMapKey(field, key);
            Next();
            ReadValue(field.MapValue!);
            _wire.End(mark);
        }
    }

    private void WriteMapKey(FieldShape field, string key)
    {
        if (field.MapKey!.Kind == ProtoKind.String)
        {
            _wire.Tag(1, 2);
            _wire.Bytes(Encoding.UTF8.GetBytes(key));
            return;
        }
        _wire.Tag(1, 0);
        _wire.Varint((ulong)Integral(field, key));
    }

    private void ReadValue(FieldShape field)
    {
        switch (field.Kind)
        {
            case ProtoKind.String:
                Require(field, JsonTokenType.String, "a text");
                _wire.Tag(field.Number, 2);
                _wire.Bytes(Encoding.UTF8.GetBytes(Text()));
                break;
            case ProtoKind.Bool:
                if (_json.TokenType is not (JsonTokenType.True or JsonTokenType.False))
                {
                    throw Fault("field \"" + field.ProtoName + "\" needs true or false");
                }
                _wire.Tag(field.Number, 0);
                _wire.Varint(_json.TokenType == JsonTokenType.True ? 1u : 0u);
                break;
            case ProtoKind.Bytes:
                Require(field, JsonTokenType.String, "base64");
                _wire.Tag(field.Number, 2);
                _wire.Bytes(Base64(field));
                break;
            case ProtoKind.Enum:
                ReadEnum(field);
                break;
            case ProtoKind.Message:
                _wire.Tag(field.Number, 2);
                int mark = _wire.Begin();
                ReadMessage(field.Message!);
                _wire.End(mark);
                break;
            case ProtoKind.Double or ProtoKind.Float:
                ReadFloating(field);
                break;
            default:
                long value = Integral(field, NumberText(field));
                _wire.Tag(field.Number, 0);
                _wire.Varint((ulong)value);
                break;
        }
    }

    private void ReadEnum(FieldShape field)
    {
        int number;
        if (_json.TokenType == JsonTokenType.String)
        {
            string name = Text();
            if (!field.Enum!.TryNumber(name, out number))
            {
                if (_ignoresUnknown)
                {
                    return;
                }
                throw Fault("field \"" + field.ProtoName + "\" does not know \"" + Printable(name) + "\"");
            }
        }
        else
        {
            Require(field, JsonTokenType.Number, "a name or a number");
            if (!_json.TryGetInt32(out number))
            {
                throw Fault("field \"" + field.ProtoName + "\" is out of range");
            }
        }
        _wire.Tag(field.Number, 0);
        _wire.Varint((ulong)number);
    }

    private void ReadFloating(FieldShape field)
    {
        string text = NumberText(field);
        double value = text switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            _ => ParseDouble(field, text),
        };
        if (field.Kind == ProtoKind.Double)
        {
            _wire.Tag(field.Number, 1);
            _wire.Fixed64(BitConverter.DoubleToUInt64Bits(value));
            return;
        }
        float narrow = (float)value;
        if (float.IsInfinity(narrow) && double.IsFinite(value))
        {
            throw Fault("field \"" + field.ProtoName + "\" is out of range");
        }
        _wire.Tag(field.Number, 5);
        _wire.Fixed32(BitConverter.SingleToUInt32Bits(narrow));
    }

    private double ParseDouble(FieldShape field, string text)
    {
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        bool isNumber = double.TryParse(text, Style, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value);
        return isNumber ? value : throw Fault("field \"" + field.ProtoName + "\" needs a number");
    }

    /// <summary>Reads an integer in its field's range; <c>1.0</c> and <c>1e3</c> are integers too.</summary>
    private long Integral(FieldShape field, string text)
    {
        ProtoKind kind = field.Kind == ProtoKind.Map ? field.MapKey!.Kind : field.Kind;
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (!decimal.TryParse(text, Style, CultureInfo.InvariantCulture, out decimal value) || decimal.Truncate(value) != value)
        {
            throw Fault("field \"" + field.ProtoName + "\" needs a whole number");
        }
        (decimal low, decimal high) = kind switch
        {
            ProtoKind.Int32 => ((decimal)int.MinValue, (decimal)int.MaxValue),
            ProtoKind.UInt32 => (0m, (decimal)uint.MaxValue),
            ProtoKind.UInt64 => (0m, (decimal)ulong.MaxValue),
            _ => ((decimal)long.MinValue, (decimal)long.MaxValue),
        };
        if (value < low || value > high)
        {
            throw Fault("field \"" + field.ProtoName + "\" is out of range");
        }
        return value > long.MaxValue ? (long)(ulong)value : (long)value;
    }

    private string NumberText(FieldShape field)
    {
        if (_json.TokenType == JsonTokenType.String)
        {
            return Text();
        }
        Require(field, JsonTokenType.Number, "a number");
        return Encoding.ASCII.GetString(_json.ValueSpan);
    }

    private byte[] Base64(FieldShape field)
    {
        string text = Text().Replace('-', '+').Replace('_', '/').TrimEnd('=');
        byte[] bytes = new byte[(text.Length * 3 / 4) + 3];
        bool isBase64 = Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), bytes, out int written);
        return isBase64 ? bytes[..written] : throw Fault("field \"" + field.ProtoName + "\" needs base64");
    }

    private void ReadWellKnown(string type)
    {
        if (_json.TokenType != JsonTokenType.String || !WellKnownJson.TryParse(type, Text(), out long seconds, out int nanos))
        {
            throw Fault(type == ProtoShapes.Duration ? "expected a duration such as \"1.5s\"" : "expected a time such as \"2026-01-31T12:00:00Z\"");
        }
        _wire.Tag(1, 0);
        _wire.Varint((ulong)seconds);
        _wire.Tag(2, 0);
        _wire.Varint((ulong)nanos);
    }

    private void Require(FieldShape field, JsonTokenType type, string what)
    {
        if (_json.TokenType != type)
        {
            throw Fault("field \"" + field.ProtoName + "\" needs " + what);
        }
    }

    private readonly string Text() => _json.GetString() ?? "";

    private readonly FormatFault Fault(string text) => new(ErrorHere(text));

    private readonly ProtoJsonError ErrorHere(string text)
    {
        ReadOnlySpan<byte> before = _text[..(int)Math.Min(_json.TokenStartIndex, _text.Length)];
        int lastLine = before.LastIndexOf((byte)'\n');
        return new ProtoJsonError(before.Count((byte)'\n') + 1, before.Length - lastLine, text);
    }

    /// <summary>A name of the sender's, cut and stripped so that it can stand in a log.</summary>
    private static string Printable(string name)
    {
        StringBuilder text = new();
        foreach (char c in name)
        {
            if (text.Length == 64)
            {
                break;
            }
            text.Append(c is >= ' ' and <= '~' and not '"' ? c : '?');
        }
        return text.ToString();
    }

    private sealed class FormatFault(ProtoJsonError error) : Exception
    {
        internal ProtoJsonError Error { get; } = error;
    }
}
