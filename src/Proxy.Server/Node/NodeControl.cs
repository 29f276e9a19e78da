using System;
using System.Threading;
using System.Threading.Tasks;
using Proxy.Core.Time;
using Proxy.Server.Signal;

namespace Proxy.Server.Node;

/// <summary>Any thread. What an operator may do to the node that runs, over the control socket, the API or a signal.</summary>
/// <param name="node">The node.</param>
/// <param name="reload">Reads configuration and policy again.</param>
/// <param name="drainFor">How long running calls go on when nothing is said.</param>
public sealed class NodeControl(SiproomNode node, Func<CancellationToken, Task<ReloadReport>> reload, TimeSpan drainFor)
{
    private readonly object _gate = new();
    private volatile string _whyNotReady = "starting";
    private bool _isLeaving;

    /// <summary>Empty when calls are taken; else a word for <c>/readyz</c>.</summary>
    public string WhyNotReady => _whyNotReady;

    /// <summary>The node takes calls from here on.</summary>
    public void Started() => _whyNotReady = "";

    /// <summary>Takes no more calls.</summary>
    /// <param name="time">How long running calls may go on; null: as configured.</param>
    /// <param name="isLeaving">The process ends afterwards: nothing takes this back.</param>
    public Task<DrainState> DrainAsync(TimeSpan? time, bool isLeaving)
    {
        lock (_gate)
        {
            // A drain that was begun before keeps its earlier deadline when the process is told to end.
            bool isDraining = _whyNotReady == "draining";
            _isLeaving |= isLeaving;
            _whyNotReady = "draining";
            return node.Ask((loop, now) =>
            {
                MonoTime until = now + (time ?? drainFor);
                loop.Drain(isLeaving && isDraining ? MonoTime.Min(until, loop.Calls.DrainUntil) : until);
                return State(loop, now);
            });
        }
    }

    /// <summary>Takes calls again.</summary>
    /// <returns>Null when the process is about to end: then nothing is undone.</returns>
    public Task<DrainState>? Undo()
    {
        lock (_gate)
        {
            if (_isLeaving)
            {
                return null;
            }
            Task<DrainState> undone = node.Ask((loop, now) =>
            {
                loop.EndDrain();
                return State(loop, now);
            });
            _whyNotReady = "";
            return undone;
        }
    }

    public Task<DrainState> StateAsync() => node.Ask(State);

    /// <summary>Reads configuration and policy again, as SIGHUP does.</summary>
    /// <returns>What cannot be used, in whose place what was in force before stays; and what needs a restart.</returns>
    public Task<ReloadReport> ReloadAsync(CancellationToken cancellation) => reload(cancellation);

    private static DrainState State(SignalLoop loop, MonoTime now) => new(
        loop.Calls.IsDraining, loop.Calls.Count, loop.Calls.DrainUntil.IsNever ? -1 : Math.Max(0, (loop.Calls.DrainUntil - now).TotalSeconds));
}

/// <summary>Any thread. Whether the node takes calls.</summary>
/// <param name="IsDraining">New calls are refused.</param>
/// <param name="Calls">Calls that are not over.</param>
/// <param name="SecondsLeft">Until running calls are hung up; -1 when they are not going to be.</param>
public readonly record struct DrainState(bool IsDraining, int Calls, double SecondsLeft);
