using System;
using Proxy.Policy.Caps;

namespace Proxy.Policy;

/// <summary>Signal thread. The policy of <c>--dev</c> without a policy folder: every call is taken.</summary>
public sealed class DevPolicy : IPolicy
{
    /// <summary>Name under which the room server's built-in agent that greets and then echoes is dispatched.</summary>
    public const string DemoAgent = "siproom-demo";

    /// <summary>Name under which the room server's built-in agent that only echoes is dispatched.</summary>
    public const string EchoAgent = "siproom-echo";

    public Verdict Decide(in CallFacts facts, in CapsView limits, DecisionTrace? trace) => throw new NotImplementedException();

    public Verdict DecidePin(in CallFacts facts, Verdict asked, string pin, in CapsView limits, DecisionTrace? trace) =>
        throw new NotImplementedException();
}
