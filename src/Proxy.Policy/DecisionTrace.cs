using System.Collections.Generic;

namespace Proxy.Policy;

/// <summary>Any thread. One thing that was looked at.</summary>
/// <param name="Kind"><c>trunk</c>, <c>rule</c>, <c>number</c>, <c>digest</c>, <c>cap</c>, <c>compat</c>.</param>
/// <param name="Id">Object id; empty when there is none.</param>
/// <param name="Name">Object name; empty when there is none.</param>
/// <param name="Held">Whether everything about it held.</param>
/// <param name="Failed">The first thing that did not hold, as a sentence; empty when it held.</param>
/// <param name="NearMiss">What would have made it hold; empty when nothing small would.</param>
public sealed record TraceStep(string Kind, string Id, string Name, bool Held, string Failed, string NearMiss);

/// <summary>One owner. What a decision looked at, in order; bounded.</summary>
public sealed class DecisionTrace
{
    /// <summary>Most steps kept; <see cref="Dropped"/> counts the rest.</summary>
    public const int Limit = 200;

    private readonly List<TraceStep> _steps = [];

    /// <param name="everything">True for explain: every trunk and rule. False for a call: only what took part, and everything once it is refused.</param>
    public DecisionTrace(bool everything = true) => IsFull = everything;

    /// <summary>Whether objects that took no part are told of even when the call is accepted.</summary>
    public bool IsFull { get; }

    public IReadOnlyList<TraceStep> Steps => _steps;

    /// <summary>Steps that did not fit.</summary>
    public int Dropped { get; private set; }

    public void Add(TraceStep step)
    {
        if (_steps.Count < Limit)
        {
            _steps.Add(step);
        }
        else
        {
            Dropped++;
        }
    }
}
