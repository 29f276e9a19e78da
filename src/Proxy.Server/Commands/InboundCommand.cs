using System.Collections.Generic;
using System.CommandLine;
using Google.Protobuf;
using Proxy.LiveKit.Protocol;
using Proxy.Server.Api;
using Proxy.Server.Store;

namespace Proxy.Server.Commands;

/// <summary>Main thread. <c>siproom inbound</c>: trunks, with the files and flags of <c>lk sip inbound</c>.</summary>
internal static class InboundCommand
{
    private const string Service = SipMethods.SipService;

    public static Command Build()
    {
        Command inbound = new("inbound", "List and change trunks");
        inbound.Aliases.Add("in");
        inbound.Aliases.Add("inbound-trunk");
        inbound.Subcommands.Add(List());
        inbound.Subcommands.Add(Get());
        inbound.Subcommands.Add(Create());
        inbound.Subcommands.Add(Update());
        inbound.Subcommands.Add(Delete());
        inbound.Subcommands.Add(ObjectFlags.Set("trunk"));
        return inbound;
    }

    private static Command List()
    {
        Command command = new("list", "All trunks");
        Option<bool> json = new("--json", "-j") { Description = "For programs" };
        PolicyFlags flags = new(command);
        command.Options.Add(json);
        command.SetAction(result =>
        {
            using PolicyDoor? door = flags.Open(result, out int exit);
            if (door is null || !door.TryCall(Service, "ListSIPInboundTrunk", new ListSIPInboundTrunkRequest(), out ListSIPInboundTrunkResponse trunks, out string text, out exit))
            {
                return exit;
            }
            if (result.GetValue(json))
            {
                System.Console.Out.WriteLine(text);
                return exit;
            }
            List<string[]> rows = [["SIPTrunkID", "Name", "Numbers", "AllowedAddresses", "AllowedNumbers", "Authentication", "Encryption", "Metadata"]];
            foreach (SIPInboundTrunkInfo trunk in trunks.Items)
            {
                rows.Add([
                    trunk.SipTrunkId, Columns.Cell(trunk.Name), Columns.Cell(string.Join(",", trunk.Numbers)), Columns.Cell(string.Join(",", trunk.AllowedAddresses)),
                    Columns.Cell(string.Join(",", trunk.AllowedNumbers)), Columns.Cell(Login(trunk)), Encryption(trunk), Columns.Cell(trunk.Metadata)]);
            }
            Columns.Write(System.Console.Out, rows);
            return exit;
        });
        return command;
    }

