using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;

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
        command.SetAction(result => flags.Ask(result, "GET", "node/bans", text =>
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
        Option<TimeSpan?> time = ControlFlags.Time("--for", "How long (default: strangers.ban_for)", TimeSpan.FromSeconds(1));
        ControlFlags flags = new(command);
        command.Arguments.Add(address);
        command.Options.Add(time);
        command.SetAction(result =>
        {
            string wanted = result.GetValue(time) is { } given ? string.Create(CultureInfo.InvariantCulture, $"&for_ms={(long)given.TotalMilliseconds}") : "";
            return flags.Ask(result, "POST", "node/bans?address=" + Uri.EscapeDataString(result.GetValue(address)!) + wanted, text =>
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
        command.SetAction(result => flags.Ask(result, "DELETE", "node/bans?address=" + Uri.EscapeDataString(result.GetValue(address)!), _ =>
            System.Console.Out.WriteLine($"{result.GetValue(address)} is not banned any more")));
        return command;
    }
}
