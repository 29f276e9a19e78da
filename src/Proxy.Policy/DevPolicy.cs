using System;
using Proxy.Policy.Caps;
using Proxy.Policy.Deferred;
using Proxy.Policy.Dispatch;

namespace Proxy.Policy;

/// <summary>
/// Signal thread. The policy of <c>--dev</c> without a policy folder: <c>nobody*</c> matches nothing, <c>echo</c> echoes,
/// <c>room-NAME</c> joins room NAME without an agent, every other call gets its own room and the demo agent.
/// </summary>
public sealed class DevPolicy : IPolicy
{
    /// <summary>Name under which the room server's built-in agent is dispatched; its metadata say whether it greets first.</summary>
    public const string DemoAgent = "demo";

    private const string RoomPrefix = "room-";

    private readonly PolicySettings _settings;

    public DevPolicy(PolicySettings settings) => _settings = settings;

    public DevPolicy()
        : this(new PolicySettings())
    {
    }

    public Verdict Decide(in CallFacts facts, in CapsView limits, DecisionTrace? trace)
    {
        string user = facts.ToUser.Length > 0 ? facts.ToUser : facts.RequestUser;
        if (user.StartsWith("nobody", StringComparison.OrdinalIgnoreCase))
        {
            string sentence = $"{RulePolicy.Shown(user)} begins with \"nobody\": the dev policy matches it to nothing";
            trace?.Add(new TraceStep("rule", "dev", "built-in dev policy", false, sentence, ""));
            return Verdict.Refuse(RefusalCode.NoRule, sentence, _settings.Refusals) with { IsListedSource = true, MayTellWhy = true };
        }
        trace?.Add(new TraceStep("rule", "dev", "built-in dev policy", true, "", ""));
        bool isRoom = user.StartsWith(RoomPrefix, StringComparison.Ordinal) && user.Length > RoomPrefix.Length;
        string agent = isRoom ? "" : user.Equals("echo", StringComparison.OrdinalIgnoreCase) ? "echo" : "greet";
        return Join(facts, isRoom ? user[RoomPrefix.Length..] : "call-" + RoomName.Suffix(facts.CallId, _settings.Secret), agent);
    }

    /// <summary>The dev policy never asks for a PIN.</summary>
    public Verdict DecidePin(in CallFacts facts, Verdict asked, string pin, in CapsView limits, DecisionTrace? trace) =>
        Decide(facts, limits, trace);

    /// <summary>The dev policy has no trunks, and nothing to prove.</summary>
    public Verdict Prove(in CallFacts facts, string trunkId, in CapsView limits) =>
        Verdict.Refuse(RefusalCode.SourceNotAllowed, $"address {facts.Source.Address} has no part in the call", _settings.Refusals);

    /// <summary>The dev policy never defers.</summary>
    public Verdict Resume(in CallFacts facts, Verdict deferred, in DeferredAnswer answer, in CapsView limits, DecisionTrace? trace) =>
        Decide(facts, limits, trace);

    /// <param name="agent">What the demo agent does; empty for no agent.</param>
    private Verdict Join(in CallFacts facts, string room, string agent) => PlainJoin.For(facts, room, _settings.Secret) with
    {
        RoomConfigJson = agent.Length == 0 ? "" : $$"""{"agents":[{"agentName":"{{DemoAgent}}","metadata":"{{agent}}"}]}""",
        Agents = agent.Length == 0 ? [] : [DemoAgent],
        IsListedSource = true,
        MayTellWhy = true,
    };
}
