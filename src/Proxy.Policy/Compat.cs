namespace Proxy.Policy;

/// <summary>Any thread. Whose meaning counts where LiveKit's is lenient.</summary>
public enum Compat
{
    /// <summary>Ours: what is not listed is refused.</summary>
    Strict,

    /// <summary>LiveKit's; each lenient acceptance is counted.</summary>
    LiveKit,
}
