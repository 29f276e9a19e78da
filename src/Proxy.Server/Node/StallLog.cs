using System;
using System.Collections.Generic;
using System.Threading;
using Microsoft.Extensions.Logging;
using Proxy.Server.Metrics;

namespace Proxy.Server.Node;

/// <summary>Thread pool. Each second: tells of the longest stall of every loop, so that a gap in somebody's audio can be laid at a door.</summary>
internal sealed class StallLog : IDisposable
{
    private static readonly TimeSpan s_every = TimeSpan.FromSeconds(1);
    private readonly IReadOnlyList<LoopMeter> _meters;
    private readonly ILogger _log;
    private readonly Timer _timer;

    public StallLog(IReadOnlyList<LoopMeter> meters, ILogger log)
    {
        _meters = meters;
        _log = log;
        _timer = new Timer(_ => Look(), null, s_every, s_every);
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        foreach (LoopMeter meter in _meters)
        {
            if (meter.TryTakeWorst(out Stall stall))
            {
                NodeLog.Stalled(_log, meter.Name, stall.Micros / 1000.0, LoopMeter.NameOf(stall.Cause), stall.End.Micros / 1000);
            }
        }
    }
}
