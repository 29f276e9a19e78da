using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Bridge;
using Proxy.Core.Net;
using Proxy.LiveKit.Protocol;
using Proxy.LiveKit.Tokens;
using Proxy.Policy;
using Proxy.Policy.Caps;
using Proxy.Policy.Deferred;
using Proxy.Policy.Trunks;
using Proxy.Policy.Validation;
using Proxy.Server.Api;
using Proxy.Server.Config;
using Proxy.Server.Dns;
using Proxy.Server.Hook;
using Proxy.Server.Http;
using Proxy.Server.Metrics;

namespace Proxy.Server.Store;

/// <summary>
/// Main thread opens and closes it. Everything about policy that a node needs, wired: the store that the configuration names, its watch,
/// host names in allowed_addresses, the policy itself, the API's routes and <c>/policy/explain</c>.
/// </summary>
public sealed class PolicyRuntime : IDisposable, IMetricsSource
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_resolveEvery = TimeSpan.FromSeconds(30);

    private readonly IObjectStore _store;
    private readonly ResolvedHosts _hosts;
    private readonly Action<string> _say;
    private readonly Action<string> _alarm;
    private readonly HookClient? _hook;
    private readonly SharedRefresh? _refresh;
    private IReadOnlyList<string> _told = [];
    private readonly CancellationTokenSource _stopping = new();

    private PolicyRuntime(IObjectStore store, ResolvedHosts hosts, DnsCache dns, ServerConfig config, Action<string> say, Action<string> alarm)
    {
        _store = store;
        _hosts = hosts;
        _say = say;
        _alarm = alarm;
        _hook = config.Hook is null ? null : new HookClient(config.Hook, dns);
        _refresh = store is RedisStore redis ? new SharedRefresh(cancellation => RefreshAsync(redis, cancellation), s_interval, config.Limits.RefreshPatience) : null;
        Answers = new PolicyAnswers(_hook, _refresh, () => (_store as RedisStore)?.Outage ?? "");
        Settings = new PolicySettings { Refusals = config.Refusals, Secret = Encoding.UTF8.GetBytes(config.ApiSecret) };
        Policy = Make();
        Keys = new TokenKeys([KeyValuePair.Create(config.ApiKey, config.ApiSecret)]);
        var twirp = new SipTwirp(new SipApi(store, new SipApiSettings { Compat = config.Compat, NewId = SipIds.New, Transfer = (request, cancellation) => Transfer(request, cancellation) }));
        var sources = new SourceRecovery(config.TrustedProxies, config.SourceFrom);
        var desk = new PolicyDesk(store);
        Modules =
        [
            new SipModule(twirp, Keys, () => DateTimeOffset.UtcNow), new SipExplainModule(Make(), Answers, sources, Keys, config.IsDev),
            new PolicyDeskModule(desk, new AdminGate(Keys, isOpen: false)),
        ];
        ControlModules =
        [
            new SipModule(twirp, Keys, () => DateTimeOffset.UtcNow, isOpen: true), new SipExplainModule(Make(), Answers, sources, Keys, isOpen: true),
            new PolicyDeskModule(desk, new AdminGate(Keys, isOpen: true)),
        ];
        IPolicy Make()
        {
            IPolicy rules = config.IsDev && config.PolicyFolder is null && !config.PolicyInRedis
                ? new DevOrRules(store, new RulePolicy(store, Settings), new DevPolicy(Settings))
                : new RulePolicy(store, Settings);
            return _hook is null && _refresh is null ? rules : new DeferringPolicy(rules, TermsOf(config, _refresh is not null), Settings);
        }
    }

    public PolicySettings Settings { get; }

    /// <summary>What deferred verdicts wait for.</summary>
    public PolicyAnswers Answers { get; }

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
    /// <param name="alarm">Hears of what somebody should mend: quarantined objects, Redis that went away; null: as <paramref name="say"/>.</param>
    /// <returns>Null with a sentence when there is no policy that can be used.</returns>
    public static PolicyRuntime? TryOpen(ServerConfig config, Action<string> say, out string error, Action<string>? alarm = null)
    {
        var dns = new DnsCache();
        var hosts = new ResolvedHosts(dns);
        IObjectStore? store = TryStore(config, hosts, say, out error);
        return store is null ? null : new PolicyRuntime(store, hosts, dns, config, say, alarm ?? say);
    }

    /// <summary>When calls wait, as the configuration says.</summary>
    public static DeferralTerms TermsOf(ServerConfig config, bool refreshes) => new()
    {
        RefreshPatience = refreshes ? config.Limits.RefreshPatience : TimeSpan.Zero,
        Hook = config.Hook is not { } hook ? null : new HookTerms
        {
            Patience = hook.Timeout,
            AsksAboutAll = hook.AsksAboutAll,
            RefusesWithoutAnswer = hook.RefusesWhenDown,
        },
    };

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
            RedisStore redis => await RefreshAsync(redis, cancellation).ConfigureAwait(false),
            _ => false,
        };
        if (isChanged && _store is FolderStore)
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
        _hook?.Dispose();
    }

    public void Write(MetricsWriter writer)
    {
        writer.Gauge("siproom_policy_version", "Version of the policy snapshot in force; one more with each swap.", Version);
        PolicyObjects objects = _store.Current.Objects;
        void Count(string kind, int count) => writer.Gauge("siproom_policy_objects", "Policy objects in force.", MetricsWriter.Label("kind", kind), count);
        Count("trunk", objects.Trunks.Count);
        Count("rule", objects.Rules.Count);
        Count("number", objects.Numbers.Count);
        if (_store is RedisStore redis)
        {
            redis.Write(writer);
            writer.Counter("siproom_redis_call_refreshes_total", "Times that Redis was read because a call would have been refused.", _refresh!.Count);
        }
        _hook?.Write(writer);
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
            return TryRedis(redis, config, () => hosts.Known, out error);
        }
        bool needsNone = config.IsDev || config.Hook is not null;
        error = needsNone ? "" : "no policy: give --policy DIR, or policy: { folder: DIR } in the configuration";
        return needsNone ? new MemoryStore(config.Compat) : null;
    }

    /// <returns>Null with a sentence when the configuration names no Redis that can be used; nothing is read yet.</returns>
    internal static RedisStore? TryRedis(RedisConfig redis, ServerConfig config, Func<IReadOnlyDictionary<string, NetAddress[]>> hosts, out string error)
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
            ResolvedHosts = hosts,
        });
    }

    private async Task WatchAsync(CancellationToken cancellation)
    {
        try
        {
            Task watch = _store switch
            {
                FolderStore folder => folder.WatchAsync(s_interval, _ => Tell(), cancellation),
                RedisStore redis => PollAsync(redis, cancellation),
                _ => Task.CompletedTask,
            };
            await watch.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    private async Task PollAsync(RedisStore redis, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(s_interval);
        do
        {
            await RefreshAsync(redis, cancellation).ConfigureAwait(false);
        }
        while (await timer.WaitForNextTickAsync(cancellation).ConfigureAwait(false));
    }

    private async Task<bool> RefreshAsync(RedisStore redis, CancellationToken cancellation)
    {
        bool wasAway = redis.Outage.Length > 0;
        bool isChanged = await redis.RefreshAsync(cancellation).ConfigureAwait(false);
        if (isChanged)
        {
            Tell();
        }
        if (redis.Outage.Length > 0 && !wasAway)
        {
            _alarm($"Redis is away ({redis.Outage}); policy version {Version} stays in force");
        }
        else if (wasAway && redis.Outage.Length == 0)
        {
            _say("Redis is back");
        }
        return isChanged;
    }

    private void Tell()
    {
        PolicySnapshot snapshot = _store.Current;
        _say($"policy version {snapshot.Version}: {snapshot.Objects.Trunks.Count} trunks, {snapshot.Objects.Rules.Count} rules, {snapshot.Objects.Numbers.Count} numbers");
        IReadOnlyList<string> problems = _store switch { FolderStore folder => folder.Errors, RedisStore redis => redis.Quarantined, _ => [] };
        foreach (string problem in problems)
        {
            if (_store is FolderStore || !_told.Contains(problem))
            {
                _alarm(problem);
            }
        }
        _told = problems;
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

        public Verdict Prove(in CallFacts facts, string trunkId, in CapsView limits) => rules.Prove(facts, trunkId, limits);

        public Verdict Resume(in CallFacts facts, Verdict deferred, in DeferredAnswer answer, in CapsView limits, DecisionTrace? trace) =>
            Now.Resume(facts, deferred, answer, limits, trace);
    }
}
