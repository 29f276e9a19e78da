using System.Collections.Generic;
using System.CommandLine;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Api;
using Proxy.Server.Store;

namespace Proxy.Server.Commands;

/// <summary>Main thread. <c>siproom dispatch</c>: dispatch rules, with the files and flags of <c>lk sip dispatch</c>.</summary>
internal static class DispatchCommand
{
    private const string Service = SipMethods.SipService;

    public static Command Build()
    {
        Command dispatch = new("dispatch", "List and change dispatch rules");
        dispatch.Aliases.Add("dispatch-rule");
        dispatch.Subcommands.Add(List());
        dispatch.Subcommands.Add(Get());
        dispatch.Subcommands.Add(Create());
        dispatch.Subcommands.Add(Update());
        dispatch.Subcommands.Add(Delete());
        dispatch.Subcommands.Add(ObjectFlags.Set("dispatch rule"));
        return dispatch;
    }

    private static Command List()
    {
        Command command = new("list", "All dispatch rules");
        Option<bool> json = new("--json", "-j") { Description = "For programs" };
        PolicyFlags flags = new(command);
        command.Options.Add(json);
        command.SetAction(result =>
        {
            using PolicyDoor? door = flags.Open(result, out int exit);
            if (door is null || !door.TryCall(Service, "ListSIPDispatchRule", new ListSIPDispatchRuleRequest(), out ListSIPDispatchRuleResponse rules, out string text, out exit))
            {
                return exit;
            }
            if (result.GetValue(json))
            {
                System.Console.Out.WriteLine(text);
                return exit;
            }
            List<string[]> rows = [["SIPDispatchRuleID", "Name", "SIPTrunks", "Type", "RoomName", "Pin", "Numbers", "Agents"]];
            foreach (SIPDispatchRuleInfo rule in rules.Items)
            {
                (string type, string room, string pin) = Describe(rule.Rule);
                List<string> agents = [];
                foreach (RoomAgentDispatch agent in rule.RoomConfig?.Agents ?? [])
                {
                    agents.Add(agent.AgentName);
                }
                rows.Add([
                    rule.SipDispatchRuleId, Columns.Cell(rule.Name), Columns.Cell(rule.TrunkIds.Count == 0 ? "<any>" : string.Join(",", rule.TrunkIds)), type,
                    Columns.Cell(room), pin.Length > 0 ? "****" : "-", Columns.Cell(string.Join(",", rule.Numbers)), Columns.Cell(string.Join(",", agents))]);
            }
            Columns.Write(System.Console.Out, rows);
            return exit;
        });
        return command;
    }

    private static Command Get()
    {
        Command command = new("get", "One dispatch rule as JSON, and our additions to it");
        Argument<string> id = new("ID") { Description = "Id of the rule" };
        PolicyFlags flags = new(command);
        command.Arguments.Add(id);
        command.SetAction(result =>
        {
            string wanted = result.GetValue(id)!;
            using PolicyDoor? door = flags.Open(result, out int exit);
            var request = new ListSIPDispatchRuleRequest();
            request.DispatchRuleIds.Add(wanted);
            if (door is not null && door.TryCall(Service, "ListSIPDispatchRule", request, out ListSIPDispatchRuleResponse _, out string text, out exit)
                && door.TryExtras(wanted, out string extras, out exit))
            {
                System.Console.Out.WriteLine(text);
                System.Console.Out.WriteLine(extras);
            }
            return exit;
        });
        return command;
    }

    private static Command Create()
    {
        Command command = new("create", "Create dispatch rules of files, of JSON, or of flags");
        Argument<string[]> files = new("FILE") { Arity = ArgumentArity.ZeroOrMore, Description = "JSON file, - for stdin, or the JSON itself" };
        DispatchFields fields = new(command, isUpdate: false);
        PolicyFlags flags = new(command);
        command.Arguments.Add(files);
        command.SetAction(result =>
        {
            if (!TryRead(result.GetValue(files)!, out List<(IMessage Message, string? Extras)> objects))
            {
                return ExitCode.BadInput;
            }
            if (objects.Count == 0)
            {
                objects.Add((new SIPDispatchRuleInfo(), null));
            }
            foreach ((IMessage message, _) in objects)
            {
                var rule = (SIPDispatchRuleInfo)message;
                rule.SipDispatchRuleId = ObjectFile.IdOf(rule.SipDispatchRuleId);
                if (!fields.TryApply(result, rule, out string error))
                {
                    return Terminal.Fail(ExitCode.BadInput, error);
                }
            }
            using PolicyDoor? door = flags.Open(result, out int exit);
            for (int i = 0; door is not null && i < objects.Count && exit == ExitCode.Done; i++)
            {
                var request = new CreateSIPDispatchRuleRequest { DispatchRule = (SIPDispatchRuleInfo)objects[i].Message };
                if (door.TryCall(Service, "CreateSIPDispatchRule", request, out SIPDispatchRuleInfo made, out _, out exit))
                {
                    exit = Finish(door, made.SipDispatchRuleId, objects[i].Extras);
                }
            }
            return exit;
        });
        return command;
    }

