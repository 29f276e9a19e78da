using System;
using System.Collections.Generic;
using Proxy.Policy.Caps;
using Proxy.Policy.Deferred;
using Proxy.Policy.Dispatch;
using Proxy.Policy.Trunks;

namespace Proxy.Policy;

/// <summary>Any thread. What becomes of a call.</summary>
public enum VerdictKind
{
    /// <summary>Answer with <see cref="Verdict.SipStatus"/> and end.</summary>
    Reject,

    /// <summary>Answer 407 with <see cref="Verdict.Challenge"/>; the caller comes again with credentials.</summary>
    Challenge,

    /// <summary>Join <see cref="Verdict.Room"/>.</summary>
    Join,

    /// <summary>Answer, ask for a PIN, then <see cref="IPolicy.DecidePin"/>.</summary>
    AskPin,

    /// <summary>Somebody else is asked first (<see cref="Verdict.Deferral"/>), then <see cref="IPolicy.Resume"/>.</summary>
    Deferred,
}

/// <summary>Any thread. A digest challenge (RFC 7616 §3.3); sent as one Proxy-Authenticate header.</summary>
/// <param name="Realm">Without quotes.</param>
/// <param name="Nonce">Signed by us, without quotes.</param>
/// <param name="Algorithm"><c>MD5</c>, <c>SHA-256</c> or <c>SHA-512-256</c>.</param>
/// <param name="IsStale">The nonce was ours but old: the password need not be asked again.</param>
public sealed record DigestChallenge(string Realm, string Nonce, string Algorithm, bool IsStale)
{
    /// <summary>Offered protection: <c>auth</c>.</summary>
    public string Qop => "auth";
}

/// <summary>Any thread. A trunk's own user and password, for challenges to what we send it (RFC 3261 §22); a secret, never shown.</summary>
public sealed record TrunkLogin(string UserName, string Password)
{
    public override string ToString() => nameof(TrunkLogin);
}

/// <summary>Any thread. The policy's whole answer for one call; immutable.</summary>
public sealed record Verdict
{
    public VerdictKind Kind { get; init; }

    /// <summary>Version of the snapshot that decided.</summary>
    public long PolicyVersion { get; init; }

    // ---- Reject ----

    public RefusalCode Code { get; init; }

    /// <summary>One sentence for log, record and console; never a password, never more than what the INVITE said.</summary>
    public string Sentence { get; init; } = "";

    /// <summary>Final status for Reject, 407 for Challenge, 200 otherwise.</summary>
    public int SipStatus { get; init; } = 200;

    public string SipReason { get; init; } = "OK";

    /// <summary>Q.850 cause of the Reason header; 0 for none.</summary>
    public int Q850Cause { get; init; }

    /// <summary>Seconds of Retry-After; 0 for none.</summary>
    public int RetryAfterSeconds { get; init; }

    /// <summary>Whether code and sentence may be told on the wire (a source that a trunk lists); others get neither.</summary>
    public bool MayTellWhy { get; init; }

    /// <summary>The source is listed by a trunk, a trusted proxy or the interconnect: no per-source bucket, ban or lock-out applies.</summary>
    public bool IsListedSource { get; init; }

    // ---- Challenge ----

    public DigestChallenge? Challenge { get; init; }

    /// <summary>Where LiveKit's meaning let something pass that ours would refuse; counted, logged once an hour for each trunk.</summary>
    public CompatUse Compat { get; init; }

    // ---- Who matched ----

    /// <summary><c>ST_…</c>; empty when no trunk took part.</summary>
    public string TrunkId { get; init; } = "";

    public string TrunkName { get; init; } = "";

    /// <summary>The addresses that the trunk lists: in-dialog requests may come from any of them. Null when none are listed.</summary>
    public AddressList? Sources { get; init; }

    /// <summary>The trunk's credentials; null when it has none.</summary>
    public TrunkLogin? Login { get; init; }

    /// <summary><c>SDR_…</c>; empty when none.</summary>
    public string RuleId { get; init; } = "";

