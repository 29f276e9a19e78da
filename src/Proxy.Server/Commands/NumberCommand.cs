using System.Collections.Generic;
using System.CommandLine;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Proxy.LiveKit.ProtoJson;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Api;

namespace Proxy.Server.Commands;

/// <summary>Main thread. <c>siproom number</c>: the carrier's own stock of numbers, and the rule that each of them has.</summary>
internal static class NumberCommand
{
    private const string Service = SipMethods.PhoneNumberService;
    private const int PageSize = 1_000;

    public static Command Build()
    {
        Command number = new("number", "List and change phone numbers");
        number.Subcommands.Add(List());
        number.Subcommands.Add(Get());
        number.Subcommands.Add(Update());
        number.Subcommands.Add(Import());
        number.Subcommands.Add(Release());
        return number;
    }

    private static Command List()
    {
        Command command = new("list", "Numbers that are in use");
        Option<bool> all = new("--all") { Description = "Also the stock that nobody uses, and what was released" };
        Option<string?> rule = new("--rule") { Description = "Only numbers of this dispatch rule", HelpName = "ID" };
        Option<bool> json = new("--json", "-j") { Description = "For programs" };
        PolicyFlags flags = new(command);
        command.Options.Add(all);
        command.Options.Add(rule);
        command.Options.Add(json);
        command.SetAction(result =>
        {
            using PolicyDoor? door = flags.Open(result, out int exit);
            var found = new ListPhoneNumbersResponse();
            string? page = "";
            while (door is not null && page is not null && exit == ExitCode.Done)
            {
                ListPhoneNumbersRequest request = Wanted(result.GetValue(all), result.GetValue(rule), page);
                page = null;
                if (door.TryCall(Service, "ListPhoneNumbers", request, out ListPhoneNumbersResponse part, out _, out exit))
                {
                    found.Items.Add(part.Items);
                    (found.TotalCount, found.OfflineCount) = (part.TotalCount, part.OfflineCount);
                    page = part.NextPageToken?.Token;
                }
            }
            if (door is not null && exit == ExitCode.Done)
            {
                Write(found, result.GetValue(json));
            }
            return exit;
        });
        return command;
    }

    private static Command Get()
    {
        Command command = new("get", "One number as JSON");
        Argument<string> which = Which();
        PolicyFlags flags = new(command);
        command.Arguments.Add(which);
        command.SetAction(result =>
        {
            using PolicyDoor? door = flags.Open(result, out int exit);
            string name = result.GetValue(which)!;
            GetPhoneNumberRequest request = IsId(name) ? new() { Id = name } : new() { PhoneNumber = name };
            if (door is not null && door.TryCall(Service, "GetPhoneNumber", request, out GetPhoneNumberResponse _, out string text, out exit))
            {
                System.Console.Out.WriteLine(text);
            }
            return exit;
        });
        return command;
    }

    private static Command Update()
    {
        Command command = new("update", "Give a number a dispatch rule; without one it is offline");
        Argument<string> which = Which();
        Option<string> rule = new("--sip-dispatch-rule-id", "--rule") { Description = "Id of the rule; empty takes the number offline", HelpName = "ID", Required = true };
        PolicyFlags flags = new(command);
        command.Arguments.Add(which);
        command.Options.Add(rule);
        command.SetAction(result =>
        {
            using PolicyDoor? door = flags.Open(result, out int exit);
            string name = result.GetValue(which)!;
            var request = new UpdatePhoneNumberRequest { SipDispatchRuleId = result.GetValue(rule)! };
            if (IsId(name))
            {
                request.Id = name;
            }
            else
            {
                request.PhoneNumber = name;
            }
            if (door is not null && door.TryCall(Service, "UpdatePhoneNumber", request, out UpdatePhoneNumberResponse made, out _, out exit))
            {
                string where = made.PhoneNumber.SipDispatchRuleIds.Count > 0 ? "rule " + made.PhoneNumber.SipDispatchRuleIds[0] : "no rule: it is offline";
                System.Console.Out.WriteLine($"{made.PhoneNumber.E164Format} ({made.PhoneNumber.Id}) has {where}");
            }
            return exit;
        });
        return command;
    }

