using System;

namespace Proxy.Stopwatch;

/// <summary>One thing that is timed.</summary>
/// <param name="Name">Row of the table.</param>
/// <param name="Make">Sets it up; the action that comes back is timed. Its memory belongs to the row only.</param>
/// <param name="PerRun">Operations that one run of the action does.</param>
internal sealed record Operation(string Name, Func<Action> Make, int PerRun = 1)
{
    public override string ToString() => Name;
}
