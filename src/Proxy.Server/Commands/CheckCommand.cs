using System.Collections.Generic;
using System.CommandLine;
using Proxy.Policy.Validation;
using Proxy.Server.Config;
using Proxy.Server.Store;

namespace Proxy.Server.Commands;

/// <summary>Main thread. <c>siproom check</c>: every error of configuration and policy at once, each with file and line.</summary>
internal static class CheckCommand
{
    public static Command Build()
    {
        Command command = new("check", "Tell every error of configuration and policy");
        ConfigFlags flags = new(command, isServing: false);
        Option<string?> against = new("--against") { Description = "Also list every object of the folder that livekit/sip would treat differently", HelpName = "livekit" };
        command.Options.Add(against);
        command.SetAction(result => result.GetValue(against) is null or "livekit"
            ? Run(flags.Read(result), result.GetValue(against) is not null)
            : Terminal.Fail(ExitCode.BadInput, $"--against '{result.GetValue(against)}' is unknown; known is livekit"));
        return command;
    }

    private static int Run(ConfigOverrides overrides, bool isCompared)
    {
        // With a policy folder alone there is no configuration to be complete.
        bool isPolicyOnly = overrides.File is null && overrides.PolicyFolder is not null;
        ConfigResult read = new ConfigLoader(overrides with { IsOffline = isPolicyOnly }).Load();
        Terminal.Lines(read.Notices);
        Terminal.Lines(read.Errors);
        int errors = read.Errors.Count;
        string? folder = read.Config?.PolicyFolder ?? overrides.PolicyFolder;
        if (folder is not null)
        {
            errors += CheckPolicy(folder, read.Config ?? new ServerConfig(), isCompared);
        }
        if (errors == 0)
        {
            System.Console.Out.WriteLine("no errors");
        }
        return errors == 0 ? ExitCode.Done : ExitCode.BadInput;
    }

    private static int CheckPolicy(string folder, ServerConfig config, bool isCompared)
    {
        if (!System.IO.Directory.Exists(folder))
        {
            Terminal.Lines([$"{folder}: there is no such folder"]);
            return 1;
        }
        FolderStore store = FolderStore.Open(folder, new FolderStoreSettings { Compat = config.Compat, InterconnectAddresses = config.InterconnectAddresses });
        Terminal.Lines(store.Errors);
        IReadOnlyList<PolicyProblem> problems = PolicyValidation.Check(store.Current.Objects);
        foreach (PolicyProblem problem in problems)
        {
            Terminal.Lines([$"{folder}: {problem.Sentence}"]);
        }
        foreach (string difference in isCompared ? LiveKitDifferences.List(store.Current.Objects) : [])
        {
            System.Console.Out.WriteLine(difference);
        }
        if (InventoryNotice.Of(store.Current.Objects) is { } silent)
        {
            Terminal.Lines([$"{folder}: notice: {silent}"]);
        }
        return store.Errors.Count + problems.Count;
    }
}
