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

/// <summary>Any thread. How much a decision tells.</summary>
public enum TraceDepth
{
    /// <summary>Every trunk and rule: explain.</summary>
    Everything,

    /// <summary>What took part; everything once the call is refused.</summary>
    TookPart,

    /// <summary>Nothing of a call that is taken; of a refused one what a thousand objects and numbers show: calls.</summary>
    Refusals,
}

/// <summary>One owner. What a decision looked at, in order; bounded.</summary>
public sealed class DecisionTrace
{
    /// <summary>Most steps kept; <see cref="Dropped"/> counts the rest.</summary>
    public const int Limit = 200;

    /// <summary>Objects and listed numbers that a refused call's explanation looks at: some hundred microseconds.</summary>
    private const int LooksOfACall = 1_000;

    private readonly List<TraceStep> _steps = [];
    private int _looks;

    public DecisionTrace(TraceDepth depth = TraceDepth.Everything) => Depth = depth;

    public TraceDepth Depth { get; }

    public IReadOnlyList<TraceStep> Steps => _steps;

    /// <summary>Steps that did not fit, or were not looked at.</summary>
    public int Dropped { get; private set; }

    /// <summary>For the next decision.</summary>
    public void Clear()
    {
        _steps.Clear();
        Dropped = 0;
        _looks = 0;
    }

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

    /// <summary>Whether one more object or number may be looked at; the signal thread must not walk a million for a stranger's call.</summary>
    internal bool MayLook() => Depth != TraceDepth.Refusals || _looks++ < LooksOfACall;

    /// <summary>Objects that were not looked at.</summary>
    internal void Drop(int count) => Dropped += count;
}
