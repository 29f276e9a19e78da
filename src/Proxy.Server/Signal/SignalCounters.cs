namespace Proxy.Server.Signal;

/// <summary>The signal thread writes, any thread reads.</summary>
public sealed class SignalCounters
{
    public long SendFailures { get; set; }

    /// <summary>Faults of ours that the loop's catch took.</summary>
    public long Broken { get; set; }
}
