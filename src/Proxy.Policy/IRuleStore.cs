using System;

namespace Proxy.Policy;

/// <summary>Any thread. Where policy objects come from; the engine only ever sees whole, immutable snapshots.</summary>
public interface IRuleStore
{
    /// <summary>The snapshot now in force; never null. Reading it never blocks.</summary>
    PolicySnapshot Current { get; }
}
