using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Proxy.Core.Memory;
using Proxy.Core.Net;
using Proxy.Policy;
using Proxy.Policy.Validation;
using Proxy.Server.Metrics;
using Wire = Proxy.LiveKit.Protocol;

namespace Proxy.Server.Store;

/// <summary>
/// Any thread reads; one connection is used by one at a time. Policy in LiveKit's own Redis hashes (<c>sip_inbound_trunk</c>,
/// <c>sip_outbound_trunk</c>, <c>sip_dispatch_rule</c>: id → binary protobuf), our additions in <c>siproom_x</c>. Each second Redis is asked whether
/// somebody wrote to one of them (client tracking); then, or where Redis cannot tell, they are read, and swapped when their digest
/// changed. A call never waits for Redis. What was last read stays in force while Redis is away.
/// </summary>
public sealed class RedisStore : IObjectStore, IMetricsSource, IDisposable
{
    private const string ExtrasHash = "siproom_x";
    private const string NumbersHash = "siproom_phone_number";
    private static readonly string[] s_hashes = ["sip_inbound_trunk", "sip_outbound_trunk", "sip_dispatch_rule", NumbersHash, ExtrasHash];

    private readonly RedisStoreSettings _settings;
    private readonly SemaphoreSlim _using = new(1, 1);
    private RespClient? _client;
    private RespClient? _readOver;
    private ulong _digest;
    private int _mustSwap;
    private long _readings;
    private long _outages;
    private State _state = new(StoredObjects.Empty, PolicySnapshot.Empty, [], 0, "");

    public RedisStore(RedisStoreSettings settings) => _settings = settings;

    public PolicySnapshot Current => Volatile.Read(ref _state).Snapshot;

    public StoredObjects Objects => Volatile.Read(ref _state).Objects;

    /// <summary>Objects that cannot be read, or that stand in each other's way; one sentence each, for the alarm.</summary>
    public IReadOnlyList<string> Quarantined => Volatile.Read(ref _state).Quarantined;

    /// <summary>Why Redis cannot be reached now; empty while it can.</summary>
    public string Outage => Volatile.Read(ref _state).Outage;

    /// <summary>Times that all hashes were read.</summary>
    public long Readings => Interlocked.Read(ref _readings);

    /// <summary>Reads the hashes and swaps the snapshot when something changed.</summary>
    /// <returns>Whether something changed; false also while Redis is away (see <see cref="Outage"/>).</returns>
    public async Task<bool> RefreshAsync(CancellationToken cancellation)
    {
        await _using.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return await LoadAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (IsOutage(e))
        {
            Lose(e);
            return false;
        }
        finally
        {
            _using.Release();
        }
    }

    /// <summary>The next refresh swaps although nothing in Redis changed: host names have other addresses now.</summary>
    public void Rebuild() => Interlocked.Exchange(ref _mustSwap, 1);

    public void Write(MetricsWriter writer)
    {
        State state = Volatile.Read(ref _state);
        writer.Gauge("siproom_redis_up", "1 while Redis answers.", state.Outage.Length == 0 ? 1 : 0);
        void Count(string why, int count) => writer.Gauge(
            "siproom_policy_quarantined", "Stored objects that are set aside, or stand in each other's way.", MetricsWriter.Label("why", why), count);
        Count("unreadable", state.Unreadable);
        Count("conflict", state.Quarantined.Count - state.Unreadable);
        writer.Counter("siproom_redis_readings_total", "Times that all hashes were read.", Readings);
        writer.Counter("siproom_redis_outages_total", "Times that Redis went away.", Interlocked.Read(ref _outages));
    }

