using System;
using Proxy.Core;
using Proxy.Core.Time;
using Proxy.Server.Linux;
using Proxy.Server.Metrics;

namespace Proxy.Server.Signal;

/// <summary>
/// Signal thread. Whether the node has CPU left for one more call: a media shard is one thread, so the busiest of them
/// counts, and on a node of its own the machine as a whole.
/// </summary>
/// <param name="shards">The shards' meters.</param>
/// <param name="watchesMachine">False with --dev: a compiler that runs beside must not refuse the developer's calls.</param>
public sealed class CpuGate(LoopMeter[] shards, bool watchesMachine, Limits limits) : IDisposable
{
    private readonly CpuMeter _machine = new();
    private readonly long[] _before = new long[shards.Length];
    private MonoTime _last;

    /// <summary>The share that was compared with <see cref="Limits.CpuMax"/>, 0–1.</summary>
    public double Share { get; private set; }

    /// <summary>Looks again; call about once a second.</summary>
    public bool IsFull(MonoTime now)
    {
        double span = Math.Max(1, now.Micros - _last.Micros);
        _last = now;
        double busiest = 0;
        for (int i = 0; i < shards.Length; i++)
        {
            long cpu = shards[i].CpuMicros;
            busiest = Math.Max(busiest, (cpu - _before[i]) / span);
            _before[i] = cpu;
        }
        _machine.Sample(now);
        Share = watchesMachine ? Math.Max(busiest, _machine.MachineShare) : busiest;
        return Share > limits.CpuMax;
    }

    public void Dispose() => _machine.Dispose();
}