    private static Command Get()
    {
        Command command = new("get", "One trunk as JSON, and our additions to it");
        Argument<string> id = new("ID") { Description = "Id of the trunk" };
        PolicyFlags flags = new(command);
        command.Arguments.Add(id);
        command.SetAction(result =>
        {
            using PolicyDoor? door = flags.Open(result, out int exit);
            var request = new GetSIPInboundTrunkRequest { SipTrunkId = result.GetValue(id)! };
            if (door is not null && door.TryCall(Service, "GetSIPInboundTrunk", request, out GetSIPInboundTrunkResponse _, out string text, out exit)
                && door.TryExtras(result.GetValue(id)!, out string extras, out exit))
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
        Command command = new("create", "Create trunks of files, of JSON, or of flags");
        Argument<string[]> files = new("FILE") { Arity = ArgumentArity.ZeroOrMore, Description = "JSON file, - for stdin, or the JSON itself" };
        Fields fields = new(command, isUpdate: false);
        PolicyFlags flags = new(command);
        command.Arguments.Add(files);
        command.SetAction(result =>
        {
            if (!TryRead(result.GetValue(files)!, out List<(IMessage, string?)> objects) || !fields.Check(result, out string error))
            {
                return ExitCode.BadInput;
            }
            if (objects.Count == 0)
            {
                objects.Add((new SIPInboundTrunkInfo(), null));
            }
            using PolicyDoor? door = flags.Open(result, out int exit);
            for (int i = 0; door is not null && i < objects.Count && exit == ExitCode.Done; i++)
            {
                var trunk = (SIPInboundTrunkInfo)objects[i].Item1;
                trunk.SipTrunkId = ObjectFile.IdOf(trunk.SipTrunkId);
                fields.Apply(result, trunk);
                if (door.TryCall(Service, "CreateSIPInboundTrunk", new CreateSIPInboundTrunkRequest { Trunk = trunk }, out SIPInboundTrunkInfo made, out _, out exit))
                {
                    exit = Finish(door, made.SipTrunkId, objects[i].Item2);
                }
            }
            return exit;
        });
        return command;
    }

    private static Command Update()
    {
        Command command = new("update", "Replace a trunk by a file's, or change what flags say");
        Argument<string?> file = new("FILE") { Arity = ArgumentArity.ZeroOrOne, Description = "JSON file, - for stdin, or the JSON itself" };
        Option<string?> id = new("--id") { Description = "Id of the trunk", HelpName = "ID" };
        Fields fields = new(command, isUpdate: true);
        PolicyFlags flags = new(command);
        command.Arguments.Add(file);
        command.Options.Add(id);
        command.SetAction(result =>
        {
            var request = new UpdateSIPInboundTrunkRequest { SipTrunkId = result.GetValue(id) ?? "" };
            string? extras = null;
            if (result.GetValue(file) is { } path)
            {
                if (!TryRead([path], out List<(IMessage Message, string? Extras)> objects))
                {
                    return ExitCode.BadInput;
                }
                if (objects.Count != 1)
                {
                    return Terminal.Fail(ExitCode.BadInput, $"'{path}' holds {objects.Count} trunks; one is wanted");
                }
                request.Replace = (SIPInboundTrunkInfo)objects[0].Message;
                extras = objects[0].Extras;
                request.SipTrunkId = request.SipTrunkId.Length > 0 ? request.SipTrunkId : ObjectFile.IdOf(request.Replace.SipTrunkId);
                request.Replace.SipTrunkId = "";
            }
            else
            {
                request.Update = fields.Change(result);
            }
            if (request.SipTrunkId.Length == 0)
            {
                return Terminal.Fail(ExitCode.BadInput, "which trunk? give --id ID, or a file that holds the id");
            }
            using PolicyDoor? door = flags.Open(result, out int exit);
            if (door is not null && door.TryCall(Service, "UpdateSIPInboundTrunk", request, out SIPInboundTrunkInfo made, out _, out exit))
            {
                exit = Finish(door, made.SipTrunkId, extras);
            }
            return exit;
        });
        return command;
    }

    private static Command Delete()
    {
        Command command = new("delete", "Delete trunks");
        Argument<string[]> ids = new("ID") { Arity = ArgumentArity.OneOrMore, Description = "Ids of trunks" };
        PolicyFlags flags = new(command);
        command.Arguments.Add(ids);
        command.SetAction(result =>
        {
            using PolicyDoor? door = flags.Open(result, out int exit);
            foreach (string id in door is null ? [] : result.GetValue(ids)!)
            {
                if (!door!.TryCall(Service, "DeleteSIPTrunk", new DeleteSIPTrunkRequest { SipTrunkId = id }, out SIPTrunkInfo _, out _, out exit))
                {
                    break;
                }
                System.Console.Out.WriteLine($"SIP Trunk [{id}] deleted");
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
            objects.AddRange(ObjectFile.Read(ObjectKind.InboundTrunk, file, out IReadOnlyList<string> problems));
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
        System.Console.Out.WriteLine("SIPTrunkID: " + id);
        return ExitCode.Done;
    }

    private static string Login(SIPInboundTrunkInfo trunk) =>
        trunk.AuthUsername.Length + trunk.AuthPassword.Length == 0 ? "" : trunk.AuthUsername + " / " + (trunk.AuthPassword.Length > 0 ? "****" : "");

    private static string Encryption(SIPInboundTrunkInfo trunk) =>
        (trunk.Media is { HasEncryption: true } media ? media.Encryption : trunk.MediaEncryption).ToString().Replace("SipMediaEncrypt", "", System.StringComparison.Ordinal).ToUpperInvariant();

    /// <summary>The fields that may be given as flags.</summary>
    private sealed class Fields
    {
        private readonly Option<string?> _name = new("--name") { Description = "Name of the trunk" };
        private readonly Option<string[]> _numbers = ObjectFlags.List("--numbers", "Numbers of the trunk, with commas or repeated");
        private readonly Option<string?> _encryption = new("--media-enc") { Description = "SRTP: disable, allow or require" };
        private readonly Option<string?> _user = new("--auth-user") { Description = "User name of digest authentication" };
        private readonly Option<string?> _password = new("--auth-pass") { Description = "Password of digest authentication" };

        public Fields(Command command, bool isUpdate)
        {
            foreach (Option option in (Option[])[_name, _numbers, _user, _password])
            {
                command.Options.Add(option);
            }
            if (!isUpdate)
            {
                command.Options.Add(_encryption);
            }
        }

        public bool Check(ParseResult result, out string error)
        {
            bool isRight = ObjectFlags.TryEncryption(result.GetValue(_encryption), out _, out error);
            if (!isRight)
            {
                Terminal.Fail(ExitCode.BadInput, error);
            }
            return isRight;
        }

        public void Apply(ParseResult result, SIPInboundTrunkInfo trunk)
        {
            trunk.Name = result.GetValue(_name) ?? trunk.Name;
            trunk.AuthUsername = result.GetValue(_user) ?? trunk.AuthUsername;
            trunk.AuthPassword = result.GetValue(_password) ?? trunk.AuthPassword;
            if (ObjectFlags.Texts(result, _numbers) is { } numbers)
            {
                trunk.Numbers.Clear();
                trunk.Numbers.AddRange(numbers);
            }
            if (result.GetValue(_encryption) is { } text && ObjectFlags.TryEncryption(text, out SIPMediaEncryption encryption, out _))
            {
                trunk.MediaEncryption = encryption;
            }
        }

        public SIPInboundTrunkUpdate Change(ParseResult result)
        {
            var update = new SIPInboundTrunkUpdate { Numbers = ObjectFlags.Replace(ObjectFlags.Texts(result, _numbers)) };
            if (result.GetValue(_name) is { } name)
            {
                update.Name = name;
            }
            if (result.GetValue(_user) is { } user)
            {
                update.AuthUsername = user;
            }
            if (result.GetValue(_password) is { } password)
            {
                update.AuthPassword = password;
            }
            return update;
        }
    }
}
