using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;

namespace Proxy.Load;

/// <summary>One thread. Asks the room server's metrics when the demo agent last heard sound begin: one machine, so its monotonic clock is ours.</summary>
internal sealed class EchoOnsets(Uri metrics) : IDisposable
{
    private const string Name = "siproom_dev_echo_onset_microseconds ";
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(2) };

    /// <summary>Every onset that was seen, microseconds.</summary>
    public List<long> Seen { get; } = [];

    /// <summary>The last onset; null when there is none or nobody answers.</summary>
    public long? Read()
    {
        try
        {
            string line = _http.GetStringAsync(metrics).GetAwaiter().GetResult().Split('\n').FirstOrDefault(l => l.StartsWith(Name, StringComparison.Ordinal)) ?? "";
            return line.Length == 0 ? null : (long)double.Parse(line.AsSpan(Name.Length), CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    /// <summary>Looks ten times a second until told to stop.</summary>
    public void Follow(Func<bool> isStopping)
    {
        while (!isStopping())
        {
            if (Read() is { } onset && (Seen.Count == 0 || Seen[^1] != onset))
            {
                Seen.Add(onset);
            }
            Thread.Sleep(100);
        }
    }

    public void Dispose() => _http.Dispose();
}
