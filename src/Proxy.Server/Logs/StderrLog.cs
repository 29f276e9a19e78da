using System;
using System.Buffers;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Threading;
using Microsoft.Extensions.Logging;

namespace Proxy.Server.Logs;

/// <summary>Any thread. Log lines on stderr: words for a terminal, or one JSON object a line with livekit/sip's keys.</summary>
/// <param name="least">Lower levels are not written.</param>
/// <param name="isJson"><c>log_format: json</c>.</param>
/// <param name="output">Stderr when null.</param>
public sealed class StderrLog(LogLevel least, bool isJson, Stream? output = null) : ILogger
{
    private const string Template = "{OriginalFormat}";
    private readonly Lock _lock = new();
    private readonly Stream _output = output ?? System.Console.OpenStandardError();
    private readonly ArrayBufferWriter<byte> _line = new(512);

    public static LogLevel ParseLevel(string level) => level switch
    {
        "debug" => LogLevel.Debug,
        "warn" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => LogLevel.Information,
    };

    /// <summary>Lower levels are not written; may be changed while others log.</summary>
    public LogLevel Least { get; set; } = least;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= Least && logLevel != LogLevel.None;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }
        string message = formatter(state, exception);
        lock (_lock)
        {
            _line.ResetWrittenCount();
            if (isJson)
            {
                WriteJson(logLevel, message, state as IReadOnlyList<KeyValuePair<string, object?>>, exception);
            }
            else
            {
                WriteText(logLevel, message, exception);
            }
            try
            {
                _output.Write(_line.WrittenSpan);
            }
            catch (IOException)
            {
                // Nobody reads stderr any more: the calls go on.
            }
        }
    }

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        _ => "error",
    };

    private void WriteText(LogLevel level, string message, Exception? exception)
    {
        string time = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        Encoding.UTF8.GetBytes($"{time} {Name(level),-5} {OneLine(message)}{(exception is null ? "" : " | " + OneLine(exception.ToString()))}\n", _line);
    }

    private void WriteJson(LogLevel level, string message, IReadOnlyList<KeyValuePair<string, object?>>? values, Exception? exception)
    {
        using (Utf8JsonWriter json = new(_line, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteString("level", Name(level));
            json.WriteNumber("ts", DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0);
            json.WriteString("msg", message);
            foreach (KeyValuePair<string, object?> value in values ?? [])
            {
                if (value.Key != Template)
                {
                    WriteValue(json, value.Key, value.Value);
                }
            }
            if (exception is not null)
            {
                json.WriteString("error", exception.ToString());
            }
            json.WriteEndObject();
        }
        _line.Write("\n"u8);
    }

    private static void WriteValue(Utf8JsonWriter json, string key, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNull(key);
                break;
            case bool flag:
                json.WriteBoolean(key, flag);
                break;
            case int number:
                json.WriteNumber(key, number);
                break;
            case long number:
                json.WriteNumber(key, number);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumber(key, number);
                break;
            default:
                json.WriteString(key, Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }

    // What came from the wire must not begin a line of its own.
    private static string OneLine(string text) => text.AsSpan().IndexOfAny('\r', '\n') < 0 ? text : text.ReplaceLineEndings(" ⏎ ");
}
