using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Core.Net;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Policy.Trunks;
using Proxy.Policy.Validation;
using Proxy.Server.Api;
using Proxy.Server.Config;
using Proxy.Server.Dns;
using Proxy.Server.Http;

namespace Proxy.Server.Store;

/// <summary>
/// Main thread opens and closes it. Everything about policy that a node needs, wired: the store that the configuration names, its watch,
/// host names in allowed_addresses, the policy itself, the API's routes and <c>/policy/explain</c>.
/// </summary>
public sealed class PolicyRuntime : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_resolveEvery = TimeSpan.FromSeconds(30);

    private readonly IObjectStore _store;
    private readonly ResolvedHosts _hosts;
    private readonly Action<string> _say;
    private readonly CancellationTokenSource _stopping = new();

    private PolicyRuntime(IObjectStore store, ResolvedHosts hosts, ServerConfig config, Action<string> say)
    {
        _store = store;
        _hosts = hosts;
        _say = say;
        Settings = new PolicySettings { Refusals = config.Refusals, Secret = Encoding.UTF8.GetBytes(config.ApiSecret) };
        Policy = Make();
        Keys = new TokenKeys([KeyValuePair.Create(config.ApiKey, config.ApiSecret)]);
        var twirp = new SipTwirp(new SipApi(store, new SipApiSettings { Compat = config.Compat, NewId = SipIds.New, Transfer = (request, cancellation) => Transfer(request, cancellation) }));
        var desk = new PolicyDesk(store);
        Modules =
        [
            new SipModule(twirp, Keys, () => DateTimeOffset.UtcNow), new SipExplainModule(Make(), Keys, config.IsDev),
            new PolicyDeskModule(desk, new AdminGate(Keys, isOpen: false)),
        ];
        ControlModules =
        [
            new SipModule(twirp, Keys, () => DateTimeOffset.UtcNow, isOpen: true), new SipExplainModule(Make(), Keys, isOpen: true),
            new PolicyDeskModule(desk, new AdminGate(Keys, isOpen: true)),
        ];
        IPolicy Make() => config.IsDev && config.PolicyFolder is null && !config.PolicyInRedis
            ? new DevOrRules(store, new RulePolicy(store, Settings), new DevPolicy(Settings))
            : new RulePolicy(store, Settings);
    }

    public PolicySettings Settings { get; }

    /// <summary>For the signal thread alone.</summary>
    public IPolicy Policy { get; }

    /// <summary>API keys and secrets of the tokens.</summary>
    public TokenKeys Keys { get; }

    /// <summary>Moves a call that the node holds; set before the first request comes.</summary>
    public Func<TransferSIPParticipantRequest, CancellationToken, Task<TransferSIPParticipantResponse>> Transfer { get; set; } =
        (_, _) => throw new InvalidOperationException("no node is wired");

    /// <summary>Routes for the HTTP address.</summary>
    public IReadOnlyList<IHttpModule> Modules { get; }

    /// <summary>The same routes for the control socket, where no token is asked for.</summary>
    public IReadOnlyList<IHttpModule> ControlModules { get; }

    /// <summary>The objects now in force.</summary>
    public StoredObjects Objects => _store.Objects;

    /// <summary>Any thread. Whether a trunk or the interconnect lists an address now.</summary>
    public bool Lists(NetAddress source) => _store.Current.Lists(source);

    /// <summary>The snapshot's version now in force, for metrics.</summary>
    public long Version => _store.Current.Version;

    /// <summary>Opens the store that the configuration names; with <c>--dev</c> and no policy, one in memory.</summary>
    /// <param name="say">Hears one sentence for each thing an operator should know; any thread.</param>
    /// <returns>Null with a sentence when there is no policy that can be used.</returns>
    public static PolicyRuntime? TryOpen(ServerConfig config, Action<string> say, out string error)
    {
        var hosts = new ResolvedHosts(new DnsCache());
        IObjectStore? store = TryStore(config, hosts, say, out error);
        return store is null ? null : new PolicyRuntime(store, hosts, config, say);
    }

    /// <summary>Begins to watch the store and to resolve host names.</summary>
    public void Start()
    {
        _ = Task.Run(() => WatchAsync(_stopping.Token));
        _ = Task.Run(() => ResolveAsync(_stopping.Token));
    }

    /// <summary>Reads everything again now (SIGHUP, <c>reload</c>).</summary>
    /// <returns>What cannot be used; empty when all was read. What was in force before stays in its place.</returns>
    public async Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellation)
    {
        bool isChanged = _store switch
        {
            FolderStore folder => folder.Reload(),
            RedisStore redis => await redis.RefreshAsync(cancellation).ConfigureAwait(false),
            _ => false,
        };
        if (isChanged)
        {
            Tell();
        }
        return _store switch
        {
            FolderStore folder => folder.Errors,
            RedisStore { Outage.Length: > 0 } redis => [redis.Outage],
            RedisStore redis => redis.Quarantined,
            _ => [],
        };
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
        (_store as IDisposable)?.Dispose();
    }

    public override string ToString() => $"policy version {Version}";

    private static IObjectStore? TryStore(ServerConfig config, ResolvedHosts hosts, Action<string> say, out string error)
    {
        error = "";
        if (config.PolicyFolder is { } folder)
        {
            FolderStore store = FolderStore.Open(folder, new FolderStoreSettings { Compat = config.Compat, InterconnectAddresses = config.InterconnectAddresses, ResolvedHosts = () => hosts.Known });
            foreach (string problem in store.Errors)
            {
                say(problem);
            }
            error = store.Errors.Count > 0 ? $"the policy in {folder} cannot be used" : "";
            return store.Errors.Count > 0 ? null : store;
        }
        if (config.PolicyInRedis && config.Redis is { } redis)
        {
            return TryRedis(redis, config, hosts, out error);
        }
        error = config.IsDev ? "" : "no policy: give --policy DIR, or policy: { folder: DIR } in the configuration";
        return config.IsDev ? new MemoryStore(config.Compat) : null;
    }

    private static RedisStore? TryRedis(RedisConfig redis, ServerConfig config, ResolvedHosts hosts, out string error)
    {
        error = redis.Addresses.Count != 1 || redis.SentinelMasterName.Length > 0 ? "redis: one address is wanted; Sentinel and Cluster are not built yet"
            : redis.UseTls ? "redis: use_tls is not built yet" : "";
        string address = redis.Addresses.Count > 0 ? redis.Addresses[0] : "";
        int colon = address.LastIndexOf(':');
        if (error.Length > 0 || colon <= 0 || !ushort.TryParse(address.AsSpan(colon + 1), out ushort port))
        {
            error = error.Length > 0 ? error : $"redis.address: '{address}' is not HOST:PORT";
            return null;
        }
        return new RedisStore(new RedisStoreSettings
        {
            Address = new RedisAddress(address[..colon].Trim('[', ']'), port) { User = redis.Username, Password = redis.Password, Database = redis.Db },
            Compat = config.Compat,
            InterconnectAddresses = config.InterconnectAddresses,
            ResolvedHosts = () => hosts.Known,
        });
    }

    private async Task WatchAsync(CancellationToken cancellation)
    {
        try
        {
            Task watch = _store switch
            {
                FolderStore folder => folder.WatchAsync(s_interval, _ => Tell(), cancellation),
                RedisStore redis => redis.WatchAsync(s_interval, _ => Tell(), cancellation),
                _ => Task.CompletedTask,
            };
            await watch.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private void Tell()
    {
        PolicySnapshot snapshot = _store.Current;
        _say($"policy version {snapshot.Version}: {snapshot.Objects.Trunks.Count} trunks, {snapshot.Objects.Rules.Count} rules, {snapshot.Objects.Numbers.Count} numbers");
        IReadOnlyList<string> problems = _store switch { FolderStore folder => folder.Errors, RedisStore redis => redis.Quarantined, _ => [] };
        foreach (string problem in problems)
        {
            _say(problem);
        }
        if (_store is FolderStore)
        {
            foreach (PolicyProblem problem in PolicyValidation.Check(snapshot.Objects))
            {
                _say(problem.Sentence);
            }
        }
        if (InventoryNotice.Of(snapshot.Objects) is { } silent)
        {
            _say(silent);
        }
    }

    private async Task ResolveAsync(CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(s_resolveEvery);
        try
        {
            do
            {
                bool isNew = await _hosts.ResolveAsync(_store.Current, cancellation).ConfigureAwait(false);
                if (isNew)
                {
                    (_store as FolderStore)?.Rebuild();
                    (_store as RedisStore)?.Rebuild();
                }
            }
            while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    /// <summary>Signal thread. With <c>--dev</c> and no folder: the built-in policy until the API created the first trunk or rule.</summary>
    private sealed class DevOrRules(IRuleStore store, RulePolicy rules, DevPolicy dev) : IPolicy
    {
        private IPolicy Now => store.Current.Objects is { Trunks.Count: 0, Rules.Count: 0 } ? dev : rules;

        public Verdict Decide(in CallFacts facts, in CapsView limits, DecisionTrace? trace) => Now.Decide(facts, limits, trace);

        public Verdict DecidePin(in CallFacts facts, Verdict asked, string pin, in CapsView limits, DecisionTrace? trace) =>
            rules.DecidePin(facts, asked, pin, limits, trace);
    }
}
