using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Text;
using System.Threading;
using Proxy.Bridge;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Deferred;
using Proxy.Policy.Explaining;
using Proxy.Server.Config;
using Proxy.Server.Dns;
using Proxy.Server.Hook;
using Proxy.Server.Store;
using Proxy.Sip;
using Proxy.Sip.Parsing;

namespace Proxy.Server.Commands;

/// <summary>Main thread. <c>siproom explain</c>: what would become of a call, and why. Takes no limit token.</summary>
internal sealed class ExplainCommand
{
    private readonly Option<string?> _from = new("--from") { Description = "Caller", HelpName = "N" };
    private readonly Option<string?> _to = new("--to") { Description = "Called number", HelpName = "N" };
    private readonly Option<string?> _invite = new("--invite") { Description = "A file that holds an INVITE", HelpName = "FILE.sip" };
    private readonly Option<string?> _call = new("--call") { Description = "What was decided about this call of the running node", HelpName = "ID" };
    private readonly Option<string?> _src = new("--src") { Description = "Address the packet comes from", HelpName = "IP[:PORT]" };
    private readonly Option<string> _transport = new("--transport") { Description = "udp, tcp or tls", DefaultValueFactory = _ => "udp" };
    private readonly Option<string?> _ruri = new("--ruri") { Description = "Request-URI", HelpName = "URI" };
    private readonly Option<string[]> _headers = new("--header") { Description = "A header field, may be given again", HelpName = "'N: v'", Arity = ArgumentArity.ZeroOrMore };
    private readonly Option<string?> _user = new("--user") { Description = "As if this digest user had proved the password", HelpName = "NAME" };
    private readonly Option<string?> _at = new("--at") { Description = "As if it were this time (ISO 8601)", HelpName = "TIME" };
    private readonly Option<bool> _askHook = new("--ask-hook") { Description = "Ask the policy hook of --config too; a node that runs always does" };
    private readonly Option<bool> _json = new("--json") { Description = "For programs" };
    private readonly ConfigFlags _flags;
    private readonly ControlFlags _node;

    private ExplainCommand(Command command)
    {
        foreach (Option option in (Option[])[_from, _to, _invite, _call, _src, _transport, _ruri, _headers, _user, _at, _askHook, _json])
        {
            command.Options.Add(option);
        }
        _flags = new ConfigFlags(command, isServing: false);
        _node = new ControlFlags(command, _flags.Config);
        command.SetAction(Run);
    }

    public static Command Build()
    {
        Command command = new("explain", "What would become of a call, and why");
        _ = new ExplainCommand(command);
        return command;
    }

    private int Run(ParseResult result)
    {
        ConfigOverrides given = _flags.Read(result);
        bool hasPolicy = given.PolicyFolder is not null || given.File is not null;
        if (result.GetValue(_call) is not null || _node.NamesNode(result) || !hasPolicy)
        {
            return AskNode(result);
        }
        ServerConfig? config = Terminal.Load(given with { IsOffline = true });
        if (config is null)
        {
            return ExitCode.BadInput;
        }
        var sources = new SourceRecovery(config.TrustedProxies, config.SourceFrom);
        if (!TryReadFacts(result, sources, out CallFacts facts, out string error) || !TryOpenPolicy(config, out IPolicy? policy, out error))
        {
            return Terminal.Fail(ExitCode.BadInput, error);
        }
        DecisionTrace trace = new();
        Verdict verdict = result.GetValue(_askHook) ? AskHook(config, policy!, facts, trace) : policy!.Decide(facts, default, trace);
        System.Console.Out.WriteLine(result.GetValue(_json) ? ExplainJson.Write(facts, verdict, trace) : ExplainText.Write(facts, verdict, trace).TrimEnd('\n'));
        return (verdict.Deferral?.Local ?? verdict).Kind == VerdictKind.Reject ? ExitCode.Refused : ExitCode.Done;
    }

    private static Verdict AskHook(ServerConfig config, IPolicy policy, in CallFacts facts, DecisionTrace trace)
    {
        using HookClient? hook = config.Hook is null ? null : new HookClient(config.Hook, new DnsCache());
        return new PolicyAnswers(hook, null, () => "").DecideAsync(policy, facts, trace, CancellationToken.None).GetAwaiter().GetResult();
    }

    /// <summary>Without a policy of its own the verb asks the node that runs, with the same question in JSON.</summary>
    private int AskNode(ParseResult result)
    {
        string question = "";
        if (result.GetValue(_call) is null && !TryWriteQuestion(result, out question, out string wrong))
        {
            return Terminal.Fail(ExitCode.BadInput, wrong);
        }
        using ControlClient? node = _node.Open(result, out int exit, out string error);
        if (node is null)
        {
            return Terminal.Fail(exit, error);
        }
        bool isJson = result.GetValue(_json);
        return result.GetValue(_call) is { } id ? ExplainRemote.Tell(node, id, isJson) : ExplainRemote.Decide(node, question, isJson);
    }

