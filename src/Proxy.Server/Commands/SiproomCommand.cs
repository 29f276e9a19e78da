using System;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Collections.Generic;
using Proxy.Native;
using Proxy.Server.Rooms;

namespace Proxy.Server.Commands;

/// <summary>Main thread. The command line: every verb, and what each is answered with. ADR 0009.</summary>
internal static class SiproomCommand
{
    /// <summary>0 done, 1 failed, 2 wrong input, 3 explain says refuse.</summary>
    public static int Run(string[] args)
    {
        // The room server's verb reads its own flags.
        if (args is ["rooms", ..] && !args.AsSpan().Contains("--help"))
        {
            return RoomsCommand.Run(args.AsSpan(1));
        }
        RootCommand root = Build();
        ParseResult result = root.Parse(args);
        if (result.Errors.Count > 0)
        {
            return Terminal.Fail(ExitCode.BadInput, Sentence(result));
        }
        return result.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    private static RootCommand Build()
    {
        RootCommand root = new("siproom puts SIP callers into LiveKit rooms. Without a verb: serve.");
        Option<bool> version = new("--version") { Description = "The versions of siproom and of the libraries linked into it" };
        RemoveDefaultVersion(root);
        root.Options.Add(version);
        ConfigFlags rootFlags = new(root, isServing: true);
        root.SetAction(result => result.GetValue(version) ? Version() : ServeCommand.Run(rootFlags.Read(result)));

        Command serve = new("serve", "Take calls");
        ConfigFlags serveFlags = new(serve, isServing: true);
        serve.SetAction(result => ServeCommand.Run(serveFlags.Read(result)));
        root.Subcommands.Add(serve);

        Command versionVerb = new("version", "The versions of siproom and of the libraries linked into it");
        versionVerb.SetAction(_ => Version());
        root.Subcommands.Add(versionVerb);

        root.Subcommands.Add(CheckCommand.Build());
        root.Subcommands.Add(ExplainCommand.Build());
        root.Subcommands.Add(new Command("rooms", "The built-in room server alone: [--http ADDR:PORT] [--dev-ice-port N]"));
        Command bench = new("bench", "Measurements inside the native binary") { Hidden = true };
        bench.Subcommands.Add(StallBench.Build());
        bench.Subcommands.Add(MachineBench.Build());
        root.Subcommands.Add(bench);
        root.Subcommands.Add(InboundCommand.Build());
        root.Subcommands.Add(DispatchCommand.Build());
        root.Subcommands.Add(NumberCommand.Build());
        root.Subcommands.Add(TwilioCommand.Build());
        root.Subcommands.Add(CallsCommand.Build());
        root.Subcommands.Add(BansCommand.Build());
        root.Subcommands.Add(DrainCommand.Build());
        root.Subcommands.Add(ReloadCommand.Build());
        return root;
    }

    private static int Version()
    {
        System.Console.Out.WriteLine("siproom " + Program.Version);
        System.Console.Out.WriteLine(LinkedVersions.OpenSsl);
        System.Console.Out.WriteLine(LinkedVersions.Opus);
        return ExitCode.Done;
    }

    private static void RemoveDefaultVersion(RootCommand root)
    {
        for (int i = root.Options.Count - 1; i >= 0; i--)
        {
            if (root.Options[i] is VersionOption)
            {
                root.Options.RemoveAt(i);
            }
        }
    }

    // One sentence: the first error, and what would be right where an unknown word was typed.
    private static string Sentence(ParseResult result)
    {
        ParseError error = result.Errors[0];
        List<string> known = [];
        if (result.UnmatchedTokens.Count > 0)
        {
            foreach (Command command in result.CommandResult.Command.Subcommands)
            {
                known.Add(command.Name);
            }
            foreach (Option option in result.CommandResult.Command.Options)
            {
                known.Add(option.Name);
            }
            string typed = result.UnmatchedTokens[0];
            string? nearest = Config.ConfigProblems.Nearest(typed, known);
            return $"'{typed}' is unknown here" + (nearest is null ? "; see --help" : $"; did you mean '{nearest}'?");
        }
        return error.Message.TrimEnd('.');
    }
}
