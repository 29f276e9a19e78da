using System;
using System.Collections.Generic;

namespace Proxy.Fuzz;

/// <summary>One thread. What is fed with inputs. It must not throw, not take long, not allocate more than it says.</summary>
/// <param name="Name">Also the corpus file's.</param>
/// <param name="Run">Takes one input; throws <see cref="InvalidOperationException"/> for a wrong result of its own oracle.</param>
/// <param name="Seeds">Recorded data to start from.</param>
/// <param name="Words">Dictionary: what mutations put in.</param>
internal sealed record Target(string Name, Action<byte[]> Run, IEnumerable<byte[]> Seeds, IReadOnlyList<byte[]> Words)
{
    /// <summary>Managed bytes that any input may cost.</summary>
    public long AllocatesAtMost { get; init; } = 4_096;

    /// <summary>Managed bytes that each byte of input may cost on top.</summary>
    public double AllocatesPerByte { get; init; }

    /// <summary>Longest input.</summary>
    public int LongestInput { get; init; } = 65_535;

    /// <summary>CPU time that 64 KiB of input may cost; the counters of the instrumented copies about double it.</summary>
    public TimeSpan TimePer64K { get; init; } = TimeSpan.FromMilliseconds(10);
}