    private bool TryWriteQuestion(ParseResult result, out string question, out string error)
    {
        question = "";
        // Read once more than needed, so that what is wrong is told in the same words as without a node.
        if (!TryReadFacts(result, SourceRecovery.None, out _, out error))
        {
            return false;
        }
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var json = new System.Text.Json.Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach ((string key, string? value) in ((string, string?)[])
                [("from", result.GetValue(_from)), ("to", result.GetValue(_to)), ("src", result.GetValue(_src)), ("transport", result.GetValue(_transport)),
                 ("ruri", result.GetValue(_ruri)), ("user", result.GetValue(_user)), ("at", result.GetValue(_at)), ("invite", result.GetValue(_invite) is { } file ? File.ReadAllText(file) : null)])
            {
                if (value is not null)
                {
                    json.WriteString(key, value);
                }
            }
            json.WriteStartObject("headers");
            foreach (FactHeader header in ReadHeaders(result))
            {
                json.WriteString(header.Name, header.Value);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        question = Encoding.UTF8.GetString(buffer.WrittenSpan);
        return true;
    }

    private static bool TryOpenPolicy(ServerConfig config, out IPolicy? policy, out string error)
    {
        PolicySettings settings = new() { Refusals = config.Refusals, Secret = Encoding.UTF8.GetBytes(config.ApiSecret) };
        error = "";
        policy = null;
        if (config.PolicyFolder is null)
        {
            error = "no policy to explain: give --policy DIR or a --config that names a folder";
            return false;
        }
        FolderStore store = FolderStore.Open(config.PolicyFolder, new FolderStoreSettings { Compat = config.Compat, InterconnectAddresses = config.InterconnectAddresses });
        if (store.Errors.Count > 0)
        {
            error = $"the policy cannot be used: {store.Errors[0]}" + (store.Errors.Count > 1 ? $" (and {store.Errors.Count - 1} more; see siproom check)" : "");
            return false;
        }
        policy = new RulePolicy(store, settings);
        policy = config.Hook is null ? policy : new DeferringPolicy(policy, PolicyRuntime.TermsOf(config, refreshes: false), settings);
        return true;
    }

    private bool TryReadFacts(ParseResult result, SourceRecovery sources, out CallFacts facts, out string error)
    {
        facts = new CallFacts();
        DateTimeOffset at = DateTimeOffset.UtcNow;
        string? time = result.GetValue(_at);
        if (time is not null && !DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out at))
        {
            error = $"--at '{time}' is not a time such as 2026-11-22T17:00:00Z";
            return false;
        }
        if (!TryReadSource(result, out SipFlow flow, out error))
        {
            return false;
        }
        string? file = result.GetValue(_invite);
        if (file is not null)
        {
            bool isRead = TryReadInvite(file, flow, at, sources, out facts, out error);
            facts = facts with { AssumedUser = result.GetValue(_user) ?? "" };
            return isRead;
        }
        (string? from, string? to) = (result.GetValue(_from), result.GetValue(_to));
        if (from is null || to is null)
        {
            error = "explain needs --from N and --to N, or --invite FILE.sip";
            return false;
        }
        string ruri = result.GetValue(_ruri) ?? $"sip:{to}@siproom";
        bool isUri = SipUriView.TryParse(Encoding.UTF8.GetBytes(ruri), out SipUriView uri);
        facts = facts with
        {
            CallId = "SCL_explain",
            SipCallId = "explain",
            Source = flow.Remote,
            Transport = FactsFromInvite.TransportName(flow.Transport),
            RequestUri = ruri,
            RequestUser = isUri ? Encoding.UTF8.GetString(uri.User) : to,
            RequestHost = isUri ? Encoding.UTF8.GetString(uri.Host) : "siproom",
            ToUser = to,
            ToHost = "siproom",
            FromUser = from,
            FromHost = "explain",
            FromTag = "explain",
            Headers = [.. ReadHeaders(result)],
            AssumedUser = result.GetValue(_user) ?? "",
            Utc = at,
        };
        return true;
    }

    private bool TryReadSource(ParseResult result, out SipFlow flow, out string error)
    {
        flow = default;
        error = "";
        SipTransport? transport = result.GetValue(_transport) switch
        {
            "udp" => SipTransport.Udp,
            "tcp" => SipTransport.Tcp,
            "tls" => SipTransport.Tls,
            _ => null,
        };
        if (transport is null)
        {
            error = $"--transport '{result.GetValue(_transport)}' is unknown; known are udp, tcp, tls";
            return false;
        }
        NetEndPoint remote = default;
        string? source = result.GetValue(_src);
        if (source is not null && !NetEndPoint.TryParse(source, out remote))
        {
            if (!NetAddress.TryParse(source, out NetAddress address))
            {
                error = $"--src '{source}' is not an address such as 203.0.113.7 or 203.0.113.7:5060";
                return false;
            }
            remote = new NetEndPoint(address, 5060);
        }
        flow = new SipFlow(transport.Value, 0, 0, remote);
        return true;
    }

    private static bool TryReadInvite(string file, in SipFlow flow, DateTimeOffset at, SourceRecovery sources, out CallFacts facts, out string error)
    {
        facts = new CallFacts();
        error = "";
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = $"--invite '{file}' cannot be read: {e.Message}";
            return false;
        }
        if (!SipMessageView.TryParse(bytes, out SipMessageView view, out SipParseError problem))
        {
            error = $"--invite '{file}' is no SIP request that could be read ({problem})";
            return false;
        }
        facts = FactsFromInvite.Read("SCL_explain", view, flow, at, sources);
        return true;
    }

    private List<FactHeader> ReadHeaders(ParseResult result)
    {
        List<FactHeader> headers = [];
        foreach (string header in result.GetValue(_headers) ?? [])
        {
            int colon = header.IndexOf(':', StringComparison.Ordinal);
            headers.Add(colon < 0 ? new FactHeader(header.Trim(), "") : new FactHeader(header[..colon].Trim(), header[(colon + 1)..].Trim()));
        }
        return headers;
    }
}
