using System;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Proxy.Server.Commands;

/// <summary>Main thread. <c>siproom drain</c>: the node takes no new calls, or takes them again.</summary>
internal static class DrainCommand
{
    public static Command Build()
    {
        Command command = new("drain", "Take no new calls; running ones go on for a time. The node does not end");
        Option<TimeSpan?> time = ControlFlags.Time("--for", "How long running calls may go on (default: drain_for of the configuration)", TimeSpan.Zero);
        Option<bool> undo = new("--undo") { Description = "Take calls again" };
        Option<bool> json = new("--json") { Description = "For programs" };
        ControlFlags node = new(command);
        command.Options.Add(time);
        command.Options.Add(undo);
        command.Options.Add(json);
        command.SetAction(result => result.GetValue(undo) && result.GetValue(time) is not null
            ? Terminal.Fail(ExitCode.BadInput, "--undo excludes --for: keep one of the two")
            : Run(result, node, result.GetValue(time), result.GetValue(undo), result.GetValue(json)));
        return command;
    }

    private static int Run(ParseResult result, ControlFlags node, TimeSpan? time, bool isUndo, bool isJson)
    {
        string query = time is { } given ? string.Create(CultureInfo.InvariantCulture, $"?for_ms={(long)given.TotalMilliseconds}") : "";
        return node.Ask(result, isUndo ? "DELETE" : "POST", "node/drain" + query, text => System.Console.Out.WriteLine(isJson ? text : Say(text)));
    }

    private static string Say(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        JsonElement state = document.RootElement;
        int calls = state.GetProperty("calls").GetInt32();
        string running = calls == 1 ? "1 call runs" : $"{calls} calls run";
        if (!state.GetProperty("draining").GetBoolean())
        {
            return $"takes calls; {running}";
        }
        bool isTimed = state.TryGetProperty("seconds_left", out JsonElement left);
        string time = isTimed && calls > 0 ? string.Create(CultureInfo.InvariantCulture, $", hung up in {left.GetDouble():0.#} s") : "";
        return $"draining: no new calls; {running}{time}";
    }
}
