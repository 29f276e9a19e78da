namespace Proxy.Server.Metrics;

/// <summary>Async world. Something that has figures. Called on each scrape, on a pool thread, never twice at once.</summary>
/// <remarks>
/// Counters of a loop are plain <c>long</c> fields which only that loop writes; reading them from here is exact enough
/// (64-bit loads do not tear), and costs the loop nothing.
/// </remarks>
public interface IMetricsSource
{
    void Write(MetricsWriter writer);
}
