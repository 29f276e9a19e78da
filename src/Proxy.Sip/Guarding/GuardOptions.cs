using System;
using Proxy.Core;
using Proxy.Core.Net;

namespace Proxy.Sip.Guarding;

/// <summary>Any thread. How a <see cref="SourceGuard"/> treats sources that nobody lists; does not change while it lives.</summary>
public sealed record GuardOptions
{
    /// <summary>Whether somebody vouches for an address (a trunk's allowed_addresses, a trusted proxy): then nothing here is for it.</summary>
    public required Func<NetAddress, bool> IsListed { get; init; }

    /// <summary>New requests a second that a source may send for long.</summary>
    public required double RatePerSecond { get; init; }

    /// <summary>New requests that it may send at once.</summary>
    public required double Burst { get; init; }

    /// <summary>New requests a second of all strangers together; forged addresses are a new source each.</summary>
    public required double CrowdRatePerSecond { get; init; }

    /// <summary>New requests that all strangers together may send at once.</summary>
    public required double CrowdBurst { get; init; }

    /// <summary>How much more a vouched source may send; the crowd does not count for it.</summary>
    public double VouchedFactor { get; init; } = 10;

    /// <summary>Refused requests, above the one each <see cref="PatienceRefill"/>, that ban it. Zero bans nobody.</summary>
    public required double Patience { get; init; }

    /// <summary>Time in which one refused request is forgotten.</summary>
    public TimeSpan PatienceRefill { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Refused requests after which all refusals look the same: who tries numbers and methods learns nothing from the answers.</summary>
    public required double SuspectAfter { get; init; }

    /// <summary>Length of a first ban; each further one is twice as long.</summary>
    public required TimeSpan BanFor { get; init; }

    public TimeSpan BanMax { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Share of a refused request that a digest challenge counts: who is asked again and again and never has the password is guessing.</summary>
    public double ChallengeBlame { get; init; } = 0.2;

    /// <summary>How long a source whose call was answered and acknowledged is not banned.</summary>
    public TimeSpan VouchedFor { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Sources that are remembered; the one that was not seen for longest makes room.</summary>
    public int Capacity { get; init; } = 16_384;

    /// <summary>livekit/sip's hide_inbound_port: say nothing to a source that no trunk lists, but to calls that a trunk takes.</summary>
    public bool Hides { get; init; }

    /// <summary>With the node's limits.</summary>
    public static GuardOptions From(Limits limits, Func<NetAddress, bool> isListed) => new()
    {
        IsListed = isListed,
        RatePerSecond = limits.StrangerRate,
        Burst = limits.StrangerBurst,
        CrowdRatePerSecond = limits.StrangersRate,
        CrowdBurst = limits.StrangersBurst,
        SuspectAfter = limits.AlikeAfter,
        Patience = limits.BanAfter,
        BanFor = limits.BanTime,
    };
}

/// <summary>Any thread. Whether a new request may go on.</summary>
public enum GuardVerdict : byte
{
    Pass,

    /// <summary>Above its rate.</summary>
    Flooding,

    /// <summary>All strangers together are above theirs.</summary>
    Crowded,

    /// <summary>On the ban list: nothing is answered.</summary>
    Banned,
}

/// <summary>Any thread. One source on the ban list.</summary>
/// <param name="Source">The address; of IPv6 its /64.</param>
/// <param name="Left">Time until it ends.</param>
/// <param name="Times">Which ban of this source it is.</param>
public readonly record struct GuardBan(NetAddress Source, TimeSpan Left, int Times);
