using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Proxy.LiveKit.Protocol;

namespace Proxy.Server.Commands;

/// <summary>Main thread. What the verbs of trunks and rules share: how lists, encryption, codecs and <c>set</c> are written on the command line.</summary>
internal static class ObjectFlags
{
    /// <summary>A list that may be given with commas, or by repeating the flag; given empty it is the empty list, not given null.</summary>
    public static List<string>? Texts(ParseResult result, Option<string[]> option)
    {
        if (result.GetResult(option) is null or { Implicit: true })
        {
            return null;
        }
        List<string> texts = [];
        foreach (string value in result.GetValue(option) ?? [])
        {
            texts.AddRange(value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        }
        return texts;
    }

    public static Option<string[]> List(string name, string description) =>
        new(name) { Description = description, Arity = ArgumentArity.ZeroOrMore, AllowMultipleArgumentsPerToken = false };

    /// <summary>One change of a list as the API takes it; null leaves it.</summary>
    public static ListUpdate? Replace(List<string>? texts)
    {
        if (texts is null)
        {
            return null;
        }
        var update = new ListUpdate { Clear = texts.Count == 0 };
        update.Set.AddRange(texts);
        return update;
    }

    public static bool TryEncryption(string? text, out SIPMediaEncryption encryption, out string error)
    {
        (bool isKnown, encryption) = (text ?? "disable").ToUpperInvariant().Replace("SIP_MEDIA_ENCRYPT_", "", StringComparison.Ordinal) switch
        {
            "DISABLE" => (true, SIPMediaEncryption.SipMediaEncryptDisable),
            "ALLOW" => (true, SIPMediaEncryption.SipMediaEncryptAllow),
            "REQUIRE" => (true, SIPMediaEncryption.SipMediaEncryptRequire),
            _ => (false, default),
        };
        error = isKnown ? "" : $"--media-enc '{text}' is unknown; known are disable, allow, require";
        return isKnown;
    }

    public static bool TryCodecs(List<string> texts, out List<SIPCodec> codecs, out string error)
    {
        codecs = [];
        foreach (string text in texts)
        {
            string[] parts = text.Split('/');
            uint rate = 0;
            if (parts.Length > 2 || parts[0].Length == 0 || (parts.Length == 2 && !uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out rate)))
            {
                error = $"--codecs '{text}' is no codec such as PCMU or PCMU/8000";
                return false;
            }
            codecs.Add(new SIPCodec { Name = parts[0], Rate = rate });
        }
        error = "";
        return true;
    }

    /// <summary><c>set ID key=value…</c>: values are JSON where they can be read as such, else text; nothing after the = takes the key away.</summary>
    public static Command Set(string what)
    {
        Command command = new("set", $"Set our own additions of a {what} (docs/operating.md)");
        Argument<string> id = new("ID") { Description = $"Id of the {what}" };
        Argument<string[]> pairs = new("KEY=VALUE") { Arity = ArgumentArity.OneOrMore, Description = "VALUE is JSON or text; empty takes the key away" };
        PolicyFlags flags = new(command);
        command.Arguments.Add(id);
        command.Arguments.Add(pairs);
        command.SetAction(result =>
        {
            if (!TryWrite(result.GetValue(id)!, result.GetValue(pairs)!, out string body, out string error))
            {
                return Terminal.Fail(ExitCode.BadInput, error);
            }
            using PolicyDoor? door = flags.Open(result, out int exit);
            if (door is not null && door.TrySetExtras(body, out string json, out exit))
            {
                System.Console.Out.WriteLine(json);
            }
            return exit;
        });
        return command;
    }

    /// <summary>Additions that stood in a file, for <see cref="PolicyDoor.TrySetExtras"/>.</summary>
    public static string Extras(string id, string x) => $"{{\"id\":\"{JsonEncodedText.Encode(id)}\",\"x\":{x}}}";

    private static bool TryWrite(string id, string[] pairs, out string body, out string error)
    {
        (body, error) = ("", "");
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteStartObject("x");
            foreach (string pair in pairs)
            {
                int equals = pair.IndexOf('=', StringComparison.Ordinal);
                if (equals <= 0)
                {
                    error = $"'{pair}' is not KEY=VALUE";
                    return false;
                }
                json.WritePropertyName(pair[..equals]);
                WriteValue(json, pair[(equals + 1)..]);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        body = System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
        return true;
    }

    private static void WriteValue(Utf8JsonWriter json, string text)
    {
        if (text.Length == 0)
        {
            json.WriteNullValue();
            return;
        }
        try
        {
            using JsonDocument value = JsonDocument.Parse(text);
            value.RootElement.WriteTo(json);
        }
        catch (JsonException)
        {
            json.WriteStringValue(text);
        }
    }
}
