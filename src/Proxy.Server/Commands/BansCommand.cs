using System;
using System.Collections.Generic;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using Proxy.Server.Config;

namespace Proxy.Server.Commands;

/// <summary>Main thread. <c>siproom bans list | add ADDRESS | remove ADDRESS</c>: sources that get no answer for a while.</summary>
internal static class BansCommand
{
    public static Command Build()
    {
        Command bans = new("bans", "Sources that get no answer for a while");
        bans.Subcommands.Add(List());
        bans.Subcommands.Add(Add());
        bans.Subcommands.Add(Remove());
        return bans;
    }

    private static Command List()
    {
        Command command = new("list", "Who is banned, and for how long");
        Option<bool> json = new("--json", "-j") { Description = "For programs" };
        ControlFlags flags = new(command);
        command.Options.Add(json);
        command.SetAction(result => Ask(result, flags, "GET", "node/bans", text =>
        {
            if (result.GetValue(json))
            {
                System.Console.Out.WriteLine(text);
                return;
            }
            List<string[]> rows = [["ADDRESS", "LEFT", "TIMES"]];
            using JsonDocument document = JsonDocument.Parse(text);
            foreach (JsonElement ban in document.RootElement.GetProperty("bans").EnumerateArray())
            {
                string left = TimeSpan.FromSeconds(Math.Ceiling(ban.GetProperty("seconds_left").GetDouble())).ToString("c", CultureInfo.InvariantCulture);
                rows.Add([ban.GetProperty("address").GetString()!, left, ban.GetProperty("times").GetRawText()]);
            }
            Columns.Write(System.Console.Out, rows);
        }));
        return command;
    }

    private static Command Add()
    {
        Command command = new("add", "Ban a source; one that a trunk lists cannot be banned");
        Argument<string> address = new("ADDRESS") { Description = "IP address; of IPv6 its /64 is meant" };
        Option<TimeSpan?> time = new("--for") { Description = "How long (default: strangers.ban_for)", HelpName = "TIME", CustomParser = ParseTime };
        ControlFlags flags = new(command);
        command.Arguments.Add(address);
        command.Options.Add(time);
        command.SetAction(result =>
        {
            string wanted = result.GetValue(time) is { } given ? string.Create(CultureInfo.InvariantCulture, $"&for_ms={(long)given.TotalMilliseconds}") : "";
            return Ask(result, flags, "POST", "node/bans?address=" + Uri.EscapeDataString(result.GetValue(address)!) + wanted, text =>
            {
                using JsonDocument document = JsonDocument.Parse(text);
                System.Console.Out.WriteLine($"banned {document.RootElement.GetProperty("address").GetString()} for {document.RootElement.GetProperty("seconds_left").GetRawText()} s");
            });
        });
        return command;
    }

    private static Command Remove()
    {
        Command command = new("remove", "Take a source off the list");
        Argument<string> address = new("ADDRESS") { Description = "IP address" };
        ControlFlags flags = new(command);
        command.Arguments.Add(address);
        command.SetAction(result => Ask(result, flags, "DELETE", "node/bans?address=" + Uri.EscapeDataString(result.GetValue(address)!), _ =>
            System.Console.Out.WriteLine($"{result.GetValue(address)} is not banned any more")));
        return command;
    }

    private static int Ask(ParseResult result, ControlFlags flags, string method, string path, Action<string> print)
    {
        using ControlClient? node = flags.Open(result, out int exit, out string error);
        if (node is null)
        {
            return Terminal.Fail(exit, error);
        }
        (int status, string text) = node.Send(method, path);
        if (status != 200)
        {
            return Terminal.Fail(status == 400 ? ExitCode.BadInput : ExitCode.Failed, node.Sentence(status, text));
        }
        print(text);
        return ExitCode.Done;
    }

    private static TimeSpan? ParseTime(ArgumentResult argument)
    {
        string text = argument.Tokens.Count == 1 ? argument.Tokens[0].Value : "";
        if (GoDuration.TryParse(text, out TimeSpan time) && time > TimeSpan.Zero)
        {
            return time;
        }
        argument.AddError($"--for '{text}' is not a time such as 30s, 15m or 2h");
        return null;
    }
}
