using System;
using System.Collections.Generic;

namespace Proxy.Bridge.Transfers;

/// <summary>Any thread. How a transfer ended, or why none began.</summary>
public enum TransferResult
{
    /// <summary>The caller's side told that the target answered; our BYE follows.</summary>
    Completed,

    /// <summary>The call ended after the REFER was accepted and before its result was told: carriers that take the caller away without a word.</summary>
    CallEnded,

    /// <summary>The REFER was refused, or got no answer (408).</summary>
    Refused,

    /// <summary>The REFER was accepted and the target did not take the call; the status is the target's.</summary>
    Failed,

    /// <summary>No result came in time.</summary>
    TimedOut,

    /// <summary>The subscription ended without a result (RFC 3515 §2.4.5), and no BYE came.</summary>
    Unreported,

    /// <summary>The call ended before the REFER was accepted.</summary>
    Cancelled,

    /// <summary>Nobody of that identity calls in that room.</summary>
    NoSuchCall,

    /// <summary>The call is not answered yet.</summary>
    NotEstablished,

    /// <summary>A transfer to another target is under way.</summary>
    Elsewhere,
}

/// <summary>Any thread. What an agent asks for.</summary>
/// <param name="Target">A sip:, sips: or tel: URI without angle brackets.</param>
/// <param name="Headers">Fields of the REFER.</param>
/// <param name="PlaysRinging">The caller hears ringing instead of the room until the result is known.</param>
/// <param name="Timeout">How long a result may take; zero: as long as the node's limits say.</param>
public sealed record TransferRequest(string Target, IReadOnlyList<KeyValuePair<string, string>> Headers, bool PlaysRinging, TimeSpan Timeout);

/// <summary>Any thread. What became of it.</summary>
/// <param name="Id"><c>STR_…</c>; empty when none began.</param>
/// <param name="SipStatus">Of Completed, Refused and Failed: the status that decided; else 0.</param>
/// <param name="SipReason">Its reason phrase.</param>
public readonly record struct TransferOutcome(string Id, TransferResult Result, int SipStatus, string SipReason);

/// <summary>Signal thread writes, any thread reads. Transfers since the start, by result.</summary>
public sealed class TransferCounters
{
    private readonly long[] _counts = new long[Enum.GetValues<TransferResult>().Length];

    public long this[TransferResult result]
    {
        get => _counts[(int)result];
        internal set => _counts[(int)result] = value;
    }

    /// <summary>The result's name in records, logs and metrics.</summary>
    public static string Name(TransferResult result) => result switch
    {
        TransferResult.Completed => "completed",
        TransferResult.CallEnded => "call_ended",
        TransferResult.Refused => "refused",
        TransferResult.Failed => "failed",
        TransferResult.TimedOut => "timed_out",
        TransferResult.Unreported => "unreported",
        TransferResult.Cancelled => "cancelled",
        TransferResult.NoSuchCall => "no_such_call",
        TransferResult.NotEstablished => "not_established",
        _ => "elsewhere",
    };
}
