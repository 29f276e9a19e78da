using System.CommandLine;
using System.Text.Json;

namespace Proxy.Server.Commands;

/// <summary>Main thread. <c>siproom reload</c>: the node reads configuration and policy again.</summary>
internal static class ReloadCommand
{
    public static Command Build()
    {
        Command command = new("reload", "Read configuration and policy again, as SIGHUP does; calls go on");
        ControlFlags node = new(command);
        command.SetAction(result => Run(result, node));
        return command;
    }

    private static int Run(ParseResult result, ControlFlags flags)
    {
        using ControlClient? node = flags.Open(result, out int exit, out string error);
        if (node is null)
        {
            return Terminal.Fail(exit, error);
        }
        (int status, string text) = node.Send("POST", "node/reload");
        if (status != 200)
        {
            return Terminal.Fail(ExitCode.Failed, node.Sentence(status, text));
        }
        using JsonDocument document = JsonDocument.Parse(text);
        int problems = 0;
        foreach (JsonElement notice in document.RootElement.GetProperty("notices").EnumerateArray())
        {
            Terminal.Lines([notice.GetString()!]);
        }
        foreach (JsonElement problem in document.RootElement.GetProperty("problems").EnumerateArray())
        {
            Terminal.Lines([problem.GetString()!]);
            problems++;
        }
        if (problems > 0)
        {
            return Terminal.Fail(ExitCode.Failed, "what is named above was not taken; the state before stays in force");
        }
        System.Console.Out.WriteLine("reloaded");
        return ExitCode.Done;
    }
}