    public async Task ChangeAsync(Func<StoredObjects, ObjectChange?> decide, CancellationToken cancellation)
    {
        await _using.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            // Another node may have changed something since: decide on what Redis holds now.
            await LoadAsync(cancellation).ConfigureAwait(false);
            if (decide(Objects) is { } change)
            {
                await WriteAsync(change, cancellation).ConfigureAwait(false);
                await LoadAsync(cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (IsOutage(e))
        {
            Lose(e);
            throw new ObjectStoreException("Redis cannot be reached", e);
        }
        finally
        {
            _using.Release();
        }
    }

    public async Task<int> ImportAsync(IReadOnlyList<Wire.PhoneNumber> numbers, CancellationToken cancellation)
    {
        await _using.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            await LoadAsync(cancellation).ConfigureAwait(false);
            IReadOnlyList<Wire.PhoneNumber> added = Objects.Unknown(numbers);
            foreach (Wire.PhoneNumber number in added)
            {
                await WriteAsync(new ObjectChange(ObjectKind.Number, number.Id, number), cancellation).ConfigureAwait(false);
            }
            await LoadAsync(cancellation).ConfigureAwait(false);
            return added.Count;
        }
        catch (Exception e) when (IsOutage(e))
        {
            Lose(e);
            throw new ObjectStoreException("Redis cannot be reached", e);
        }
        finally
        {
            _using.Release();
        }
    }

    public void Dispose()
    {
        _client?.Dispose();
        _using.Dispose();
    }

    private async Task WriteAsync(ObjectChange change, CancellationToken cancellation)
    {
        RespClient client = await ClientAsync(cancellation).ConfigureAwait(false);
        // A connection that fell silent must not hold up the readings that come after.
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(_settings.ReplyTimeout);
        string hash = change.Kind switch
        {
            ObjectKind.InboundTrunk => s_hashes[0],
            ObjectKind.OutboundTrunk => s_hashes[1],
            ObjectKind.Rule => s_hashes[2],
            _ => NumbersHash,
        };
        if (change.Extras is not null)
        {
            await client.SetAsync(ExtrasHash, change.Id, Encoding.UTF8.GetBytes(change.Extras), timeout.Token).ConfigureAwait(false);
        }
        if (change.Message is null)
        {
            await client.DeleteAsync(hash, change.Id, timeout.Token).ConfigureAwait(false);
            await client.DeleteAsync(ExtrasHash, change.Id, timeout.Token).ConfigureAwait(false);
            return;
        }
        await client.SetAsync(hash, change.Id, change.Message.ToByteArray(), timeout.Token).ConfigureAwait(false);
    }

    private async Task<RespClient> ClientAsync(CancellationToken cancellation)
    {
        if (_client is null)
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            timeout.CancelAfter(_settings.ConnectTimeout);
            _client = await RespClient.ConnectAsync(_settings.Address, timeout.Token).ConfigureAwait(false);
        }
        return _client;
    }

    private async Task<bool> LoadAsync(CancellationToken cancellation)
    {
        RespClient client = await ClientAsync(cancellation).ConfigureAwait(false);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(_settings.ReplyTimeout);
        State old = Volatile.Read(ref _state);
        if (await IsUntouchedAsync(client, timeout.Token).ConfigureAwait(false))
        {
            Volatile.Write(ref _state, old with { Outage = "" });
            return false;
        }
        client.IsStale = false;
        var hashes = new Dictionary<string, ReadOnlyMemory<byte>>[s_hashes.Length];
        ulong digest = 0;
        var values = new ByteArena();
        for (int i = 0; i < s_hashes.Length; i++)
        {
            hashes[i] = await client.HashAsync(s_hashes[i], values, timeout.Token).ConfigureAwait(false);
            digest += Digest(i, hashes[i]);
        }
        Interlocked.Increment(ref _readings);
        _readOver = client;
        bool mustSwap = Interlocked.Exchange(ref _mustSwap, 0) != 0;
        if (digest == _digest && old.Snapshot.Version > 0 && !mustSwap)
        {
            Volatile.Write(ref _state, old with { Outage = "" });
            return false;
        }
        _digest = digest;
        Swap(hashes);
        return true;
    }

    /// <summary>Everything was read over this connection, and Redis says that nobody wrote to it since.</summary>
    private async Task<bool> IsUntouchedAsync(RespClient client, CancellationToken cancellation)
    {
        if (!client.Tracks || _readOver != client || Volatile.Read(ref _mustSwap) != 0)
        {
            return false;
        }
        await client.PingAsync(cancellation).ConfigureAwait(false);
        return !client.IsStale;
    }

