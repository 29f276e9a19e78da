using System;
using System.Collections.ObjectModel;
using System.CommandLine;
using System.IO;
using System.Text;
using System.Text.Json;
using System.Threading;
using Google.Protobuf;
using Proxy.Core.Net;
using Proxy.LiveKit.ProtoJson;
using Proxy.Policy;
using Proxy.Server.Api;
using Proxy.Server.Config;
using Proxy.Server.Store;

namespace Proxy.Server.Commands;

/// <summary>Main thread. The policy as the verbs change it: of the node that runs, or of a folder or a Redis without a node. All answer with the same bytes.</summary>
internal sealed class PolicyDoor : IDisposable
{
    private readonly ControlClient? _node;
    private readonly SipTwirp? _twirp;
    private readonly PolicyDesk? _desk;
    private readonly RedisStore? _redis;

    private PolicyDoor(ControlClient node) => _node = node;

    private PolicyDoor(IObjectStore store, Compat compat)
    {
        _twirp = new SipTwirp(new SipApi(store, new SipApiSettings { Compat = compat, NewId = SipIds.New }));
        _desk = new PolicyDesk(store);
        _redis = store as RedisStore;
    }

    public static PolicyDoor OverNode(ControlClient node) => new(node);

    public static PolicyDoor OverFolder(FolderStore store) => new(store, Compat.Strict);

    /// <summary>The hashes of the configuration's Redis, read once.</summary>
    /// <returns>Null with a sentence when they cannot be read.</returns>
    public static PolicyDoor? OverRedis(ServerConfig config, out string error)
    {
        RedisStore? store = PolicyRuntime.TryRedis(config.Redis!, config, () => ReadOnlyDictionary<string, NetAddress[]>.Empty, out error);
        if (store is null)
        {
            return null;
        }
        store.RefreshAsync(CancellationToken.None).GetAwaiter().GetResult();
        if (store.Outage.Length > 0)
        {
            error = $"no node of this configuration runs, and Redis at {config.Redis!.Addresses[0]} cannot be read: {store.Outage}";
            store.Dispose();
            return null;
        }
        Terminal.Lines(store.Quarantined);
        return new PolicyDoor(store, config.Compat);
    }

    /// <summary>One method of LiveKit's services.</summary>
    /// <returns>False when it was told to the terminal what is wrong; <paramref name="exit"/> says how to end.</returns>
    public bool TryCall<TRequest, TResponse>(string service, string method, TRequest request, out TResponse response, out string json, out int exit)
        where TRequest : IMessage<TRequest>, new()
        where TResponse : IMessage<TResponse>, new()
    {
        response = new TResponse();
        string body = Encoding.UTF8.GetString(ProtoJson.Write(request, ProtoJsonStyle.Camel));
        bool isDone = TrySend("POST", $"twirp/{service}/{method}", body, () => _twirp!.HandleAsync(service, method, true, Encoding.UTF8.GetBytes(body), SipCaller.Local, CancellationToken.None).GetAwaiter().GetResult(), out json, out exit);
        return isDone && ProtoJson.TryRead(Encoding.UTF8.GetBytes(json), ProtoJsonRules.Api, out response, out _);
    }

    /// <summary>The additions of an object, as JSON.</summary>
    public bool TryExtras(string id, out string json, out int exit) =>
        TrySend("GET", "policy/extras?id=" + Uri.EscapeDataString(id), null, () => _desk!.Extras(id), out json, out exit);

    /// <param name="body"><c>{"id": …, "x": {…}}</c>.</param>
    public bool TrySetExtras(string body, out string json, out int exit) =>
        TrySend("POST", "policy/extras", body, () => _desk!.SetExtrasAsync(Encoding.UTF8.GetBytes(body), CancellationToken.None).GetAwaiter().GetResult(), out json, out exit);

    /// <param name="csv">A stock of numbers.</param>
    public bool TryImport(string csv, out string json, out int exit) =>
        TrySend("POST", "policy/numbers", csv, () => _desk!.ImportAsync(csv, CancellationToken.None).GetAwaiter().GetResult(), out json, out exit);

    public void Dispose()
    {
        _node?.Dispose();
        _redis?.Dispose();
    }

    private bool TrySend(string method, string path, string? body, Func<SipReply> local, out string text, out int exit)
    {
        int status;
        if (_node is not null)
        {
            (status, text) = _node.Send(method, path, body);
        }
        else
        {
            SipReply reply = local();
            (status, text) = (reply.Status, Encoding.UTF8.GetString(reply.Body));
        }
        exit = status == 200 ? ExitCode.Done : Tell(status, text);
        return status == 200;
    }

    private int Tell(int status, string text)
    {
        string sentence = _node?.Sentence(status, text) ?? ControlClient.SentenceOf(text) ?? text;
        if (status == 400 && text.Contains("\"errors\"", StringComparison.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(text);
            foreach (JsonElement error in document.RootElement.GetProperty("errors").EnumerateArray())
            {
                Terminal.Lines([error.GetString()!]);
            }
        }
        return Terminal.Fail(status is 400 or 404 or 413 ? ExitCode.BadInput : ExitCode.Failed, sentence);
    }
}

/// <summary>Main thread. The flags that say whose policy a verb is about; one set for each command that takes them.</summary>
internal sealed class PolicyFlags
{
    private readonly Option<string?> _folder = new("--policy") { Description = "Folder of trunks, rules and numbers, when no node runs", HelpName = "DIR" };
    private readonly ControlFlags _node;

    public PolicyFlags(Command command)
    {
        command.Options.Add(_folder);
        _node = new ControlFlags(command);
    }

    /// <returns>Null after it was told what is wrong.</returns>
    public PolicyDoor? Open(ParseResult result, out int exit)
    {
        exit = ExitCode.BadInput;
        string error;
        if (result.GetValue(_folder) is { } folder)
        {
            if (_node.NamesNode(result) || !Directory.Exists(folder))
            {
                error = _node.NamesNode(result) ? "--policy excludes --control and --url: keep one of them" : $"--policy '{folder}' is no folder";
                exit = Terminal.Fail(exit, error);
                return null;
            }
            FolderStore store = FolderStore.Open(folder, new FolderStoreSettings());
            Terminal.Lines(store.Errors);
            exit = ExitCode.Done;
            return PolicyDoor.OverFolder(store);
        }
        ControlClient? node = _node.Open(result, out exit, out error);
        if (node is not null)
        {
            exit = ExitCode.Done;
            return PolicyDoor.OverNode(node);
        }
        PolicyDoor? redis = exit == ExitCode.Failed && !_node.NamesNode(result) && _node.Config(result) is { } file ? OverRedis(file, ref error) : null;
        exit = redis is null ? Terminal.Fail(exit, error) : ExitCode.Done;
        return redis;
    }

    /// <param name="error">Stays as it is when the configuration keeps its policy elsewhere.</param>
    private static PolicyDoor? OverRedis(string file, ref string error)
    {
        ServerConfig? config = new ConfigLoader(new ConfigOverrides { File = file, IsOffline = true }).Load().Config;
        return config is { PolicyInRedis: true, Redis: not null } ? PolicyDoor.OverRedis(config, out error) : null;
    }
}
