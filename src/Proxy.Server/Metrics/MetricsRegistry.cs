using System.Buffers;
using System.Collections.Generic;
using System.Threading;

namespace Proxy.Server.Metrics;

/// <summary>Any thread. Every source of figures; summed when somebody looks.</summary>
public sealed class MetricsRegistry
{
    private readonly Lock _lock = new();
    private readonly List<IMetricsSource> _sources = [];

    public void Add(IMetricsSource source)
    {
        lock (_lock)
        {
            _sources.Add(source);
        }
    }

    public void Scrape(IBufferWriter<byte> output)
    {
        lock (_lock)
        {
            MetricsWriter writer = new(output);
            foreach (IMetricsSource source in _sources)
            {
                source.Write(writer);
            }
        }
    }
}