    /// <summary>A sum over the fields: their order in a hash means nothing.</summary>
    private static ulong Digest(int hash, Dictionary<string, ReadOnlyMemory<byte>> fields)
    {
        ulong sum = 0;
        foreach ((string field, ReadOnlyMemory<byte> value) in fields)
        {
            ulong one = DigestOf(Encoding.UTF8.GetBytes(field), (ulong)hash + 1);
            sum += DigestOf(value.Span, one);
        }
        return sum + (ulong)fields.Count;
    }

    private static ulong DigestOf(ReadOnlySpan<byte> bytes, ulong seed)
    {
        ulong hash = seed * 0x9E3779B97F4A7C15UL;
        foreach (byte b in bytes)
        {
            hash = (hash ^ b) * 0x100000001B3UL;
            hash ^= hash >> 29;
        }
        return hash;
    }

    private void Swap(Dictionary<string, ReadOnlyMemory<byte>>[] hashes) => Volatile.Write(ref _state, Compile(hashes, _settings, Current.Version + 1));

    /// <summary>What the hashes hold, read and indexed.</summary>
    /// <param name="hashes">Inbound trunks, outbound trunks, rules, numbers, additions: id → bytes.</param>
    internal static State Compile(Dictionary<string, ReadOnlyMemory<byte>>[] hashes, RedisStoreSettings settings, long version)
    {
        List<string> quarantined = [];
        StoredObjects none = StoredObjects.Empty;
        StoredObjects objects = none with
        {
            Inbound = none.Inbound.WithAll(Readable(hashes[0], Wire.SIPInboundTrunkInfo.Parser, ObjectKind.InboundTrunk, quarantined)),
            Outbound = none.Outbound.WithAll(Readable(hashes[1], Wire.SIPOutboundTrunkInfo.Parser, ObjectKind.OutboundTrunk, quarantined)),
            Rules = none.Rules.WithAll(Readable(hashes[2], Wire.SIPDispatchRuleInfo.Parser, ObjectKind.Rule, quarantined)),
            Numbers = none.Numbers.WithAll(Readable(hashes[3], Wire.PhoneNumber.Parser, ObjectKind.Number, quarantined)),
        };
        var aside = new HashSet<string>();
        objects = objects with { Extras = ReadExtras(hashes[4], objects, quarantined, aside) };
        int unreadable = quarantined.Count;
        PolicyObjects policy = objects.ToPolicy(settings.Compat, settings.InterconnectAddresses, settings.ResolvedHosts());
        policy = SetAside(policy, quarantined, aside);
        return new State(objects, PolicySnapshot.Build(policy, version), quarantined, unreadable, "");
    }

    /// <summary>
    /// Our additions. A rule whose own cannot be read is set aside: without its conditions it would take calls that are not meant for it.
    /// A trunk works on without them.
    /// </summary>
    private static ImmutableDictionary<string, string> ReadExtras(
        Dictionary<string, ReadOnlyMemory<byte>> fields, StoredObjects objects, List<string> quarantined, HashSet<string> aside)
    {
        ImmutableDictionary<string, string>.Builder extras = ImmutableDictionary.CreateBuilder<string, string>();
        foreach ((string id, ReadOnlyMemory<byte> value) in fields)
        {
            bool isRule = objects.Rules.ContainsKey(id);
            string problem = isRule || objects.Inbound.ContainsKey(id) ? Check(isRule ? ObjectKind.Rule : ObjectKind.InboundTrunk, value) : "";
            if (problem.Length == 0)
            {
                extras[id] = Encoding.UTF8.GetString(value.Span);
                continue;
            }
            quarantined.Add($"the additions of {id} in Redis (hash {ExtrasHash}) cannot be used: {problem}; {(isRule ? "the rule is" : "they are")} set aside");
            if (isRule)
            {
                aside.Add(id);
            }
        }
        return extras.ToImmutable();
    }

