using System;

namespace Proxy.Policy;

/// <summary>Any thread. Whose meaning counts where LiveKit's is lenient.</summary>
public enum Compat
{
    /// <summary>Ours: what is not listed is refused.</summary>
    Strict,

    /// <summary>LiveKit's; each lenient acceptance is counted.</summary>
    LiveKit,
}

/// <summary>Any thread. Lenient acceptances of one call (<c>siproom_compat_total{what}</c>).</summary>
[Flags]
public enum CompatUse
{
    None = 0,

    /// <summary>No trunk matched, a rule without trunks took the call.</summary>
    NoTrunk = 1,

    /// <summary>No entry of allowed_addresses can be read, so any address passed.</summary>
    UnreadableAddresses = 2,

    /// <summary>Only the From host, which anybody can write, matched allowed_addresses.</summary>
    FromHost = 4,

    /// <summary>One of user and password is missing, so nobody was asked.</summary>
    HalfCredentials = 8,

    /// <summary>An SAVP offer under a trunk that disables encryption was answered in clear.</summary>
    SecureInClear = 16,
}
