using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Proxy.Core.Net;
using Proxy.Server.Config;

namespace Proxy.Server.Commands;

/// <summary>Main thread. The flags of <c>serve</c> that stand for configuration; one set for each command that takes them.</summary>
internal sealed class ConfigFlags
{
    private readonly Option<string?> _config = new("--config") { Description = "Configuration file (YAML)", HelpName = "FILE" };
    private readonly Option<string?> _body = new("--config-body") { Description = "The configuration itself", HelpName = "YAML" };
    private readonly Option<bool> _dev = new("--dev") { Description = "Built-in room server, no file needed, loopback only" };
    private readonly Option<string?> _policy = new("--policy") { Description = "Folder of trunks, rules and numbers", HelpName = "DIR" };
    private readonly Option<NetEndPoint?> _sip = EndPoint("--sip", "SIP over UDP and TCP");
    private readonly Option<NetEndPoint?> _http = EndPoint("--http", "API, page, health and metrics");
    private readonly Option<PortSpan?> _rtp = new("--rtp") { Description = "UDP ports towards carriers", HelpName = "FIRST-LAST", CustomParser = ParseSpan };
    private readonly Option<ushort?> _devIcePort = new("--dev-ice-port") { Description = "UDP port of the built-in room server", HelpName = "N", CustomParser = ParsePort };
    private readonly Option<bool> _verbose = new("-v", "--verbose") { Description = "Debug lines; with --dev call records on stdout" };

    /// <summary>For flags that look at the same file.</summary>
    public Option<string?> Config => _config;

    /// <param name="isServing">Whether the command also takes what only a running node needs.</param>
    public ConfigFlags(Command command, bool isServing)
    {
        command.Options.Add(_config);
        command.Options.Add(_policy);
        if (isServing)
        {
            command.Options.Add(_body);
            command.Options.Add(_dev);
            command.Options.Add(_sip);
            command.Options.Add(_http);
            command.Options.Add(_rtp);
            command.Options.Add(_devIcePort);
            command.Options.Add(_verbose);
        }
    }

    public ConfigOverrides Read(ParseResult result) => new()
    {
        File = result.GetValue(_config),
        Body = result.GetValue(_body),
        IsDev = result.GetValue(_dev),
        PolicyFolder = result.GetValue(_policy),
        Sip = result.GetValue(_sip),
        Http = result.GetValue(_http),
        Rtp = result.GetValue(_rtp),
        DevIcePort = result.GetValue(_devIcePort),
        IsVerbose = result.GetValue(_verbose),
    };

    private static Option<NetEndPoint?> EndPoint(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "ADDR:PORT",
        CustomParser = argument =>
        {
            string text = argument.Tokens.Count == 1 ? argument.Tokens[0].Value : "";
            if (NetEndPoint.TryParse(text.StartsWith(':') ? "0.0.0.0" + text : text, out NetEndPoint endPoint))
            {
                return endPoint;
            }
            argument.AddError($"{name} '{text}' is not an address and port such as 127.0.0.1:5060");
            return null;
        },
    };

    private static PortSpan? ParseSpan(ArgumentResult argument)
    {
        string text = argument.Tokens.Count == 1 ? argument.Tokens[0].Value : "";
        if (YamlSection.TryParsePorts(text, out PortSpan span))
        {
            return span;
        }
        argument.AddError($"--rtp '{text}' is not a range of ports such as 10000-20000");
        return null;
    }

    private static ushort? ParsePort(ArgumentResult argument)
    {
        string text = argument.Tokens.Count == 1 ? argument.Tokens[0].Value : "";
        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
        {
            return port;
        }
        argument.AddError($"--dev-ice-port '{text}' is not a port from 0 to 65535");
        return null;
    }
}
