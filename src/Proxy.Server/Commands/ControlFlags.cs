using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using Proxy.Server.Config;
using Proxy.Server.Http;

namespace Proxy.Server.Commands;

/// <summary>Main thread. The flags that say which node a verb is for; one set for each command that takes them.</summary>
internal sealed class ControlFlags
{
    private readonly Option<string?> _control = new("--control") { Description = "Unix socket of the node", HelpName = "PATH" };
    private readonly Option<string?> _url = new("--url") { Description = "HTTP address of the node", HelpName = "URL" };
    private readonly Option<string?> _config;

    /// <param name="config">The command's own --config; null where it has none.</param>
    public ControlFlags(Command command, Option<string?>? config = null)
    {
        _config = config ?? new("--config") { Description = "Configuration file of the node", HelpName = "FILE" };
        command.Options.Add(_control);
        command.Options.Add(_url);
        if (config is null)
        {
            command.Options.Add(_config);
        }
    }

    /// <summary>Whether the command line names a node.</summary>
    public bool NamesNode(ParseResult result) => result.GetValue(_control) is not null || result.GetValue(_url) is not null;

    public string? Config(ParseResult result) => result.GetValue(_config);

    /// <summary>The node that the flags name: --control, --url, the configuration's socket, else the one that runs here.</summary>
    /// <returns>Null with a sentence when there is none, or more than one.</returns>
    public ControlClient? Open(ParseResult result, out int exit, out string error)
    {
        (exit, error) = (ExitCode.BadInput, "");
        ServerConfig? config = null;
        if (Config(result) is { } file)
        {
            ConfigResult read = new ConfigLoader(new ConfigOverrides { File = file, IsOffline = true }).Load();
            if (read.Config is null)
            {
                error = read.Errors[0];
                return null;
            }
            config = read.Config;
        }
        if (result.GetValue(_url) is { } url)
        {
            return OpenUrl(url, config, out error);
        }
        string? path = result.GetValue(_control) ?? (config is null or { ControlSocket: "" } ? null : config.ControlSocket ?? ControlSocket.Usual);
        exit = ExitCode.Failed;
        if (path is not null)
        {
            error = File.Exists(path) ? "" : $"there is no socket {path}: the node does not run, or listens elsewhere";
            return error.Length > 0 ? null : ControlClient.OverSocket(path);
        }
        IReadOnlyList<string> found = ControlSocket.Found(Environment.GetEnvironmentVariable);
        if (found.Count == 1)
        {
            return ControlClient.OverSocket(found[0]);
        }
        error = found.Count == 0
            ? $"no node runs here: nothing listens on {ControlSocket.Usual} or in {ControlSocket.DevFolder(Environment.GetEnvironmentVariable)}; name one with --control, --url or --config"
            : $"several nodes run here: choose one with --control {string.Join(" or ", found)}";
        return null;
    }

    /// <summary>Asks the node that the flags name, and prints its answer.</summary>
    /// <returns>The exit code; what went wrong is told.</returns>
    public int Ask(ParseResult result, string method, string path, Action<string> print, string accept = "application/json")
    {
        using ControlClient? node = Open(result, out int exit, out string error);
        if (node is null)
        {
            return Terminal.Fail(exit, error);
        }
        (int status, string text) = node.Send(method, path, accept: accept);
        if (status != 200)
        {
            return Terminal.Fail(status == 400 ? ExitCode.BadInput : ExitCode.Failed, node.Sentence(status, text));
        }
        print(text.TrimEnd('\n'));
        return ExitCode.Done;
    }

    /// <summary>An option that takes a length of time, up to a year.</summary>
    /// <param name="least">The shortest that makes sense.</param>
    public static Option<TimeSpan?> Time(string name, string description, TimeSpan least) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = argument =>
        {
            string text = argument.Tokens.Count == 1 ? argument.Tokens[0].Value : "";
            if (GoDuration.TryParse(text, out TimeSpan time) && time >= least && time <= TimeSpan.FromDays(365))
            {
                return time;
            }
            argument.AddError($"{name} '{text}' is not a time such as 30s, 15m or 2h");
            return null;
        },
    };

    private static ControlClient? OpenUrl(string url, ServerConfig? config, out string error)
    {
        error = "";
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? address) || address.Scheme is not ("http" or "https"))
        {
            error = $"--url '{url}' is not an address such as http://127.0.0.1:7888";
            return null;
        }
        string key = Environment.GetEnvironmentVariable("LIVEKIT_API_KEY") ?? "";
        string secret = Environment.GetEnvironmentVariable("LIVEKIT_API_SECRET") ?? "";
        (key, secret) = config is { ApiKey.Length: > 0 } ? (config.ApiKey, config.ApiSecret) : (key, secret);
        if (key.Length == 0 && address.IsLoopback)
        {
            // What a --dev node has.
            (key, secret) = ("devkey", "secret");
        }
        if (key.Length == 0 || secret.Length == 0)
        {
            error = "--url needs a key of the node: set LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or give --config";
            return null;
        }
        return ControlClient.OverUrl(address, key, secret);
    }
}
