using System;
using Proxy.Policy.Caps;

namespace Proxy.Policy;

/// <summary>Signal thread. The policy of trunks, numbers and dispatch rules over the store's current snapshot.</summary>
public sealed class RulePolicy : IPolicy
{
    private readonly IRuleStore _store;
    private readonly PolicySettings _settings;

    public RulePolicy(IRuleStore store, PolicySettings settings)
    {
        _store = store;
        _settings = settings;
    }

    public Verdict Decide(in CallFacts facts, in CapsView limits, DecisionTrace? trace) =>
        throw new NotImplementedException(_store.Current.Version + _settings.ToString());

    public Verdict DecidePin(in CallFacts facts, Verdict asked, string pin, in CapsView limits, DecisionTrace? trace) =>
        throw new NotImplementedException();
}

/// <summary>Any thread. What the policy takes from the configuration.</summary>
public sealed record PolicySettings
{
    public Refusals Refusals { get; init; } = Refusals.Default;

    /// <summary>Keys the hidden caller's pseudonym, room suffixes and nonces; the LiveKit API secret. Never logged.</summary>
    public byte[] Secret { get; init; } = [];

    public override string ToString() => nameof(PolicySettings);
}