    private static Command Import()
    {
        Command command = new("import", "Take a stock of numbers out of CSV: columns number, country_code, area_code, locality, region, type");
        Argument<string> file = new("FILE.csv") { Description = "The file, or - for stdin" };
        PolicyFlags flags = new(command);
        command.Arguments.Add(file);
        command.SetAction(result =>
        {
            if (!ObjectFile.TryBytes(result.GetValue(file)!, out byte[] bytes, out _, out string error))
            {
                return Terminal.Fail(ExitCode.BadInput, error);
            }
            using PolicyDoor? door = flags.Open(result, out int exit);
            if (door is not null && door.TryImport(Encoding.UTF8.GetString(bytes), out string text, out exit))
            {
                using JsonDocument document = JsonDocument.Parse(text);
                System.Console.Out.WriteLine($"{document.RootElement.GetProperty("added")} numbers added, {document.RootElement.GetProperty("known")} were known");
            }
            return exit;
        });
        return command;
    }

    private static Command Release()
    {
        Command command = new("release", "Give numbers back to the stock");
        Argument<string[]> which = new("NUMBER") { Arity = ArgumentArity.OneOrMore, Description = "Numbers, or their ids (PN_…)" };
        PolicyFlags flags = new(command);
        command.Arguments.Add(which);
        command.SetAction(result =>
        {
            var request = new ReleasePhoneNumbersRequest();
            foreach (string name in result.GetValue(which)!)
            {
                (IsId(name) ? request.Ids : request.PhoneNumbers).Add(name);
            }
            using PolicyDoor? door = flags.Open(result, out int exit);
            if (door is not null && door.TryCall(Service, "ReleasePhoneNumbers", request, out ReleasePhoneNumbersResponse _, out _, out exit))
            {
                System.Console.Out.WriteLine($"released {string.Join(", ", result.GetValue(which)!)}");
            }
            return exit;
        });
        return command;
    }

    private static Argument<string> Which() => new("NUMBER") { Description = "The number, or its id (PN_…)" };

    private static bool IsId(string name) => name.StartsWith("PN_", System.StringComparison.Ordinal);

    private static ListPhoneNumbersRequest Wanted(bool all, string? rule, string page)
    {
        var request = new ListPhoneNumbersRequest { Limit = PageSize };
        if (all)
        {
            request.Statuses.Add([PhoneNumberStatus.Unspecified, PhoneNumberStatus.Active, PhoneNumberStatus.Pending, PhoneNumberStatus.Released, PhoneNumberStatus.Offline]);
        }
        if (rule is not null)
        {
            request.SipDispatchRuleId = rule;
        }
        if (page.Length > 0)
        {
            request.PageToken = new TokenPagination { Token = page };
        }
        return request;
    }

    private static void Write(ListPhoneNumbersResponse numbers, bool isJson)
    {
        if (isJson)
        {
            System.Console.Out.WriteLine(Encoding.UTF8.GetString(ProtoJson.FromWire(numbers.GetType().Name, numbers.ToByteArray(), ProtoJsonStyle.Twirp)!));
            return;
        }
        List<string[]> rows = [["PhoneNumberID", "Number", "Status", "SIPDispatchRule", "Country", "Area", "Locality"]];
        foreach (PhoneNumber number in numbers.Items)
        {
            rows.Add([
                number.Id, number.E164Format, number.Status == PhoneNumberStatus.Unspecified ? "stock" : number.Status.ToString().ToLowerInvariant(),
                Columns.Cell(string.Join(",", number.SipDispatchRuleIds)), Columns.Cell(number.CountryCode), Columns.Cell(number.AreaCode), Columns.Cell(number.Locality)]);
        }
        Columns.Write(System.Console.Out, rows);
        System.Console.Out.WriteLine($"{numbers.TotalCount} {(numbers.TotalCount == 1 ? "number" : "numbers")}, {numbers.OfflineCount} offline");
    }
}
