using System.Collections.Generic;
using System.Threading.Tasks;
using Proxy.Core.Time;
using Proxy.Server.Signal;

namespace Proxy.Server.Node;

/// <summary>Signal thread makes it, then given away: all calls that are not over, for lists and pages.</summary>
public static class LiveCalls
{
    /// <summary>A question for <see cref="SiproomNode.Ask"/>: <c>await node.Ask(LiveCalls.Copy).WaitAsync(…)</c>; the newest call comes last.</summary>
    public static IReadOnlyList<LiveCall> Copy(SignalLoop loop, MonoTime now)
    {
        var calls = new List<LiveCall>(loop.Calls.Count);
        loop.Calls.Visit(call => calls.Add(LiveCall.Of(call, now)));
        calls.Sort(static (a, b) => b.Age.CompareTo(a.Age));
        return calls;
    }
}
