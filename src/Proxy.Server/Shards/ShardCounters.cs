namespace Proxy.Server.Shards;

/// <summary>The shard's thread writes, any thread reads. Plain numbers, summed when somebody asks for metrics.</summary>
public sealed class ShardCounters
{
    public long DatagramsIn { get; set; }

    public long DatagramsOut { get; set; }

    public long SendFailures { get; set; }

    public int Calls { get; set; }

    /// <summary>Calls ended by a fault of ours.</summary>
    public long Broken { get; set; }

    /// <summary>Ticks of 1 ms that a stall of over 100 ms swallowed.</summary>
    public long SkippedTicks { get; set; }
}
