using System;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Proxy.Server.Commands;

/// <summary>Main thread. <c>siproom calls list | show ID | hangup ID</c>: calls that run, and attempts that are over, refused ones too.</summary>
internal static class CallsCommand
{
    public static Command Build()
    {
        Command calls = new("calls", "List, show and end calls");
        calls.Subcommands.Add(List());
        calls.Subcommands.Add(Show());
        calls.Subcommands.Add(HangUp());
        return calls;
    }

    private static Command List()
    {
        Command command = new("list", "Calls that run and attempts of the last 24 hours, the newest first");
        Option<bool> live = new("--live") { Description = "Only calls that run" };
        Option<bool> refused = new("--refused") { Description = "Only attempts that we refused" };
        Option<string?> number = new("--number") { Description = "Only calls from or to this number", HelpName = "N" };
        Option<TimeSpan?> since = ControlFlags.Time("--since", "Only what began within this time, such as 15m", TimeSpan.FromSeconds(1));
        Option<int?> limit = new("--limit") { Description = "Attempts shown at most (default 100)", HelpName = "N" };
        Option<bool> json = new("--json") { Description = "For programs" };
        ControlFlags node = new(command);
        foreach (Option option in (Option[])[live, refused, number, since, limit, json])
        {
            command.Options.Add(option);
        }
        command.SetAction(result =>
        {
            string query = (result.GetValue(live) ? "&live=1" : "") + (result.GetValue(refused) ? "&refused=1" : "")
                + (result.GetValue(number) is { } wanted ? "&number=" + Uri.EscapeDataString(wanted) : "")
                + (result.GetValue(since) is { } ago ? string.Create(CultureInfo.InvariantCulture, $"&since_ms={(long)ago.TotalMilliseconds}") : "")
                + (result.GetValue(limit) is { } most ? string.Create(CultureInfo.InvariantCulture, $"&limit={most}") : "");
            return node.Ask(result, "GET", "node/calls?" + query.TrimStart('&'), text =>
            {
                if (result.GetValue(json))
                {
                    System.Console.Out.WriteLine(text);
                    return;
                }
                using JsonDocument document = JsonDocument.Parse(text);
                CallText.WriteList(System.Console.Out, document.RootElement);
                int more = document.RootElement.GetProperty("more").GetInt32();
                if (more > 0)
                {
                    Terminal.Lines([$"… and {more} more: narrow them with --number, --since or --refused, or raise --limit"]);
                }
            });
        });
        return command;
    }

    private static Command Show()
    {
        Command command = new("show", "All that is known of one call");
        Argument<string> id = Id();
        Option<bool> sip = new("--sip") { Description = "Its SIP messages; secrets are masked" };
        Option<bool> json = new("--json") { Description = "For programs" };
        ControlFlags node = new(command);
        command.Arguments.Add(id);
        command.Options.Add(sip);
        command.Options.Add(json);
        command.SetAction(result =>
        {
            string query = "id=" + Uri.EscapeDataString(result.GetValue(id)!);
            bool isJson = result.GetValue(json);
            if (result.GetValue(sip))
            {
                return node.Ask(result, "GET", "node/calls/sip?" + query, System.Console.Out.WriteLine, isJson ? "application/json" : "text/plain");
            }
            return node.Ask(result, "GET", "node/calls/show?" + query, text =>
            {
                if (isJson)
                {
                    System.Console.Out.WriteLine(text);
                    return;
                }
                using JsonDocument document = JsonDocument.Parse(text);
                CallText.WriteCalls(System.Console.Out, document.RootElement);
            });
        });
        return command;
    }

    private static Command HangUp()
    {
        Command command = new("hangup", "End a call");
        Argument<string> id = Id();
        ControlFlags node = new(command);
        command.Arguments.Add(id);
        command.SetAction(result => node.Ask(result, "POST", "node/calls/hangup?id=" + Uri.EscapeDataString(result.GetValue(id)!), text =>
        {
            using JsonDocument document = JsonDocument.Parse(text);
            System.Console.Out.WriteLine($"hung up {document.RootElement.GetProperty("call_id").GetString()}");
        }));
        return command;
    }

    private static Argument<string> Id() => new("ID") { Description = "Our call id (SCL_…), the SIP Call-ID, or the carrier's id" };
}
