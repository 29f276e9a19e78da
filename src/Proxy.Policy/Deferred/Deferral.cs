using System;

namespace Proxy.Policy.Deferred;

/// <summary>Any thread. Who is asked before a verdict stands.</summary>
public enum DeferralKind
{
    /// <summary>The store: perhaps the object that is missing was made a moment ago.</summary>
    Refresh,

    /// <summary>The HTTP hook of the configuration.</summary>
    Hook,
}

/// <summary>Any thread. Why a verdict has to wait.</summary>
/// <param name="Kind">Who is asked.</param>
/// <param name="Patience">Longest wait; then <see cref="IPolicy.Resume"/> decides without an answer.</param>
/// <param name="Local">What the rules say by themselves; the hook is told.</param>
/// <param name="IsPinPassed">The caller keyed the right PIN: the rules are not asked again, the PIN is gone.</param>
public sealed record Deferral(DeferralKind Kind, TimeSpan Patience, Verdict Local, bool IsPinPassed = false);

/// <summary>Any thread. What came of the wait.</summary>
/// <param name="IsAnswered">False: it was in vain, and <paramref name="Note"/> says why.</param>
/// <param name="Note">One clause for explain and record: <c>answered in 12 ms</c>, <c>no answer in 500 ms</c>.</param>
/// <param name="Hook">What the hook said; null for a refresh and where it said nothing.</param>
public readonly record struct DeferredAnswer(bool IsAnswered, string Note, HookAnswer? Hook = null)
{
    public static DeferredAnswer Failed(string why) => new(false, why);
}

/// <summary>Any thread. When the policy defers; from the configuration.</summary>
public sealed record DeferralTerms
{
    /// <summary>How long a call that would be refused waits for the store to be read again; zero: the store tells its changes itself.</summary>
    public TimeSpan RefreshPatience { get; init; }

    /// <summary>Null without a hook.</summary>
    public HookTerms? Hook { get; init; }
}

/// <summary>Any thread. What the policy itself has to know of the hook.</summary>
public sealed record HookTerms
{
    /// <summary>Longest wait for an answer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Calls that no trunk or rule takes are asked about too, not only those that the rules take.</summary>
    public bool AsksAboutAll { get; init; }

    /// <summary>Without an answer the call is refused; else the rules decide.</summary>
    public bool RefusesWithoutAnswer { get; init; }
}