    public string RuleName { get; init; } = "";

    /// <summary><c>PN_…</c> when the number inventory took the call.</summary>
    public string PhoneNumberId { get; init; } = "";

    // ---- Join ----

    public string Room { get; init; } = "";

    public string Identity { get; init; } = "";

    public string Name { get; init; } = "";

    public string Metadata { get; init; } = "";

    /// <summary>Participant attributes in order, names unique; <c>sip.callStatus</c> is the bridge's.</summary>
    public KeyValuePair<string, string>[] Attributes { get; init; } = [];

    /// <summary>Static headers of our 200 OK.</summary>
    public KeyValuePair<string, string>[] Headers { get; init; } = [];

    /// <summary>INVITE header → participant attribute; already applied in <see cref="Attributes"/>, kept for re-INVITEs.</summary>
    public KeyValuePair<string, string>[] HeadersToAttributes { get; init; } = [];

    /// <summary>Participant attribute → header on 200 OK, BYE, REFER and late finals.</summary>
    public KeyValuePair<string, string>[] AttributesToHeaders { get; init; } = [];

    public IncludeHeaders IncludeHeaders { get; init; }

    /// <summary><c>roomConfig</c> for the token, proto3 JSON; empty when the rule has none.</summary>
    public string RoomConfigJson { get; init; } = "";

    /// <summary><c>roomPreset</c> for the token; empty when none.</summary>
    public string RoomPreset { get; init; } = "";

    /// <summary>Names of the agents that <see cref="RoomConfigJson"/> dispatches; for records and the ring timeout's sentence.</summary>
    public string[] Agents { get; init; } = [];

    /// <summary>Agents are dispatched on every call, not only by the join that creates the room (own addition).</summary>
    public bool DispatchAgentsAlways { get; init; }

    /// <summary>What happens when everybody else has left the room (own addition).</summary>
    public WhenAlone WhenAlone { get; init; }

    /// <summary>How long the caller is alone before it happens.</summary>
    public TimeSpan AloneFor { get; init; }

    /// <summary>Longest ringing; zero means the node's default.</summary>
    public TimeSpan RingingTimeout { get; init; }

    /// <summary>Longest call; zero means the node's default.</summary>
    public TimeSpan MaxCallDuration { get; init; }

    public MediaPolicy Media { get; init; } = MediaPolicy.Default;

    public AnswerMode AnswerMode { get; init; }

    /// <summary>Room to join when the first one cannot be (own addition); empty when none.</summary>
    public string FallbackRoom { get; init; } = "";

    /// <summary>The caller's number must not stand in logs, records or the room in clear.</summary>
    public bool HidesNumber { get; init; }

    /// <summary>What the call counts against: taken with <see cref="CallCaps.Take"/> when the call is accepted, given back at its end.</summary>
    public CapClaim[] Caps { get; init; } = [];

    // ---- AskPin ----

    /// <summary>How the PIN is asked; null unless <see cref="VerdictKind.AskPin"/>.</summary>
    public PinPrompt? Pin { get; init; }

    /// <summary>Attempts left, this one included.</summary>
    public int PinAttemptsLeft { get; init; }

    // ---- Deferred ----

    /// <summary>Who is asked and how long; null unless <see cref="VerdictKind.Deferred"/>.</summary>
    public Deferral? Deferral { get; init; }

    /// <summary>What came of a deferral, one clause each: <c>hook answered in 12 ms: room lobby</c>; else empty.</summary>
    public string Note { get; init; } = "";

    /// <summary>A refusal with the answer of the table.</summary>
    public static Verdict Refuse(RefusalCode code, string sentence, Refusals refusals)
    {
        Refusal refusal = refusals[code];
        return new Verdict
        {
            Kind = VerdictKind.Reject,
            Code = code,
            Sentence = sentence,
            SipStatus = refusal.Status,
            SipReason = refusal.Reason,
            Q850Cause = refusal.Q850Cause,
            RetryAfterSeconds = refusal.RetryAfterSeconds,
        };
    }
}