    private static Command Update()
    {
        Command command = new("update", "Replace a dispatch rule by a file's, or change what flags say");
        Argument<string?> file = new("FILE") { Arity = ArgumentArity.ZeroOrOne, Description = "JSON file, - for stdin, or the JSON itself" };
        Option<string?> id = new("--id") { Description = "Id of the rule", HelpName = "ID" };
        DispatchFields fields = new(command, isUpdate: true);
        PolicyFlags flags = new(command);
        command.Arguments.Add(file);
        command.Options.Add(id);
        command.SetAction(result =>
        {
            var request = new UpdateSIPDispatchRuleRequest { SipDispatchRuleId = result.GetValue(id) ?? "" };
            string? extras = null;
            if (result.GetValue(file) is { } path)
            {
                if (!TryRead([path], out List<(IMessage Message, string? Extras)> objects))
                {
                    return ExitCode.BadInput;
                }
                if (objects.Count != 1)
                {
                    return Terminal.Fail(ExitCode.BadInput, $"'{path}' holds {objects.Count} rules; one is wanted");
                }
                request.Replace = (SIPDispatchRuleInfo)objects[0].Message;
                extras = objects[0].Extras;
                request.SipDispatchRuleId = request.SipDispatchRuleId.Length > 0 ? request.SipDispatchRuleId : ObjectFile.IdOf(request.Replace.SipDispatchRuleId);
                request.Replace.SipDispatchRuleId = "";
            }
            else if (fields.TryChange(result, out SIPDispatchRuleUpdate update, out string error))
            {
                request.Update = update;
            }
            else
            {
                return Terminal.Fail(ExitCode.BadInput, error);
            }
            if (request.SipDispatchRuleId.Length == 0)
            {
                return Terminal.Fail(ExitCode.BadInput, "which rule? give --id ID, or a file that holds the id");
            }
            using PolicyDoor? door = flags.Open(result, out int exit);
            if (door is not null && door.TryCall(Service, "UpdateSIPDispatchRule", request, out SIPDispatchRuleInfo made, out _, out exit))
            {
                exit = Finish(door, made.SipDispatchRuleId, extras);
            }
            return exit;
        });
        return command;
    }

    private static Command Delete()
    {
        Command command = new("delete", "Delete dispatch rules");
        Argument<string[]> ids = new("ID") { Arity = ArgumentArity.OneOrMore, Description = "Ids of rules" };
        PolicyFlags flags = new(command);
        command.Arguments.Add(ids);
        command.SetAction(result =>
        {
            using PolicyDoor? door = flags.Open(result, out int exit);
            foreach (string id in door is null ? [] : result.GetValue(ids)!)
            {
                if (!door!.TryCall(Service, "DeleteSIPDispatchRule", new DeleteSIPDispatchRuleRequest { SipDispatchRuleId = id }, out SIPDispatchRuleInfo _, out _, out exit))
                {
                    break;
                }
                System.Console.Out.WriteLine($"SIP Dispatch Rule [{id}] deleted");
            }
            return exit;
        });
        return command;
    }

    private static bool TryRead(string[] files, out List<(IMessage, string?)> objects)
    {
        objects = [];
        foreach (string file in files)
        {
            objects.AddRange(ObjectFile.Read(ObjectKind.Rule, file, out IReadOnlyList<string> problems));
            Terminal.Lines(problems);
            if (problems.Count > 0)
            {
                return false;
            }
        }
        return true;
    }

    private static int Finish(PolicyDoor door, string id, string? extras)
    {
        if (extras is not null && !door.TrySetExtras(ObjectFlags.Extras(id, extras), out _, out int exit))
        {
            return exit;
        }
        System.Console.Out.WriteLine("SIPDispatchRuleID: " + id);
        return ExitCode.Done;
    }

    private static (string Type, string Room, string Pin) Describe(SIPDispatchRule? rule) => rule?.RuleCase switch
    {
        SIPDispatchRule.RuleOneofCase.DispatchRuleDirect => ("Direct", rule.DispatchRuleDirect.RoomName, rule.DispatchRuleDirect.Pin),
        SIPDispatchRule.RuleOneofCase.DispatchRuleIndividual =>
            ("Individual (Caller)", rule.DispatchRuleIndividual.RoomPrefix + "_<caller>" + (rule.DispatchRuleIndividual.NoRandomness ? "" : "_<random>"), rule.DispatchRuleIndividual.Pin),
        SIPDispatchRule.RuleOneofCase.DispatchRuleCallee =>
            ("Callee", rule.DispatchRuleCallee.RoomPrefix + "_<callee>" + (rule.DispatchRuleCallee.Randomize ? "_<random>" : ""), rule.DispatchRuleCallee.Pin),
        _ => ("-", "", ""),
    };
}