    /// <returns>What is wrong first; empty when nothing is.</returns>
    private static string Check(ObjectKind kind, ReadOnlyMemory<byte> json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            IReadOnlyList<string> errors = document.RootElement.ValueKind == JsonValueKind.Object ? ExtrasJson.Check(kind, document.RootElement) : ["an object is wanted"];
            return errors.Count > 0 ? errors[0] : "";
        }
        catch (JsonException)
        {
            return "not JSON";
        }
    }

    /// <summary>
    /// Conflicts that are stored already: of two equal rules the later id is set aside; a call that two trunks would take is refused by the
    /// engine, other numbers of the same trunks work on. Each is told.
    /// </summary>
    private static PolicyObjects SetAside(PolicyObjects policy, List<string> quarantined, HashSet<string> unreadable)
    {
        policy = Without(policy, unreadable);
        var equal = new HashSet<string>();
        foreach (PolicyProblem problem in PolicyValidation.Check(policy))
        {
            quarantined.Add(problem.Sentence);
            if (problem.Kind == ProblemKind.AmbiguousRules)
            {
                equal.Add(problem.OtherId);
            }
        }
        return Without(policy, equal);
    }

    private static PolicyObjects Without(PolicyObjects policy, HashSet<string> rules)
    {
        if (rules.Count == 0)
        {
            return policy;
        }
        var kept = new List<Policy.Dispatch.DispatchRule>();
        foreach (Policy.Dispatch.DispatchRule rule in policy.Rules)
        {
            if (!rules.Contains(rule.Id))
            {
                kept.Add(rule);
            }
        }
        return policy with { Rules = kept };
    }

    private static List<KeyValuePair<string, ReadOnlyMemory<byte>>> Readable<T>(Dictionary<string, ReadOnlyMemory<byte>> fields, MessageParser<T> parser, ObjectKind kind, List<string> quarantined)
        where T : class, IMessage<T>
    {
        var readable = new List<KeyValuePair<string, ReadOnlyMemory<byte>>>(fields.Count);
        foreach (KeyValuePair<string, ReadOnlyMemory<byte>> field in fields)
        {
            if (TryParse(parser, field.Value, out _))
            {
                readable.Add(field);
            }
            else
            {
                quarantined.Add($"{kind} {field.Key} in Redis is no protobuf message; it is set aside");
            }
        }
        return readable;
    }

    private static bool TryParse<T>(MessageParser<T> parser, ReadOnlyMemory<byte> value, [NotNullWhen(true)] out T? message)
        where T : class, IMessage<T>
    {
        try
        {
            message = parser.ParseFrom(value.Span);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            message = null;
            return false;
        }
    }

    private static bool IsOutage(Exception e) => e is IOException or SocketException or RespException or OperationCanceledException or ObjectDisposedException;

    private void Lose(Exception e)
    {
        _client?.Dispose();
        _client = null;
        string why = e is OperationCanceledException ? "Redis does not answer" : e.Message;
        if (Outage.Length == 0)
        {
            Interlocked.Increment(ref _outages);
        }
        Volatile.Write(ref _state, Volatile.Read(ref _state) with { Outage = why });
    }

    internal sealed record State(StoredObjects Objects, PolicySnapshot Snapshot, IReadOnlyList<string> Quarantined, int Unreadable, string Outage);
}

/// <summary>Any thread. What the Redis store takes from the configuration.</summary>
public sealed record RedisStoreSettings
{
    public required RedisAddress Address { get; init; }

    /// <summary>LiveKit by default: the objects are LiveKit's.</summary>
    public Compat Compat { get; init; } = Compat.LiveKit;

    /// <summary><c>interconnect.allowed_addresses</c>.</summary>
    public string[] InterconnectAddresses { get; init; } = [];

    /// <summary>Addresses of host names in allowed_addresses, as far as they are known.</summary>
    public Func<IReadOnlyDictionary<string, NetAddress[]>> ResolvedHosts { get; init; } = () => ReadOnlyDictionary<string, NetAddress[]>.Empty;

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Longest reading of all hashes, and longest writing of one object.</summary>
    public TimeSpan ReplyTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
